// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "ledger/event.h"
#include "monitoring/label.h"
#include "monitoring/monitor.h"
#include "monitoring/monitor_state.h"
#include "stats/distribution.h"
#include "stats/e_detector.h"

namespace slipway::monitoring {
namespace {

constexpr double kObjectsBelow = 0.01;
constexpr std::int64_t kDaysMax = 100'000;

json::Value number_or_null(double value) {
  if (std::isnan(value)) return {};
  return value;
}

// The value of a detector does not depend on its bound, only its steps do; any bound reads it.
double detector_value(const MonitorState& state) {
  const double m = state.bound.value_or(0.5);
  return stats::EDetector(m, stats::EDetectorRule::kShiryaevRoberts,
                          stats::EDetector::state_from_bytes(state.detector))
      .value();
}

std::vector<BlockRow> day_rows(storage::Session& session, std::int64_t monitor) {
  std::vector<BlockRow> rows;
  storage::Statement row = session.query(
      "SELECT day, labelled, loss_sum, loss_sum_squares FROM monitor_day WHERE monitor = ?1 "
      "ORDER BY day DESC LIMIT ?2",
      monitor, kDaysMax);
  while (row.step()) {
    BlockRow block;
    block.start = row.int64(0) * kMicrosPerDay;
    block.end = block.start + kMicrosPerDay;
    block.labelled = row.int64(1);
    block.loss_sum = row.real(2);
    block.loss_sum_squares = row.real(3);
    rows.push_back(block);
  }
  return rows;
}

}  // namespace

IndependenceCheck check_independence(const std::vector<BlockRow>& closed_blocks) {
  IndependenceCheck check;
  check.ratio = std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const BlockRow& block : closed_blocks) {
    const std::int64_t usable = block.labelled - block.unusable;
    if (usable < 1) continue;
    ++check.blocks;
    check.rows += usable;
    sum += block.loss_sum;
  }
  if (check.blocks < 2 || check.rows <= check.blocks) return check;
  const double mean = sum / static_cast<double>(check.rows);
  double between = 0;
  double within = 0;
  for (const BlockRow& block : closed_blocks) {
    const std::int64_t usable = block.labelled - block.unusable;
    if (usable < 1) continue;
    const double n = static_cast<double>(usable);
    const double block_mean = block.loss_sum / n;
    between += n * (block_mean - mean) * (block_mean - mean);
    within += std::max(0.0, block.loss_sum_squares - n * block_mean * block_mean);
  }
  const double df1 = static_cast<double>(check.blocks - 1);
  const double df2 = static_cast<double>(check.rows - check.blocks);
  const double rows_a_block = static_cast<double>(check.rows) / static_cast<double>(check.blocks);
  check.sd_means = std::sqrt(between / df1 / rows_a_block);
  check.sd_independent = std::sqrt(within / df2 / rows_a_block);
  if (within <= 0) return check;
  check.ratio = (between / df1) / (within / df2);
  check.p = stats::f_sf(check.ratio, df1, df2);
  check.objects = check.p < kObjectsBelow;
  return check;
}

MonitorStatus monitor_status(storage::Session& session, const std::string& name) {
  const Monitor monitor = get_monitor(session, name);
  const MonitorState state = load_state(session, monitor.key);
  MonitorStatus status;
  status.name = name;
  status.state = state.sighted ? "sighted" : "blind";
  status.reason = state.sighted ? std::string() : state.reason;
  status.watermark = state.watermark;
  status.value = detector_value(state);
  status.threshold = monitor.spec.budget_blocks;
  status.bound = state.bound;
  status.loss_scale = loss_scale(monitor.spec.loss);
  if (!status.bound && monitor.spec.bound) {
    status.bound = *monitor.spec.bound / status.loss_scale;
  }
  status.blocks_closed = state.blocks_closed;
  status.blocks_judged = state.blocks_judged;
  status.blocks_since_restart = state.blocks_since_restart;
  status.rows_predicted = state.rows_predicted;
  status.rows_labelled = state.rows_labelled;
  status.late_rows = state.late_rows;
  status.orphans = count_labels(session, monitor.spec.endpoint).orphans;
  status.alarms = state.alarms;
  status.restarted_at = state.restarted_at;
  status.restart_cause = state.restart_cause;
  status.independence = check_independence(day_rows(session, monitor.key));
  return status;
}

