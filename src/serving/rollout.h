// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "serving/endpoint.h"
#include "storage/database.h"

namespace slipway::serving {

// The two sides of a canary and what it judges. The numbers are stored in the prediction log: never
// change one.
enum class Arm : std::uint8_t { kChampion = 0, kChallenger = 1 };
enum class Loss : std::uint8_t { kError = 0, kSlow = 1, kNan = 2 };
inline constexpr std::size_t kLosses = 3;
inline constexpr std::array<Loss, kLosses> kAllLosses{Loss::kError, Loss::kSlow, Loss::kNan};
std::string_view arm_name(Arm arm);     // "champion", "challenger"
std::string_view loss_name(Loss loss);  // "error", "slow", "nan"

// Requests of one step: how many had the loss and how many had not, by arm. A request counts once
// for each loss, whatever its rows.
struct StepCounters {
  struct Cell {
    std::int64_t bad = 0, good = 0;
    bool operator==(const Cell&) const = default;
  };
  std::array<std::array<Cell, 2>, kLosses> cells{};  // [loss][arm]

  const Cell& at(Loss loss, Arm arm) const {
    return cells[static_cast<std::size_t>(loss)][static_cast<std::size_t>(arm)];
  }
  Cell& at(Loss loss, Arm arm) {
    return cells[static_cast<std::size_t>(loss)][static_cast<std::size_t>(arm)];
  }
  std::int64_t requests(Arm arm) const {
    const Cell& c = at(Loss::kError, arm);
    return c.bad + c.good;
  }
  void add(Arm arm, bool error, bool slow, bool nan, std::int64_t times = 1);
  bool operator==(const StepCounters&) const = default;
};

// {"error": {"champion": {"bad": 1, "good": 2}, "challenger": …}, "slow": …, "nan": …}
json::Object to_json(const StepCounters& counters);

enum class RolloutState { kActive, kPaused, kPromoted, kRolledBack, kExpired, kVoided, kAborted };
std::string_view state_name(RolloutState state);  // "active", "paused", "promoted", "rolled_back",
                                                  // "expired", "voided", "aborted"
inline bool is_open(RolloutState state) {
  return state == RolloutState::kActive || state == RolloutState::kPaused;
}

// One weight, from the moment it took effect. Everything a judge needs about it is here, frozen.
struct RolloutStep {
  double weight = 0;  // share of requests that the challenger gets, 0 < w < 1
  std::array<double, kLosses>
      c0{};  // the champion's rate of each loss before the step, frozen at its start
  TimeUs started_event_time = 0;  // 0 = not reached yet, or before the first request
  StepCounters
      counters;  // as far as stored: see RolloutRow::step; live ones are PredictionLog::counters'
  bool operator==(const RolloutStep&) const = default;
};

struct RolloutRow {
  std::string id;  // ULID
  std::string endpoint;
  std::string model;
  std::string alias;            // moves at promotion
  std::int64_t champion = 0;    // version
  std::int64_t challenger = 0;  // version
  std::int64_t started_move =
      0;  // serial number of the alias move that the champion came by; a newer move voids this
  std::uint64_t seed = 0;          // of the arms
  std::vector<RolloutStep> steps;  // in order; at least one
  int step = 0;                    // index of the one under way (or the last one, when over)
  RolloutState state = RolloutState::kActive;
  double delta = 0;  // non-inferiority margin
  double alpha_promote = 0;
  double alpha_rollback = 0;
  std::string policy;  // the rest of the canary policy, one line of JSON; automation's
  TimeUs started_event_time =
      0;  // 0 until the endpoint has its first request: its time begins then
  TimeUs finished_event_time = 0;  // 0 while open, and where it ended before any request
  std::int64_t log_position =
      0;               // where the prediction log stood at the start: counters recompute from here
  std::string cause;   // id of the event that led to it
  std::string reason;  // why it ended
};

inline constexpr std::size_t kRolloutStepsMax = 32;

// What start_rollout needs; the fields of RolloutRow of the same names.
struct RolloutStart {
  std::string endpoint, model, alias;
  std::int64_t champion = 0, challenger = 0, started_move = 0, log_position = 0;
  std::vector<double> weights;       // rising, each in (0, 1)
  std::array<double, kLosses> c0{};  // for the first step
  double delta = 0, alpha_promote = 0, alpha_rollback = 0;
  std::string policy = "{}";
  std::uint64_t seed =
      0;  // 0: made from endpoint, model, challenger and started_move, the same on any machine
};

// All of these run inside a write, check the state they start from, and append the event named,
// whose body is the row's facts plus `body`. Changes reach the requests when the Manager refreshes
// (call it after the commit). Deciding is the caller's.

// rollout.started. Throws kFailedPrecondition if the endpoint has an open rollout, a hold (by the
// clock), or does not exist; kInvalidArgument for wrong weights.
RolloutRow start_rollout(storage::Transaction& transaction, const Clock& clock,
                         const RolloutStart& start, const Change& change,
                         const json::Object& body = {});

// Gives a rollout that was started before the endpoint's first request the time of that request, as
// the start of the rollout and of its step: max_duration counts from there. Nothing happens where
// it has a start, or is over. No event: rollout.started told of it.
RolloutRow begin_rollout_time(storage::Transaction& transaction, const std::string& id,
                              TimeUs first_event_time);

// rollout.step: keeps the counters of the step that ends, freezes c0 of the next one and makes it
// the current one. Throws kFailedPrecondition when not active or at the last step.
RolloutRow advance_rollout(storage::Transaction& transaction, const Clock& clock,
                           const std::string& id, const StepCounters& counters_of_ended_step,
                           const std::array<double, kLosses>& next_c0, const Change& change,
                           const json::Object& body = {},
                           const std::vector<std::string>& evidence = {});

// rollout.promoted, .rolled_back, .expired, .voided or .aborted, by `state`; keeps the counters of
// the last step. Promotion moves the alias: the caller does that with registry::move_alias in the
// same transaction.
RolloutRow finish_rollout(storage::Transaction& transaction, const Clock& clock,
                          const std::string& id, RolloutState state,
                          const StepCounters& counters_of_last_step, const std::string& reason,
                          const Change& change, const json::Object& body = {},
                          const std::vector<std::string>& evidence = {});

// rollout.paused / rollout.resumed. While paused the champion serves everything and nothing counts.
// Throws kFailedPrecondition when it is not open, or already so.
RolloutRow pause_rollout(storage::Transaction& transaction, const Clock& clock,
                         const std::string& id, const Change& change);
RolloutRow resume_rollout(storage::Transaction& transaction, const Clock& clock,
                          const std::string& id, const Change& change);

std::optional<RolloutRow> find_rollout(storage::Session& session, const std::string& id);
RolloutRow get_rollout(storage::Session& session, const std::string& id);  // throws kNotFound
std::optional<RolloutRow> find_active_rollout(storage::Session& session,
                                              const std::string& endpoint);  // active or paused
std::vector<RolloutRow> list_rollouts(storage::Session& session, const std::string& endpoint = "",
                                      std::int64_t limit = 100);  // newest first

// As the API shows it; `live` are the counters of the current step, where the caller has them.
json::Object to_json(const RolloutRow& rollout, const std::optional<StepCounters>& live = {});

}  // namespace slipway::serving
