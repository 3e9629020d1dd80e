// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "automation/deps.h"
#include "automation/invariants.h"
#include "serving/manager.h"
#include "serving/prediction_log.h"
#include "tracking/artifact_store.h"

namespace slipway::automation {

// The real objects behind Deps. All outlive what wire() makes of them.
struct Parts {
  storage::Database& database;
  const Clock& clock;
  ProcessRunner& processes;
  Places places;
  serving::PredictionLog& log;
  const tracking::ArtifactStore& artifacts;
  serving::Manager& manager;
  // One step of the monitors' follower on the endpoints in scope. It is one-threaded: whoever else
  // calls it shares a lock with this function.
  std::function<bool(const Deps::Scope& in_scope)> follow_labels;
  std::function<gate::Result(const Deps::GateQuestion& question)> evaluate_gate;
};
Deps wire(const Parts& parts);

// What the prediction log can still count again.
InvariantFacts invariant_facts(const serving::PredictionLog& log);

inline constexpr std::int64_t kTrafficBlocks = 14;

// Predictions a day at an endpoint: over the newest kTrafficBlocks closed blocks of a monitor on
// it, whatever their length. nullopt where no monitor has closed a block of a day or an hour yet.
std::optional<double> requests_per_day(storage::Session& session, const std::string& endpoint);

}  // namespace slipway::automation