std::vector<BlockRow> list_blocks(storage::Session& session, const std::string& name,
                                  std::int64_t limit) {
  const Monitor monitor = get_monitor(session, name);
  std::vector<BlockRow> blocks;
  storage::Statement row = session.query(
      "SELECT start_at, end_at, predictions, labelled, loss_sum, loss_sum_squares, unusable, "
      "late_rows, closed, judged, skipped, value FROM monitor_block WHERE monitor = ?1 "
      "ORDER BY start_at DESC, ordinal DESC LIMIT ?2",
      monitor.key, limit);
  while (row.step()) {
    BlockRow block;
    block.start = row.int64(0);
    block.end = row.int64(1);
    block.predictions = row.int64(2);
    block.labelled = row.int64(3);
    block.loss_sum = row.real(4);
    block.loss_sum_squares = row.real(5);
    block.unusable = row.int64(6);
    block.late_rows = row.int64(7);
    block.closed = row.int64(8) != 0;
    block.judged = row.int64(9) != 0;
    block.skipped = row.text(10);
    block.value = row.real(11);
    blocks.push_back(std::move(block));
  }
  return blocks;
}

json::Value to_json(const BlockRow& block, double loss_scale) {
  const std::int64_t usable = block.labelled - block.unusable;
  json::Value mean;
  json::Value mean_loss;
  if (usable > 0) {
    const double scaled = block.loss_sum / static_cast<double>(usable);
    mean = scaled;
    mean_loss = scaled * loss_scale;
  }
  return json::Object{{"start", format_time(block.start)},
                      {"end", format_time(block.end)},
                      {"predictions", block.predictions},
                      {"labelled", block.labelled},
                      {"unusable", block.unusable},
                      {"mean_loss", std::move(mean_loss)},
                      {"mean_scaled", mean},
                      {"mean", mean},
                      {"late_rows", block.late_rows},
                      {"closed", block.closed},
                      {"judged", block.judged},
                      {"skipped", block.skipped},
                      {"value", block.value}};
}

json::Value to_json(const MonitorStatus& status) {
  json::Value bound;
  json::Value bound_loss;
  if (status.bound) {
    bound = *status.bound;
    bound_loss = *status.bound * status.loss_scale;
  }
  const IndependenceCheck& check = status.independence;
  json::Object independence{{"blocks", check.blocks},
                            {"rows", check.rows},
                            {"sd_means", check.sd_means},
                            {"sd_independent", check.sd_independent},
                            {"ratio", number_or_null(check.ratio)},
                            {"p", check.p},
                            {"objects", check.objects}};
  return json::Object{{"name", status.name},
                      {"state", status.state},
                      {"reason", status.reason},
                      {"watermark", ledger::time_or_null(status.watermark)},
                      {"value", status.value},
                      {"threshold", status.threshold},
                      {"bound_loss", std::move(bound_loss)},
                      {"bound_scaled", bound},
                      {"loss_scale", status.loss_scale},
                      {"bound", bound},
                      {"blocks_closed", status.blocks_closed},
                      {"blocks_judged", status.blocks_judged},
                      {"blocks_since_restart", status.blocks_since_restart},
                      {"rows_predicted", status.rows_predicted},
                      {"rows_labelled", status.rows_labelled},
                      {"late_rows", status.late_rows},
                      {"orphans", status.orphans},
                      {"alarms", status.alarms},
                      {"restarted_at", ledger::time_or_null(status.restarted_at)},
                      {"restart_cause", status.restart_cause},
                      {"independence", std::move(independence)}};
}

}  // namespace slipway::monitoring
