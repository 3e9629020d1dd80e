// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "monitoring/monitor.h"
#include "storage/database.h"

namespace slipway::monitoring {

// A version reached 100 % when the endpoint had seen this event time; blocks that closed before are
// judged first.
struct Restart {
  TimeUs at = 0;
  std::string cause;
  bool operator==(const Restart&) const = default;
};

// What a follower knows of one monitor: a row that moves in the same write as its cursors.
struct MonitorState {
  std::string detector;         // stats::EDetector::state_bytes
  std::optional<double> bound;  // scaled; absent while it is being estimated
  bool sighted = false;
  std::string reason;            // why blind
  TimeUs seen_through = 0;       // largest event time among the predictions read so far
  std::vector<Restart> pending;  // read, not yet applied; oldest first
  TimeUs watermark = 0;          // up to which blocks were closed
  TimeUs not_before =
      0;  // blocks that start earlier are not judged: another version answered in them
  TimeUs restarted_at = 0;  // event time; 0 = never yet
  std::string restart_cause = "start";
  TimeUs closed_through = 0;  // largest end of a closed block
  TimeUs judged_through = 0;  // likewise, of a judged one
  std::int64_t blocks_closed = 0;
  std::int64_t blocks_judged = 0;
  std::int64_t blocks_since_restart = 0;
  std::int64_t rows_predicted = 0;
  std::int64_t rows_labelled = 0;
  std::int64_t late_rows = 0;
  std::int64_t alarms = 0;
};

MonitorState load_state(storage::Session& session, std::int64_t monitor);
void save_state(storage::Transaction& transaction, std::int64_t monitor, const MonitorState& state);

// A detector that has seen nothing, cursors at the beginning of all logs, no blocks.
void reset_monitor(storage::Transaction& transaction, std::int64_t monitor);
void clear_monitor(storage::Transaction& transaction,
                   std::int64_t monitor);  // blocks, days and cursors alone

// Names of the three cursors in ledger/cursor.h; positions are the next to read.
enum class Log { kPredictions, kLabels, kEvents };
std::string cursor_name(std::int64_t monitor, Log log);

// One row of monitor_block.
struct BlockKey {
  TimeUs start = 0;
  std::int64_t ordinal = 0;
  bool operator==(const BlockKey&) const = default;
};
struct StoredBlock : BlockRow {
  BlockKey key;
  std::int64_t first_position = 0;
};
std::optional<StoredBlock> find_block(storage::Session& session, std::int64_t monitor,
                                      const BlockKey& key);
void save_block(storage::Transaction& transaction, std::int64_t monitor,
                const StoredBlock& block);  // inserts or replaces

// Open blocks whose end is at or before `end`, in order of end, start and ordinal.
std::vector<StoredBlock> open_blocks(storage::Session& session, std::int64_t monitor, TimeUs end,
                                     std::int64_t limit);
// The smallest log position that an open block was made from; nullopt without one.
std::optional<std::int64_t> first_open_position(storage::Session& session, std::int64_t monitor);
// The last `limit` judged blocks, oldest first.
std::vector<StoredBlock> judged_blocks(storage::Session& session, std::int64_t monitor,
                                       std::int64_t limit);
// Closed blocks that waited for an estimated bound, oldest first.
std::vector<StoredBlock> blocks_for_bound(storage::Session& session, std::int64_t monitor);

inline constexpr const char* kForBound = "used to estimate the bound";

// Adds to the sums of a UTC day.
void add_to_day(storage::Transaction& transaction, std::int64_t monitor, TimeUs time,
                std::int64_t labelled, double loss, double loss_squared);

}  // namespace slipway::monitoring
