// SPDX-License-Identifier: Apache-2.0
#include "serving/prediction_log.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <fcntl.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mutex.h"
#include "serving/crc32c.h"
#include "serving/log_folder.h"
#include "serving/log_frame.h"
#include "serving/log_totals.h"
#include "serving/segment.h"

namespace slipway::serving {
namespace {

constexpr int kRetryMs = 200;
constexpr int kFlushTroubledMs = 500;  // two tries; longer would hold up readers on the same pool

}  // namespace

void SegmentSink::write(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      throw errno_error(errno, "cannot write the prediction log");
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void SegmentSink::sync(int fd) {
  if (::fdatasync(fd) != 0) throw errno_error(errno, "cannot sync the prediction log");
}

struct PredictionLog::State {
  State(const Options& given, const Clock& the_clock, metrics::Registry& registry,
        SegmentSink* given_sink)
      : options(given),
        clock(the_clock),
        sink(given_sink != nullptr ? *given_sink : own_sink),
        folder(given.folder, given.writer),
        records_total(registry.counter("slipway_prediction_log_records_total",
                                       "Predictions handed to the log.")),
        sampled_total(
            registry.counter("slipway_prediction_log_sampled_total",
                             "Predictions logged without inputs and outputs under overload.")),
        lost_total(registry.counter(
            "slipway_prediction_log_lost_total",
            "Predictions of which only the counters were kept, for want of disk.")),
        faults_total(
            registry.counter("slipway_prediction_log_faults_total",
                             "Writes of the prediction log that failed and were tried again.")),
        bytes_gauge(registry.gauge("slipway_prediction_log_bytes",
                                   "Size of the prediction log on disk.")) {}

  // Constant after construction.
  const Options options;
  const Clock& clock;
  SegmentSink own_sink;
  SegmentSink& sink;
  LogFolder folder;
  metrics::Counter& records_total;
  metrics::Counter& sampled_total;
  metrics::Counter& lost_total;
  metrics::Counter& faults_total;
  metrics::Gauge& bytes_gauge;

  std::atomic<std::int64_t> next_seq{1};
  std::atomic<std::uint64_t> queued_bytes{0};
  std::atomic<std::int64_t> payloads_left_out{0};

  // What requests touch.
  mutable Mutex mutex;
  CondVar wake;      // the writer: something waits
  CondVar progress;  // flush(): something was synced, or failed
  std::string pending GUARDED_BY(mutex);
  std::int64_t pending_records GUARDED_BY(mutex) = 0;
  LogTotals lost GUARDED_BY(mutex);
  std::int64_t next_position GUARDED_BY(mutex) = 1;
  std::int64_t synced GUARDED_BY(mutex) = 1;  // positions below it are readable
  LogTotals totals GUARDED_BY(mutex);         // of everything appended
  std::optional<std::string> trouble GUARDED_BY(mutex);
  bool hurry GUARDED_BY(mutex) = false;
  bool stop GUARDED_BY(mutex) = false;

  // What readers touch.
  mutable Mutex segments_mutex;
  std::vector<std::shared_ptr<Segment>> segments GUARDED_BY(segments_mutex);
  std::map<std::string, std::int64_t> retained GUARDED_BY(segments_mutex);
  bool retained_unwritten GUARDED_BY(segments_mutex) = false;  // the disk took the last change not

  // The writer thread's own.
  Fd out;
  std::uint64_t out_bytes = 0;  // of the newest segment, all synced
  LogTotals written;            // of everything synced
  std::thread writer;

  void open();
  void run();
  bool write_batch(const std::string& batch);
  void start_segment(std::int64_t first_position);
  void drop_old();
  void set_trouble(const Error& error);
  std::vector<std::shared_ptr<Segment>> all_segments() const;
  void put_frame(const std::string& body, std::uint32_t crc) REQUIRES_LOCK(mutex);
};

void PredictionLog::State::open() {
  std::vector<std::shared_ptr<Segment>> found = folder.open_segments();
  if (!found.empty()) {
    Recovered recovered = recover(*found.back(), kSeqSkip);
    if (recovered.torn_bytes > 0 || recovered.damaged > 0) {
      log::warning("prediction log: the last run did not end cleanly",
                   {{"file", found.back()->path().string()},
                    {"bytes_cut", std::to_string(recovered.torn_bytes)},
                    {"records_damaged", std::to_string(recovered.damaged)}});
    }
    out.reset(::open(found.back()->path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!out) throw errno_error(errno, "cannot open `" + found.back()->path().string() + "`");
    out_bytes = found.back()->bytes();
    written = recovered.totals;
    next_seq = recovered.next_seq;
    const MutexLock lock(mutex);
    totals = written;
    next_position = synced = recovered.next_position;
  }
  const MutexLock lock(segments_mutex);
  segments = std::move(found);
  retained = folder.read_retained();
}

std::vector<std::shared_ptr<Segment>> PredictionLog::State::all_segments() const {
  const MutexLock lock(segments_mutex);
  return segments;
}

void PredictionLog::State::put_frame(const std::string& body, std::uint32_t crc) {
  const std::size_t before = pending.size();
  append_frame(pending, body, crc, next_position++);
  queued_bytes += pending.size() - before;
}

void PredictionLog::State::run() {
  std::string batch;
  std::int64_t batch_end = 0;
  std::int64_t batch_records = 0;
  while (true) {
    {
      const MutexLock lock(mutex);
      while (batch.empty() && pending.empty() && lost.empty() && !stop) wake.wait(mutex);
      if (batch.empty() && pending.empty() && lost.empty() && stop) return;
      // A moment for others to join, so that one sync serves many.
      const auto gathered = std::chrono::steady_clock::now() + std::chrono::milliseconds(kSyncMs);
      while (batch.empty() && !hurry && !stop) {
        const auto left = gathered - std::chrono::steady_clock::now();
        if (left <= left.zero()) break;
        wake.wait_for(mutex, left);
      }
      if (batch.empty()) {
        if (!lost.empty()) {
          const std::string body = lost_body(lost);
          put_frame(body, crc32c(body));
          lost = {};
        }
        batch.swap(pending);
        batch_end = next_position;
        batch_records = std::exchange(pending_records, 0);
      }
    }
    const bool done = write_batch(batch);
    const MutexLock lock(mutex);
    if (done) {
      queued_bytes -= batch.size();
      batch.clear();
      synced = batch_end;
      trouble.reset();
      hurry = false;
      progress.notify_all();
      continue;
    }
    faults_total.add();
    progress.notify_all();
    if (stop) {
      log::error("prediction log: ends with records that could not be written",
                 {{"records", std::to_string(batch_records)}});
      return;
    }
    wake.wait_for(mutex, std::chrono::milliseconds(kRetryMs));
  }
}

void PredictionLog::State::set_trouble(const Error& error) {
  const MutexLock lock(mutex);
  if (!trouble) log::error("prediction log: nothing can be written", {{"reason", error.what()}});
  trouble = error.what();
}

bool PredictionLog::State::write_batch(const std::string& batch) {
  Frame first;
  const FrameFault fault = read_frame(batch, first);
  assert(fault == FrameFault::kNone);
  static_cast<void>(fault);
  try {
    if (!out || out_bytes + batch.size() > options.segment_bytes_max) start_segment(first.position);
    try {
      sink.write(out.get(), batch);
      sink.sync(out.get());
    } catch (const Error&) {
      // Whatever part of it got there would be taken for records that follow.
      if (::ftruncate(out.get(), static_cast<off_t>(out_bytes)) != 0) out.reset();
      throw;
    }
  } catch (const Error& error) {
    set_trouble(error);
    return false;
  }
  out_bytes += batch.size();
  for (std::string_view rest(batch); !rest.empty();) {
    Frame frame;
    read_frame(rest, frame);
    apply_body(written, frame.body);
    rest.remove_prefix(frame.bytes);
  }
  const auto all = all_segments();
  all.back()->set_bytes(out_bytes);
  std::uint64_t total = 0;
  for (const auto& segment : all) total += segment->bytes();
  bytes_gauge.set(static_cast<double>(total));
  return true;
}

void PredictionLog::State::start_segment(std::int64_t first_position) {
  // The snapshot has the place before the first record: positions are unique, and the file's name
  // says the first one within.
  Snapshot snapshot{options.writer, first_position - 1, written};
  LogFolder::NewSegment made = folder.make_segment(snapshot);
  try {
    sink.write(made.fd.get(), made.head);
    sink.sync(made.fd.get());
    folder.sync_folder();
  } catch (const Error&) {
    std::error_code ignored;
    std::filesystem::remove(made.path, ignored);
    throw;
  }
  std::shared_ptr<Segment> opened = Segment::open(made.path);
  out = std::move(made.fd);
  out_bytes = made.head.size();
  {
    const MutexLock lock(segments_mutex);
    segments.push_back(std::move(opened));
  }
  drop_old();
}

void PredictionLog::State::drop_old() {
  const MutexLock lock(segments_mutex);
  std::uint64_t total = 0;
  for (const auto& segment : segments) total += segment->bytes();
  std::int64_t needed = INT64_MAX;
  for (const auto& [holder, position] : retained) needed = std::min(needed, position);
  while (total > options.bytes_max && segments.size() > 1) {
    const std::int64_t behind =
        segments[1]->first_position() + 1;  // the first record that it does not hold
    if (behind > needed) {
      log::warning("prediction log: over its size, but the oldest records are still needed",
                   {{"needed_from", std::to_string(needed)}});
      return;
    }
    total -= segments.front()->bytes();
    std::error_code ignored;
    std::filesystem::remove(segments.front()->path(), ignored);
    segments.erase(segments.begin());
  }
}

PredictionLog::PredictionLog(const Options& options, const Clock& clock, metrics::Registry& metrics,
                             SegmentSink* sink)
    : state_(std::make_unique<State>(options, clock, metrics, sink)) {
  state_->open();
  state_->writer = std::thread([this] { state_->run(); });
}

PredictionLog::~PredictionLog() {
  {
    const MutexLock lock(state_->mutex);
    const std::string body = closed_body(state_->next_seq);
    // A log that nobody wrote to stays without files.
    if (state_->next_position > 1) state_->put_frame(body, crc32c(body));
    state_->stop = true;
    state_->wake.notify_all();
  }
  state_->writer.join();
}

PredictionId PredictionLog::next_id() {
  return {state_->options.writer, state_->next_seq.fetch_add(1)};
}

void PredictionLog::append(PredictionRecord record) {
  State& state = *state_;
  record.sampled = state.queued_bytes > state.options.queue_bytes_max;
  const std::string body = encode(record);
  const std::uint32_t crc = crc32c(body);
  state.records_total.add();
  if (record.sampled) {
    state.sampled_total.add();
    ++state.payloads_left_out;
  }
  const MutexLock lock(state.mutex);
  const bool first = state.pending.empty();
  state.totals.apply(record);
  if (state.pending_records >= kQueueRecordsMax) {
    state.lost.apply(record);
    state.lost_total.add();
  } else {
    state.put_frame(body, crc);
    ++state.pending_records;
  }
  if (first) state.wake.notify_one();  // the writer gathers the others by the clock
}

void PredictionLog::flush(int timeout_ms) {
  const auto begun = std::chrono::steady_clock::now();
  const auto deadline = begun + std::chrono::milliseconds(timeout_ms);
  const auto troubled_deadline = begun + std::chrono::milliseconds(kFlushTroubledMs);
  const MutexLock lock(state_->mutex);
  const std::int64_t target = state_->next_position;
  while (state_->synced < target || !state_->lost.empty()) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline || (state_->trouble && now >= troubled_deadline)) {
      throw Error(
          Code::kResourceExhausted,
          "the prediction log takes nothing: " + state_->trouble.value_or("the disk is too slow"),
          "free space on the disk of the store");
    }
    state_->hurry = true;
    state_->wake.notify_all();
    state_->progress.wait_for(state_->mutex, std::chrono::milliseconds(20));
  }
}

std::vector<PredictionRecord> PredictionLog::read_from(std::int64_t from, std::int64_t max,
                                                       bool with_payload) const {
  assert(max >= 0 && max <= kPageMax);
  std::vector<PredictionRecord> records;
  if (max == 0) return records;
  const auto segments = state_->all_segments();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i + 1 < segments.size() && segments[i + 1]->first_position() < from) continue;
    segments[i]->visit_from(from, [&](const Frame& frame) {
      if (frame_kind(frame.body) != FrameKind::kPrediction) return true;
      records.push_back(decode_prediction(frame.body, with_payload));
      records.back().position = frame.position;
      return static_cast<std::int64_t>(records.size()) < max;
    });
    if (static_cast<std::int64_t>(records.size()) >= max) break;
  }
  return records;
}

