// SPDX-License-Identifier: Apache-2.0
#include "serving/log_totals.h"

#include <algorithm>

#include "base/error.h"
#include "serving/byte_codec.h"
#include "serving/log_frame.h"
#include "serving/prediction_log.h"

namespace slipway::serving {
namespace {

constexpr std::uint32_t kSnapshotFormat = 1;

void put_counters(ByteWriter& out, const StepCounters& counters) {
  for (const auto& arms : counters.cells) {
    for (const StepCounters::Cell& cell : arms) {
      out.put(cell.bad);
      out.put(cell.good);
    }
  }
}

StepCounters get_counters(ByteReader& in) {
  StepCounters counters;
  for (auto& arms : counters.cells) {
    for (StepCounters::Cell& cell : arms) {
      cell.bad = in.get<std::int64_t>();
      cell.good = in.get<std::int64_t>();
    }
  }
  return counters;
}

void add(StepCounters& to, const StepCounters& more) {
  for (std::size_t loss = 0; loss < kLosses; ++loss) {
    for (std::size_t arm = 0; arm < 2; ++arm) {
      to.cells[loss][arm].bad += more.cells[loss][arm].bad;
      to.cells[loss][arm].good += more.cells[loss][arm].good;
    }
  }
}

std::vector<StepCounters>& steps_of(LogTotals& totals, const std::string& rollout,
                                    std::size_t at_least) {
  auto& steps = totals.rollouts[rollout];
  if (steps.size() < at_least) steps.resize(at_least);
  // Rollouts are ULIDs: the first in order is the oldest.
  while (totals.rollouts.size() > PredictionLog::kRolloutsCounted &&
         totals.rollouts.begin()->first != rollout) {
    totals.rollouts.erase(totals.rollouts.begin());
  }
  return totals.rollouts[rollout];
}

StepCounters& baseline_of(LogTotals& totals, const std::string& endpoint, std::int64_t version) {
  auto& versions = totals.baselines[endpoint];
  versions.try_emplace(version);
  for (auto it = versions.begin();
       versions.size() > PredictionLog::kVersionsCounted && it != versions.end();) {
    it = it->first == version ? std::next(it) : versions.erase(it);
  }
  return versions[version];
}

}  // namespace

void LogTotals::count(const PredictionRecord& record) {
  if (record.direct) return;
  if (record.rollout.empty()) {
    baseline_of(*this, record.endpoint, record.version)
        .add(Arm::kChampion, record.error, record.slow, record.nan);
    return;
  }
  const auto step = static_cast<std::size_t>(
      std::clamp<std::int32_t>(record.step, 0, static_cast<std::int32_t>(kRolloutStepsMax) - 1));
  steps_of(*this, record.rollout, step + 1)[step].add(record.arm, record.error, record.slow,
                                                      record.nan);
}

void LogTotals::apply(const PredictionRecord& record) {
  max_seq = std::max(max_seq, record.id.seq);
  apply_watermark(record.endpoint, record.event_time);
  count(record);
}

void LogTotals::apply_watermark(const std::string& endpoint, TimeUs event_time) {
  TimeUs& mark = watermarks[endpoint];
  mark = std::max(mark, event_time);
}

void LogTotals::merge(const LogTotals& lost) {
  max_seq = std::max(max_seq, lost.max_seq);
  for (const auto& [endpoint, mark] : lost.watermarks) apply_watermark(endpoint, mark);
  for (const auto& [rollout, steps] : lost.rollouts) {
    auto& mine = steps_of(*this, rollout, steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) add(mine[i], steps[i]);
  }
  for (const auto& [endpoint, versions] : lost.baselines) {
    for (const auto& [version, counters] : versions)
      add(baseline_of(*this, endpoint, version), counters);
  }
}

std::string encode_totals(const LogTotals& totals) {
  ByteWriter out;
  out.put(totals.max_seq);
  out.put(static_cast<std::uint32_t>(totals.watermarks.size()));
  for (const auto& [endpoint, mark] : totals.watermarks) {
    out.put_text(endpoint);
    out.put(mark);
  }
  out.put(static_cast<std::uint32_t>(totals.rollouts.size()));
  for (const auto& [rollout, steps] : totals.rollouts) {
    out.put_text(rollout);
    out.put(static_cast<std::uint32_t>(steps.size()));
    for (const StepCounters& counters : steps) put_counters(out, counters);
  }
  out.put(static_cast<std::uint32_t>(totals.baselines.size()));
  for (const auto& [endpoint, versions] : totals.baselines) {
    out.put_text(endpoint);
    out.put(static_cast<std::uint32_t>(versions.size()));
    for (const auto& [version, counters] : versions) {
      out.put(version);
      put_counters(out, counters);
    }
  }
  return out.take();
}

LogTotals decode_totals(std::string_view bytes) {
  ByteReader in(bytes);
  LogTotals totals;
  totals.max_seq = in.get<std::int64_t>();
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
    const std::string endpoint(in.text());
    totals.watermarks[endpoint] = in.get<TimeUs>();
  }
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
    auto& steps = totals.rollouts[std::string(in.text())];
    for (auto count = in.get<std::uint32_t>(); count > 0; --count)
      steps.push_back(get_counters(in));
  }
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) {
    auto& versions = totals.baselines[std::string(in.text())];
    for (auto count = in.get<std::uint32_t>(); count > 0; --count) {
      const auto version = in.get<std::int64_t>();
      versions[version] = get_counters(in);
    }
  }
  return totals;
}

