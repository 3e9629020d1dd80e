// SPDX-License-Identifier: Apache-2.0
#include "monitoring/closing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ledger/event.h"
#include "monitoring/alarm.h"
#include "stats/e_detector.h"
#include "stats/risk_bound.h"

namespace slipway::monitoring {
namespace {

constexpr double kBoundAlpha = 0.01;
constexpr stats::EDetectorRule kRule = stats::EDetectorRule::kShiryaevRoberts;

std::int64_t usable_rows(const StoredBlock& block) { return block.labelled - block.unusable; }

// REQUIRES: usable_rows(block) > 0.
double block_mean(const StoredBlock& block) {
  return std::clamp(block.loss_sum / static_cast<double>(usable_rows(block)), 0.0, 1.0);
}

// As a reader sees it: "2013-03-02", or "2013-03-02 05:00:07 UTC" where it is not a day's
// beginning.
std::string time_text(TimeUs time) {
  const std::string text = format_time(time);
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kSecond = 19;
  if (time % kMicrosPerDay == 0) return text.substr(0, kDate);
  return text.substr(0, kDate) + " " + text.substr(kDate + 1, kSecond - kDate - 1) + " UTC";
}

std::optional<double> bound_of(const Monitor& monitor, const MonitorState& state) {
  if (state.bound) return state.bound;
  if (monitor.spec.bound) return *monitor.spec.bound / loss_scale(monitor.spec.loss);
  return std::nullopt;
}

// Everything that one call of close_ready_blocks works on.
class Closing {
 public:
  Closing(storage::Transaction& transaction, const Clock& clock, const Monitor& monitor,
          MonitorState& state)
      : transaction_(transaction), clock_(clock), monitor_(monitor), state_(state) {}

  // Blocks that close at or before `time`; false when `limit` was reached first.
  bool close_until(TimeUs time, std::int64_t& limit) {
    const TimeUs end_max = time - monitor_.spec.horizon;
    for (StoredBlock& block : open_blocks(transaction_, monitor_.key, end_max, limit)) {
      close(block);
      --limit;
    }
    return limit > 0;
  }

  void restart(const Restart& restart) {
    state_.not_before = restart.at;
    start_anew(restart.at, restart.cause);
  }

 private:
  void close(StoredBlock& block) {
    block.closed = true;
    block.skipped = reason_to_skip(block);
    ++state_.blocks_closed;
    state_.closed_through = std::max(state_.closed_through, block.end);
    if (block.skipped.empty()) {
      judge(block);
    } else {
      save_block(transaction_, monitor_.key, block);
      if (block.skipped == kForBound) estimate_bound();
    }
    look_around(block);
  }

  std::string reason_to_skip(const StoredBlock& block) const {
    if (block.start < state_.not_before) return "began before " + state_.restart_cause;
    if (block.labelled == 0) return "no labels";
    if (usable_rows(block) < monitor_.spec.min_rows) {
      std::string reason = "too few rows: " + std::to_string(usable_rows(block));
      reason += " with a loss, " + std::to_string(monitor_.spec.min_rows) + " needed";
      return reason;
    }
    if (usable_rows(block) == 0) return "no label has a loss";
    if (!bound_of(monitor_, state_)) return kForBound;
    return "";
  }

  void estimate_bound() {
    const std::vector<StoredBlock> blocks = blocks_for_bound(transaction_, monitor_.key);
    const auto n = static_cast<std::int64_t>(blocks.size());
    if (n < kBoundBlocksMin) {
      state_.reason = "its bound is being estimated: " + std::to_string(n);
      state_.reason += " of " + std::to_string(kBoundBlocksMin) + " blocks";
      return;
    }
    double sum = 0;
    for (const StoredBlock& block : blocks) sum += block_mean(block);
    const double mean = sum / static_cast<double>(n);
    double squares = 0;
    for (const StoredBlock& block : blocks) {
      squares += (block_mean(block) - mean) * (block_mean(block) - mean);
    }
    const double sd = std::sqrt(squares / static_cast<double>(n - 1));
    const double m = stats::risk_upper_bound(mean, n, sd, kBoundAlpha, kBoundTolerance).m;
    // A detector needs a bound below 1; one at 1 can never be exceeded, which the value then shows.
    state_.bound = std::min(m, 1 - 1e-9);
  }

  void judge(StoredBlock& block) {
    stats::EDetector detector(*bound_of(monitor_, state_), kRule,
                              stats::EDetector::state_from_bytes(state_.detector));
    block.value = detector.update(block_mean(block));
    block.judged = true;
    state_.detector = detector.state_bytes();
    ++state_.blocks_judged;
    ++state_.blocks_since_restart;
    state_.judged_through = std::max(state_.judged_through, block.end);
    save_block(transaction_, monitor_.key, block);
    if (block.value >= monitor_.spec.budget_blocks) alarm(block);
  }

