// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "serving/prediction_record.h"
#include "serving/rollout.h"

namespace slipway::serving {

// The file door of the log: what it does to its newest segment. A faulty twin stands in
// prediction_log_test.cc.
class SegmentSink {
 public:
  virtual ~SegmentSink() = default;
  virtual void write(int fd, std::string_view bytes);  // all of it, at the end; throws errno_error
  virtual void sync(int fd);                           // fdatasync
};

// Every prediction, kept: segments of records with length and CRC-32C in one folder
// (docs/formats/prediction-log.md).
//
// append() hands a record over and returns; a writer thread writes and syncs what has gathered at
// least every kSyncMs. So an answer may be ahead of its record by that much: after a crash or kill
// -9 the last records can be missing, never ones in the middle, and their numbers are not given
// again. Under overload (more than queue_bytes_max waiting) records go without inputs and outputs
// and say so. When the disk takes nothing, requests still count: beyond kQueueRecordsMax only their
// counters are kept, and written once the disk takes bytes again.
//
// Thread-safe.
class PredictionLog {
 public:
  struct Options {
    std::filesystem::path folder;                   // made if missing
    std::uint32_t writer = 1;                       // of this log; fixed when the folder is made
    std::uint64_t segment_bytes_max = 64ULL << 20;  // then it is sealed
    std::uint64_t bytes_max =
        4ULL << 30;  // all segments; then the oldest sealed one is dropped, unless retained
    std::uint64_t queue_bytes_max = 64ULL << 20;
  };
  static constexpr int kSyncMs = 10;
  static constexpr std::int64_t kQueueRecordsMax = 100'000;
  static constexpr std::int64_t kSeqSkip =
      1'000'000;  // after an unclean end: more than can have been answered but not written
  static constexpr std::int64_t kPageMax = 10'000;
  static constexpr std::uint64_t kRecordBytesMax = 256ULL << 20;

  // Opens the folder, checks the newest segment and cuts off a torn tail (which is logged).
  // `clock`, `metrics` and `sink` outlive it. Throws errno_error; kFailedPrecondition for a folder
  // of a newer format; kUnavailable when another process has it open.
  PredictionLog(const Options& options, const Clock& clock, metrics::Registry& metrics,
                SegmentSink* sink = nullptr);
  ~PredictionLog();  // writes what is waiting
  PredictionLog(const PredictionLog&) = delete;
  PredictionLog& operator=(const PredictionLog&) = delete;

  // The next request's name. Never the same twice, also over restarts.
  PredictionId next_id();

  // Takes the record (its `position` and `sampled` are set here), counts it, moves the endpoint's
  // watermark to its event_time. Never blocks on the disk.
  void append(PredictionRecord record);

  // Waits until all that was appended before is written and synced. Throws kResourceExhausted when
  // that takes longer than `timeout_ms`, or after half a second while trouble() stands.
  void flush(int timeout_ms = 10'000);

  // Up to `max` (<= kPageMax) synced records with position >= `from`, in order. Records that were
  // dropped or damaged are left out: the next page starts behind the last position returned.
  // Without payload the tensors are left empty, which is quicker. Throws errno_error.
  std::vector<PredictionRecord> read_from(std::int64_t from, std::int64_t max,
                                          bool with_payload = true) const;

  // Calls for each record in [from, to) in order until it returns false: read_from in pages.
  void each(std::int64_t from, std::int64_t to, bool with_payload,
            const std::function<bool(const PredictionRecord&)>& visit) const;

  // The event time of the endpoint's first synced record with position >= `from`; 0 when there is
  // none. Throws errno_error.
  TimeUs first_event_time(const std::string& endpoint, std::int64_t from) const;

  // The record of that name; nullopt when it never was, is not yet synced, or its segment was
  // dropped.
  std::optional<PredictionRecord> find(const PredictionId& id) const;

  std::int64_t first_position() const;   // of the oldest kept; == end_position() when empty
  std::int64_t end_position() const;     // that the next append gets
  std::int64_t synced_position() const;  // records below this are readable

  // No segment with a position >= `position` is dropped until the holder moves on. Holders:
  // "rollout:ID", "monitor:NAME". INT64_MAX releases. Kept over restarts.
  void retain_from(const std::string& holder, std::int64_t position);

  // Who holds segments at the moment, of the names that begin so; sorted.
  std::vector<std::string> holders(std::string_view prefix) const;

  // The largest event time that the endpoint has seen, in requests or by advance_watermark; 0
  // before any. Never goes back, durable with the log.
  TimeUs watermark(const std::string& endpoint) const;
  TimeUs advance_watermark(const std::string& endpoint,
                           TimeUs event_time);  // returns the watermark that holds then

  // Live counters of a rollout step; and, for requests outside of any rollout, of a version at an
  // endpoint since it first served there (the newest kVersionsCounted versions are kept). They
  // include everything appended, and equal what recount() finds once flushed. Kept over restarts.
  StepCounters counters(const std::string& rollout, int step) const;
  StepCounters baseline(const std::string& endpoint, std::int64_t version) const;
  static constexpr std::size_t kVersionsCounted = 8;   // an endpoint
  static constexpr std::size_t kRolloutsCounted = 64;  // newest

  // Counters of every rollout that has records at `from` or later, computed from what is on disk
  // alone.
  std::map<std::string, std::vector<StepCounters>> recount_rollouts(std::int64_t from) const;

  std::uint32_t writer() const;
  std::uint64_t bytes() const;             // of all segments on disk
  std::int64_t payloads_left_out() const;  // since the start
  std::optional<std::string> trouble()
      const;  // why nothing is written at the moment; nullopt when all is well

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The counters of each step of a rollout, computed from the log alone, from `from`
// (RolloutRow::log_position) to the end that is synced. By step, as many as `steps`.
std::vector<StepCounters> recount(const PredictionLog& log, const std::string& rollout,
                                  std::int64_t from, std::size_t steps);

}  // namespace slipway::serving
