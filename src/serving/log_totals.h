// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "serving/prediction_record.h"
#include "serving/rollout.h"

namespace slipway::serving {

// What a prefix of the prediction log adds up to: a pure function of its records, so that live
// counters, those after a restart and those computed from the log alone are the same.
struct LogTotals {
  std::int64_t max_seq = 0;
  std::map<std::string, TimeUs, std::less<>> watermarks;                   // by endpoint
  std::map<std::string, std::vector<StepCounters>, std::less<>> rollouts;  // by id, then step
  std::map<std::string, std::map<std::int64_t, StepCounters>, std::less<>>
      baselines;  // by endpoint, then version

  // A request: its number, the endpoint's watermark, and its counter (none for a direct one).
  void apply(const PredictionRecord& record);
  void apply_watermark(const std::string& endpoint, TimeUs event_time);
  // Counts only: a request whose record cannot be kept.
  void count(const PredictionRecord& record);
  void merge(const LogTotals& lost);

  bool empty() const { return watermarks.empty() && rollouts.empty() && baselines.empty(); }
  bool operator==(const LogTotals&) const = default;
};

// As bodies of frames (FrameKind::kLost and, behind its own head, kSnapshot):
// docs/formats/prediction-log.md.
std::string encode_totals(const LogTotals& totals);
LogTotals decode_totals(std::string_view bytes);

// The body of any frame but kSnapshot and kClosed, applied to the totals.
void apply_body(LogTotals& totals, std::string_view body);

std::string watermark_body(const std::string& endpoint, TimeUs event_time);
std::string lost_body(const LogTotals& lost);
std::string closed_body(std::int64_t next_seq);
std::int64_t next_seq_of_closed(std::string_view body);

struct Snapshot {
  std::uint32_t writer = 0;
  std::int64_t first_position = 0;  // of the segment it opens, itself included
  LogTotals before;
};
std::string snapshot_body(const Snapshot& snapshot);
Snapshot decode_snapshot(
    std::string_view body);  // throws kDataLoss; kFailedPrecondition for a newer format

}  // namespace slipway::serving