  void alarm(const StoredBlock& block) {
    const std::vector<StoredBlock> blocks = judged_blocks(
        transaction_, monitor_.key, std::min(state_.blocks_since_restart, kEvidenceBlocksMax));
    double sum = 0;
    for (const StoredBlock& judged : blocks) sum += block_mean(judged);
    Alarm alarm;
    alarm.monitor = monitor_.name;
    alarm.endpoint = monitor_.spec.endpoint;
    alarm.block_start = block.start;
    alarm.event_time = block.end + monitor_.spec.horizon;
    alarm.value = block.value;
    alarm.threshold = monitor_.spec.budget_blocks;
    alarm.bound = *bound_of(monitor_, state_);
    const double scale = loss_scale(monitor_.spec.loss);
    alarm.mean_loss = sum / static_cast<double>(blocks.size()) * scale;
    alarm.block_mean_loss = block_mean(block) * scale;
    alarm.loss_scale = scale;
    alarm.blocks = state_.blocks_since_restart;
    const Alarm raised =
        raise_alarm(transaction_, clock_, alarm, evidence_of(alarm, blocks), monitor_.spec.webhook);
    ++state_.alarms;
    start_anew(block.end, "alarm " + raised.id);
  }

  // Enough to compute the alarm again: `input` goes into `slipway stats e-detector` as it stands.
  json::Value evidence_of(const Alarm& alarm, const std::vector<StoredBlock>& blocks) const {
    json::Array means;
    json::Array rows;
    for (const StoredBlock& block : blocks) {
      means.emplace_back(block_mean(block));
      rows.emplace_back(json::Object{{"start", format_time(block.start)},
                                     {"predictions", block.predictions},
                                     {"labelled", block.labelled},
                                     {"unusable", block.unusable},
                                     {"mean", block_mean(block)},
                                     {"value", block.value}});
    }
    json::Object input{
        {"x", std::move(means)}, {"m", alarm.bound}, {"n", alarm.threshold}, {"rule", "sr"}};
    return json::Object{
        {"monitor", monitor_.name},
        {"endpoint", alarm.endpoint},
        {"spec", to_json(monitor_.spec)},
        {"bound_estimated", !monitor_.spec.bound.has_value()},
        {"restarted_at",
         state_.restarted_at > 0 ? json::Value(format_time(state_.restarted_at)) : json::Value()},
        {"restart_cause", state_.restart_cause},
        {"loss_scale", loss_scale(monitor_.spec.loss)},
        {"statistic", "e-detector"},
        {"input", std::move(input)},
        {"value", alarm.value},
        {"blocks", std::move(rows)},
        {"truncated", state_.blocks_since_restart > kEvidenceBlocksMax}};
  }

  void start_anew(TimeUs at, const std::string& cause) {
    stats::EDetector detector(bound_of(monitor_, state_).value_or(0.5), kRule);
    state_.detector = detector.state_bytes();
    state_.blocks_since_restart = 0;
    state_.restarted_at = at;
    state_.restart_cause = cause;
    if (monitor_.spec.block == Block::kNone) {
      // One row a prediction: what an alarm could still need are those from here on.
      transaction_.execute(
          "DELETE FROM monitor_block WHERE monitor = ?1 AND closed = 1 AND "
          "skipped <> ?2",
          monitor_.key, kForBound);
    }
  }

  // REQUIRES: the block was just closed.
  void look_around(const StoredBlock& block) {
    const TimeUs time = block.end + monitor_.spec.horizon;
    if (block.judged) {
      if (!state_.sighted)
        change_sight(true, time, "block " + time_text(block.start) + " was judged");
      return;
    }
    if (block.skipped == kForBound) return;
    const TimeUs since = std::max(state_.judged_through, state_.restarted_at);
    std::string reason = "no block ";
    reason +=
        state_.judged_through > 0 ? "was judged since " + time_text(since) : "has been judged";
    reason += "; the newest, " + time_text(block.start);
    reason += ": " + block.skipped;
    if (!state_.sighted) {
      state_.reason = reason;
    } else if (block.end - since > monitor_.spec.blind_after) {
      change_sight(false, time, reason);
    }
  }

  void change_sight(bool sighted, TimeUs time, const std::string& reason) {
    state_.sighted = sighted;
    state_.reason = sighted ? std::string() : reason;
    ledger::Event event;
    event.type = sighted ? "monitor.sighted" : "monitor.blind";
    event.subject = "monitor:" + monitor_.name;
    event.actor = "automation:monitor/" + monitor_.name;
    event.event_time = time;
    event.body = {{"endpoint", monitor_.spec.endpoint}, {"reason", reason}};
    ledger::append(transaction_, clock_, event);
  }

  storage::Transaction& transaction_;
  const Clock& clock_;
  const Monitor& monitor_;
  MonitorState& state_;
};

}  // namespace

bool has_ready_blocks(storage::Session& session, const Monitor& monitor, const MonitorState& state,
                      TimeUs watermark) {
  return !state.pending.empty() ||
         !open_blocks(session, monitor.key, watermark - monitor.spec.horizon, 1).empty();
}

bool close_ready_blocks(storage::Transaction& transaction, const Clock& clock,
                        const Monitor& monitor, MonitorState& state, TimeUs watermark,
                        std::int64_t limit) {
  if (!has_ready_blocks(transaction, monitor, state, watermark)) return false;
  Closing closing(transaction, clock, monitor, state);
  while (!state.pending.empty()) {
    if (!closing.close_until(std::min(state.pending.front().at, watermark), limit)) return true;
    closing.restart(state.pending.front());
    state.pending.erase(state.pending.begin());
  }
  closing.close_until(watermark, limit);
  state.watermark = std::max(state.watermark, watermark);
  return true;
}

}  // namespace slipway::monitoring