void apply_body(LogTotals& totals, std::string_view body) {
  switch (frame_kind(body).value_or(FrameKind::kClosed)) {
    case FrameKind::kPrediction: totals.apply(decode_prediction(body, false)); break;
    case FrameKind::kWatermark: {
      ByteReader in(body.substr(1));
      const std::string endpoint(in.text());
      totals.apply_watermark(endpoint, in.get<TimeUs>());
      break;
    }
    case FrameKind::kLost: totals.merge(decode_totals(body.substr(1))); break;
    case FrameKind::kSnapshot:
    case FrameKind::kClosed: break;
  }
}

std::string watermark_body(const std::string& endpoint, TimeUs event_time) {
  ByteWriter out;
  out.put(static_cast<std::uint8_t>(FrameKind::kWatermark));
  out.put_text(endpoint);
  out.put(event_time);
  return out.take();
}

std::string lost_body(const LogTotals& lost) {
  ByteWriter out;
  out.put(static_cast<std::uint8_t>(FrameKind::kLost));
  out.put_raw(encode_totals(lost));
  return out.take();
}

std::string closed_body(std::int64_t next_seq) {
  ByteWriter out;
  out.put(static_cast<std::uint8_t>(FrameKind::kClosed));
  out.put(next_seq);
  return out.take();
}

std::int64_t next_seq_of_closed(std::string_view body) {
  return ByteReader(body.substr(1)).get<std::int64_t>();
}

std::string snapshot_body(const Snapshot& snapshot) {
  ByteWriter out;
  out.put(static_cast<std::uint8_t>(FrameKind::kSnapshot));
  out.put(kSnapshotFormat);
  out.put(snapshot.writer);
  out.put(snapshot.first_position);
  out.put_raw(encode_totals(snapshot.before));
  return out.take();
}

Snapshot decode_snapshot(std::string_view body) {
  ByteReader in(body);
  if (in.get<std::uint8_t>() != static_cast<std::uint8_t>(FrameKind::kSnapshot)) {
    throw Error(Code::kDataLoss,
                "a segment of the prediction log does not start with its snapshot");
  }
  if (in.get<std::uint32_t>() != kSnapshotFormat) {
    throw Error(Code::kFailedPrecondition,
                "the prediction log was written by a newer program; update this one");
  }
  Snapshot snapshot;
  snapshot.writer = in.get<std::uint32_t>();
  snapshot.first_position = in.get<std::int64_t>();
  snapshot.before = decode_totals(in.raw(in.left()));
  return snapshot;
}

}  // namespace slipway::serving
