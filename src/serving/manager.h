// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "serving/engine.h"
#include "serving/prediction_log.h"
#include "serving/router.h"
#include "storage/database.h"
#include "tracking/artifact_store.h"

namespace slipway::serving {

// Makes the routing table follow endpoints, aliases, holds and rollouts: loads a version beside the
// old one, has it answer once, and only then swaps. A version that fails to load leaves the old one
// serving; the route says why (endpoint.load_failed), and the version's condition in the registry
// becomes `unservable`. After registration it checks every version in the same way.
//
// One thread of its own; all methods may be called from any thread but a database write.
class Manager {
 public:
  struct Deps {
    storage::Database& database;
    const tracking::ArtifactStore& artifacts;
    Engine& engine;
    PredictionLog& log;
    const Clock& clock;
    metrics::Registry& metrics;
  };
  static constexpr int kPollMs = 500;  // looks by itself that often
  static constexpr std::size_t kSpareVersionsMax =
      16;  // kept in memory though no endpoint serves them

  explicit Manager(const Deps& deps);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  void start();  // the thread; before that only refresh_now() does anything
  void
  refresh();  // asks the thread to look now; returns at once. Safe in Transaction::after_commit.

  // Looks on the calling thread and returns when the table is as the database says (or says why
  // not). True if the table changed.
  bool refresh_now();

  const Router& router() const;

  // A version by number, for URLs that name one, for the gate and for explain: from memory, or
  // loaded now (blocking). Throws kNotFound for an unknown version, kFailedPrecondition with the
  // reason for one that is not servable.
  std::shared_ptr<const ServedVersion> version(const std::string& model, std::int64_t version);

  // The same if it is in memory, else null; never blocks long.
  std::shared_ptr<const ServedVersion> version_in_memory(const std::string& model,
                                                         std::int64_t version) const;

  // Versions in memory, by model and number.
  std::vector<std::shared_ptr<const ServedVersion>> loaded() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::serving
