// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/clock.h"
#include "monitoring/monitor.h"
#include "serving/prediction_log.h"
#include "storage/database.h"

namespace slipway::monitoring {

inline constexpr std::int64_t kPredictionsPerStep = 5'000;
inline constexpr std::int64_t kLabelsPerStep = 5'000;
inline constexpr std::int64_t kEventsPerStep = 1'000;
inline constexpr std::int64_t kBlocksPerStep = 1'000;

// Follows prediction log, label log and ledger for every monitor. Each step is one write that moves
// the cursors together with what the reading led to (blocks, detector, alarms), so that a restart
// is a replay and tells the same story:
//   1. predictions are counted into blocks by their event time; moves of the endpoint's alias are
//   remembered with the event time that the
//      endpoint had seen then
//   2. labels join their predictions by id; a block's sums grow
//   3. blocks whose end the watermark has passed by the horizon close, in order: their mean goes
//   into the detector, which starts anew
//      after an alarm and, between blocks, after each version that reached 100 %
// A stage begins only when the one before has read all that there was when the step began, and the
// watermark was read before any of them: whatever was posted before the watermark moved on is
// counted. Predictions that name their version in the URL are left out. One thread calls
// work_once(); others may read the tables.
class Follower {
 public:
  Follower(storage::Database& database, const Clock& clock, serving::PredictionLog& log);

  // One bounded step for each monitor whose endpoint is in scope (empty: all). False when nothing
  // was left to do for any of them.
  using Scope = std::function<bool(const std::string& endpoint)>;
  bool work_once(const Scope& in_scope = {});

 private:
  enum class Progress { kNone, kAll, kPart };  // kPart: more of it is there
  bool follow(const Monitor& monitor);
  Progress read_predictions(const Monitor& monitor);
  Progress read_labels(const Monitor& monitor);
  bool close_blocks(const Monitor& monitor, TimeUs watermark);
  void retain(const Monitor& monitor);

  storage::Database& database_;
  const Clock& clock_;
  serving::PredictionLog& log_;
  std::map<std::string, std::int64_t> retained_;  // by monitor: what the log was last told
};

}  // namespace slipway::monitoring
