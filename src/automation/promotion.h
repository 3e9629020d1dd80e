// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "automation/deps.h"
#include "automation/retraining.h"

// From a version that exists to one that serves: the gate first, then a rollout where the endpoint
// has a policy and somebody to compare with, else the alias at once.
namespace slipway::automation {

struct PromotionRequest {
  std::string model;
  std::int64_t version = 0;
  std::string alias;
  std::string endpoint;  // "" = the endpoint that follows the alias and has a rollout policy, if
                         // there is one
  std::string gate;      // "" = the one of the alias rule, if there is one
  std::string actor;
  std::string reason;
  std::string cause;       // event id
  std::string retraining;  // id, "" = a person asks
  TimeUs reuse_since = 0;  // evidence recorded from this wall time on answers instead of a new
                           // evaluation; 0 = evaluate
};

enum class PromotionResult { kMoved, kRollout, kRefused, kUnchanged };
std::string_view result_name(PromotionResult result);  // "moved", "rollout", "refused", "unchanged"

struct Promotion {
  PromotionResult result = PromotionResult::kRefused;
  std::string reason;
  std::string by;       // of kRefused: "gate", "hold", "endpoint", "rule"
  std::string gate;     // "" = no gate was asked
  std::string verdict;  // of the gate: "pass", "fail", "insufficient"; "" = not asked
  std::string gate_evidence;
  std::string rollout;    // id, of kRollout
  std::int64_t move = 0;  // of kMoved
  std::optional<std::int64_t> champion;
};
json::Object to_json(const Promotion& promotion);

// Evaluates the gate (outside of any write), then does in one write what follows from it. A
// champion that changes meanwhile is compared with anew, at most three times, then kConflict.
//   kMoved      the alias points to the version (no policy, or no champion yet)
//   kRollout    a rollout has begun
//   kRefused    the gate said fail or insufficient (it recorded promotion.refused), or a hold or a
//   pinned endpoint stands in the way
//               (recorded here); production stays
//   kUnchanged  the alias points there already
// Throws kNotFound for an unknown model or version, kFailedPrecondition while another rollout of
// the endpoint is under way, and what the gate throws.
Promotion promote(const Deps& deps, const PromotionRequest& request);

// The endpoint that a promotion of this alias rolls out on: the first by name that follows it and
// has a policy.
std::optional<std::string> rollout_endpoint(storage::Session& session, const std::string& model,
                                            const std::string& alias);

// One trained version: promotes it and writes into the retraining what came of it. True if anything
// changed. What may be over soon (a server that is full or a log that cannot be read) is tried
// again at the next call; anything else that the gate throws is a refusal.
bool judge_retraining(const Deps& deps, const Retraining& retraining);

}  // namespace slipway::automation
