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
#include "monitoring/loss.h"
#include "storage/database.h"

namespace slipway::monitoring {

inline constexpr std::int64_t kBoundBlocksMin =
    60;  // blocks from which an undeclared bound is estimated
inline constexpr double kBoundTolerance = 0.10;  // on top of the estimate

// Ranges and defaults of a monitor's keys. Automation's table of fields refers to them, so that
// what `plan` accepts is what is read here. Ends count, but for clip and bound, which are above 0.
inline constexpr double kClipMax = 1e12;  // of clip and bound
inline constexpr double kBudgetBlocksMin = 2;
inline constexpr double kBudgetBlocksMax = 1'000'000;
inline constexpr double kBudgetBlocksDefault = 100;
inline constexpr TimeUs kHorizonMax = 366 * kMicrosPerDay;  // from 0
inline constexpr TimeUs kHorizonDefault = kMicrosPerDay;
inline constexpr std::int64_t kMinRowsMax = 1'000'000'000;  // from 1, the default
inline constexpr std::int64_t kMinRowsDefault = 1;
inline constexpr TimeUs kBlindAfterMin = kMicrosPerSecond;
inline constexpr TimeUs kBlindAfterMax = 365 * kMicrosPerDay;
inline constexpr TimeUs kBlindAfterDefault = 14 * kMicrosPerDay;
inline constexpr std::array<std::string_view, 3> kLossNames = {"log_loss", "zero_one", "squared"};
inline constexpr std::string_view kLossDefault = "log_loss";
inline constexpr std::array<std::string_view, 3> kBlockNames = {"none", "hour", "day"};
inline constexpr std::string_view kBlockDefault = "day";
inline constexpr std::string_view kPositiveDefault = "1";

// What the detector sees one number of. Errors of neighbouring predictions are not independent, so
// days are the rule.
enum class Block { kNone, kHour, kDay };
std::string_view block_name(Block block);

// kind: Monitor. Losses are scaled to [0,1] by loss.h; `bound` is declared in the loss's own unit.
//   {endpoint, loss: log_loss|zero_one|squared, clip?, output?, positive?, block: none|hour|day
//   (=day), bound?, budget (=100),
//    horizon (=1d), min_rows (=1), blind_after (=14d), webhook?}
struct MonitorSpec {
  std::string endpoint;
  LossSpec loss;
  Block block = Block::kDay;
  std::optional<double> bound;  // absent: estimated from the first kBoundBlocksMin blocks
  double budget_blocks = kBudgetBlocksDefault;  // N: expected blocks to a false alarm, at least
  TimeUs horizon =
      kHorizonDefault;  // a block closes when the watermark has passed its end by this much
  std::int64_t min_rows = kMinRowsDefault;  // labelled rows that a block needs to be judged
  TimeUs blind_after =
      kBlindAfterDefault;  // on the watermark: no block judged for longer than this = blind
  std::string webhook;     // name of a Webhook object, "" = none
};

// Throws kInvalidArgument naming the key: unknown (with the nearest known one), missing, of a wrong
// type or out of range.
MonitorSpec parse_monitor_spec(const json::Value& spec);
json::Value to_json(
    const MonitorSpec& spec);  // every key, defaults filled in; parse(to_json(x)) == x

struct Monitor {
  std::int64_t key = 0;
  std::string name;
  MonitorSpec spec;
  json::Value spec_json;  // normalised
};

// Creates or replaces. A change of endpoint, loss, block, bound or horizon starts the monitor anew
// and has it read all logs again from their beginning; other keys change in place.
void put_monitor(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                 const json::Value& spec);
// Its blocks and state go, its alarms and events stay. kNotFound.
void delete_monitor(storage::Transaction& transaction, const std::string& name);
std::optional<Monitor> find_monitor(storage::Session& session, const std::string& name);
Monitor get_monitor(storage::Session& session, const std::string& name);  // kNotFound
std::vector<Monitor> list_monitors(storage::Session& session);

// One judged or unjudged stretch of event time.
struct BlockRow {
  TimeUs start = 0;
  TimeUs end = 0;
  std::int64_t predictions = 0;  // rows answered in it
  std::int64_t labelled = 0;     // of them, with a label before it closed
  double loss_sum = 0;           // scaled losses of the labelled rows
  double loss_sum_squares = 0;
  std::int64_t unusable =
      0;  // labelled, but without a finite loss (output NaN or missing, label of another kind)
  std::int64_t late_rows = 0;  // labels that came after it closed: counted, the verdict stays
  bool closed = false;
  bool judged = false;  // fed to the detector
  std::string skipped;  // why a closed block was not: "too few rows" …
  double value = 0;     // the detector after it
};

// Variance of daily means against what independent rows would give: one-way analysis of variance
// over UTC days, whatever the block. ratio = mean square between / mean square within,
// F-distributed (blocks - 1, rows - blocks) if rows were independent.
struct IndependenceCheck {
  std::int64_t blocks = 0;
  std::int64_t rows = 0;
  double sd_means = 0;        // of the block means, weighted by rows
  double sd_independent = 0;  // what it would be
  double ratio = 0;           // 1 = independent; NaN when it cannot be computed
  double p = 1;
  bool objects = false;  // p < 0.01: `block: none` is wrong here
};

struct MonitorStatus {
  std::string name;
  std::string state;   // "sighted" | "blind"
  std::string reason;  // why blind
  TimeUs watermark = 0;
  double value = 0;             // the detector's; +inf is possible
  double threshold = 0;         // budget_blocks
  std::optional<double> bound;  // scaled; absent while it is being estimated
  double loss_scale = 1;        // scaled = own unit / this
  std::int64_t blocks_closed = 0;
  std::int64_t blocks_judged = 0;         // ever
  std::int64_t blocks_since_restart = 0;  // judged since the detector started anew
  std::int64_t rows_predicted = 0;
  std::int64_t rows_labelled = 0;
  std::int64_t late_rows = 0;
  std::int64_t orphans = 0;
  std::int64_t alarms = 0;
  TimeUs restarted_at = 0;    // event time; 0 = never yet
  std::string restart_cause;  // "start", "alarm ULID", "version N at 100 %"
  IndependenceCheck independence;
};

MonitorStatus monitor_status(storage::Session& session, const std::string& name);  // kNotFound
std::vector<BlockRow> list_blocks(storage::Session& session, const std::string& name,
                                  std::int64_t limit);                             // newest first
IndependenceCheck check_independence(const std::vector<BlockRow>& closed_blocks);  // pure
// Losses in both units, under names that say which: `bound_loss` and `mean_loss` in the loss's own,
// `bound_scaled` and `mean_scaled` divided by `loss_scale`; `bound` and `mean` are the scaled ones.
json::Value to_json(const MonitorStatus& status);
json::Value to_json(const BlockRow& block, double loss_scale);

}  // namespace slipway::monitoring