void PredictionLog::each(std::int64_t from, std::int64_t to, bool with_payload,
                         const std::function<bool(const PredictionRecord&)>& visit) const {
  constexpr std::int64_t kPage = 1'000;
  while (from < to) {
    const auto records = read_from(from, kPage, with_payload);
    for (const PredictionRecord& record : records) {
      if (record.position >= to || !visit(record)) return;
    }
    if (static_cast<std::int64_t>(records.size()) < kPage) return;
    from = records.back().position + 1;
  }
}

TimeUs PredictionLog::first_event_time(const std::string& endpoint, std::int64_t from) const {
  TimeUs first = 0;
  each(from, end_position(), false, [&](const PredictionRecord& record) {
    if (record.endpoint == endpoint) first = record.event_time;
    return first == 0;
  });
  return first;
}

std::optional<PredictionRecord> PredictionLog::find(const PredictionId& id) const {
  if (id.writer != state_->options.writer) return std::nullopt;
  const auto segments = state_->all_segments();
  // A segment begins with the largest number before it: a smaller one is not there, but may have
  // been late and stand further on.
  std::size_t first = segments.size();
  while (first > 0) {
    --first;
    if (segments[first]->snapshot().before.max_seq < id.seq) break;
  }
  std::optional<PredictionRecord> found;
  for (std::size_t i = first; i < segments.size() && !found; ++i) {
    segments[i]->visit_seq(id.seq, [&](const Frame& frame) {
      found = decode_prediction(frame.body);
      found->position = frame.position;
      return false;
    });
  }
  return found;
}

std::int64_t PredictionLog::first_position() const {
  const auto segments = state_->all_segments();
  return segments.empty() ? end_position() : segments.front()->first_position() + 1;
}

std::int64_t PredictionLog::end_position() const {
  const MutexLock lock(state_->mutex);
  return state_->next_position;
}

std::int64_t PredictionLog::synced_position() const {
  const MutexLock lock(state_->mutex);
  return state_->synced;
}

void PredictionLog::retain_from(const std::string& holder, std::int64_t position) {
  const MutexLock lock(state_->segments_mutex);
  auto& retained = state_->retained;
  const auto present = retained.find(holder);
  if (position == INT64_MAX) {
    if (present == retained.end() && !state_->retained_unwritten) return;
    if (present != retained.end()) retained.erase(present);
  } else if (present == retained.end()) {
    retained.emplace(holder, position);
  } else {
    // The file is written again only when the answer to "which segments" changes.
    const auto segment_of = [this](std::int64_t at) REQUIRES_LOCK(state_->segments_mutex) {
      std::size_t i = 0;
      while (i + 1 < state_->segments.size() && state_->segments[i + 1]->first_position() < at) ++i;
      return i;
    };
    const bool same = segment_of(present->second) == segment_of(position);
    present->second = position;
    if (same && !state_->retained_unwritten) return;
  }
  state_->retained_unwritten = true;
  state_->folder.write_retained(retained);
  state_->retained_unwritten = false;
}

std::vector<std::string> PredictionLog::holders(std::string_view prefix) const {
  std::vector<std::string> names;
  const MutexLock lock(state_->segments_mutex);
  for (const auto& [holder, position] : state_->retained) {
    if (holder.starts_with(prefix)) names.push_back(holder);
  }
  return names;
}

TimeUs PredictionLog::watermark(const std::string& endpoint) const {
  const MutexLock lock(state_->mutex);
  const auto found = state_->totals.watermarks.find(endpoint);
  return found == state_->totals.watermarks.end() ? 0 : found->second;
}

TimeUs PredictionLog::advance_watermark(const std::string& endpoint, TimeUs event_time) {
  const std::string body = watermark_body(endpoint, event_time);
  const std::uint32_t crc = crc32c(body);
  const MutexLock lock(state_->mutex);
  const auto found = state_->totals.watermarks.find(endpoint);
  if (found != state_->totals.watermarks.end() && found->second >= event_time) return found->second;
  state_->totals.apply_watermark(endpoint, event_time);
  state_->put_frame(body, crc);
  state_->wake.notify_one();
  return event_time;
}

StepCounters PredictionLog::counters(const std::string& rollout, int step) const {
  assert(step >= 0);
  const MutexLock lock(state_->mutex);
  const auto found = state_->totals.rollouts.find(rollout);
  if (found == state_->totals.rollouts.end() ||
      static_cast<std::size_t>(step) >= found->second.size())
    return {};
  return found->second[static_cast<std::size_t>(step)];
}

StepCounters PredictionLog::baseline(const std::string& endpoint, std::int64_t version) const {
  const MutexLock lock(state_->mutex);
  const auto found = state_->totals.baselines.find(endpoint);
  if (found == state_->totals.baselines.end()) return {};
  const auto counters = found->second.find(version);
  return counters == found->second.end() ? StepCounters{} : counters->second;
}

std::uint32_t PredictionLog::writer() const { return state_->options.writer; }

std::uint64_t PredictionLog::bytes() const {
  std::uint64_t total = 0;
  for (const auto& segment : state_->all_segments()) total += segment->bytes();
  return total;
}

std::int64_t PredictionLog::payloads_left_out() const { return state_->payloads_left_out; }

std::optional<std::string> PredictionLog::trouble() const {
  const MutexLock lock(state_->mutex);
  return state_->trouble;
}

std::vector<StepCounters> recount(const PredictionLog& log, const std::string& rollout,
                                  std::int64_t from, std::size_t steps) {
  std::vector<StepCounters> counters(steps);
  for (const auto& [found, step_counters] : log.recount_rollouts(from)) {
    if (found != rollout) continue;
    for (std::size_t i = 0; i < steps && i < step_counters.size(); ++i)
      counters[i] = step_counters[i];
  }
  return counters;
}

std::map<std::string, std::vector<StepCounters>> PredictionLog::recount_rollouts(
    std::int64_t from) const {
  LogTotals totals;
  const auto segments = state_->all_segments();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i + 1 < segments.size() && segments[i + 1]->first_position() < from) continue;
    segments[i]->visit_from(from, [&](const Frame& frame) {
      apply_body(totals, frame.body);
      return true;
    });
  }
  return {totals.rollouts.begin(), totals.rollouts.end()};
}

}  // namespace slipway::serving
