// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <tuple>
#include <unordered_map>

namespace slipway::tracking {
namespace {

struct Series {
  std::int64_t id = 0;
  std::int64_t tail_points = 0;
  std::optional<std::int64_t> sealed_time_max_ms;
};

Series find_or_create_series(storage::Transaction& transaction, std::int64_t run,
                             std::string_view key) {
  {
    auto row = transaction.query(
        "SELECT id, tail_points, sealed_time_max_ms FROM series WHERE run = ?1 AND key = ?2", run,
        key);
    if (row.step()) return {row.int64(0), row.int64(1), row.maybe_int64(2)};
  }
  transaction.execute("INSERT INTO series (run, key) VALUES (?1, ?2)", run, key);
  return {transaction.last_insert_id(), 0, std::nullopt};
}

// The chunks of one series as a write sees them: duplicates of older points come in long runs (a
// client that repeats a batch), so the chunk that was decoded last is kept.
class SealedPoints {
 public:
  SealedPoints(storage::Transaction& transaction, const Series& series)
      : transaction_(transaction), series_(series) {}

  bool contains(const Point& point) {
    // Most points are newer than everything sealed: no look-up at all.
    if (!series_.sealed_time_max_ms || point.time_ms > *series_.sealed_time_max_ms) return false;
    auto rows = transaction_.query(
        "SELECT ordinal FROM chunk WHERE series = ?1 AND time_min_ms <= ?2 AND time_max_ms >= ?2 "
        "AND step_min <= ?3 AND "
        "step_max >= ?3",
        series_.id, point.time_ms, point.step);
    while (rows.step()) {
      const std::vector<Point>& points = load(rows.int64(0));
      if (std::binary_search(points.begin(), points.end(), point, history_less)) return true;
    }
    return false;
  }

 private:
  const std::vector<Point>& load(std::int64_t ordinal) {
    if (ordinal != loaded_) {
      auto row = transaction_.query("SELECT bytes FROM chunk WHERE series = ?1 AND ordinal = ?2",
                                    series_.id, ordinal);
      row.step();
      points_ = decode_chunk(row.blob_view(0));
      loaded_ = ordinal;
    }
    return points_;
  }

  storage::Transaction& transaction_;
  const Series& series_;
  std::int64_t loaded_ = -1;
  std::vector<Point> points_;
};

// The tail becomes a chunk; its rows go.
void seal(storage::Transaction& transaction, std::int64_t series) {
  const std::vector<Point> points = read_tail(transaction, series);
  const auto [step_min, step_max] = std::minmax_element(
      points.begin(), points.end(), [](const Point& a, const Point& b) { return a.step < b.step; });
  std::int64_t ordinal = 0;
  {
    auto row = transaction.query(
        "SELECT COALESCE(MAX(ordinal), 0) + 1 FROM chunk WHERE series = ?1", series);
    row.step();
    ordinal = row.int64(0);
  }
  auto insert = transaction.prepare(
      "INSERT INTO chunk (series, ordinal, points, time_min_ms, time_max_ms, step_min, step_max, "
      "bytes) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  insert.bind(1, series).bind(2, ordinal).bind(3, static_cast<std::int64_t>(points.size()));
  insert.bind(4, points.front().time_ms).bind(5, points.back().time_ms);
  insert.bind(6, step_min->step).bind(7, step_max->step).bind_blob(8, encode_chunk(points));
  insert.step();
  transaction.execute("DELETE FROM tail WHERE series = ?1", series);
  transaction.execute(
      "UPDATE series SET tail_points = 0, sealed_points = sealed_points + ?2, sealed_time_max_ms = "
      "CASE WHEN "
      "sealed_time_max_ms IS NULL OR sealed_time_max_ms < ?3 THEN ?3 ELSE sealed_time_max_ms END "
      "WHERE id = ?1",
      series, static_cast<std::int64_t>(points.size()), points.back().time_ms);
}

void update_latest(storage::Transaction& transaction, const RunInfo& run, std::string_view key,
                   const Point& point) {
  const bool nan = std::isnan(point.value);
  transaction.execute(
      "INSERT INTO latest (run, key, experiment, value, nan, step, time_ms) VALUES (?1, ?2, ?3, "
      "?4, ?5, ?6, ?7) "
      "ON CONFLICT (run, key) DO UPDATE SET value = excluded.value, nan = excluded.nan, step = "
      "excluded.step, "
      "time_ms = excluded.time_ms "
      "WHERE (excluded.step, excluded.time_ms, excluded.value) > (latest.step, latest.time_ms, "
      "latest.value)",
      run.key, key, run.experiment_id, nan ? 0.0 : point.value, nan, point.step, point.time_ms);
}

// MLflow's order for "latest", in which a NaN counts as 0.
bool older(const Point& a, const Point& b) {
  const auto rank = [](const Point& p) {
    return std::make_tuple(p.step, p.time_ms, std::isnan(p.value) ? 0.0 : p.value);
  };
  return rank(a) < rank(b);
}

void append_series(storage::Transaction& transaction, const RunInfo& run, std::string_view key,
                   const std::vector<const Metric*>& metrics) {
  Series series = find_or_create_series(transaction, run.key, key);
  std::int64_t added = 0;
  Point newest = metrics.front()->point;
  newest.value = clamp_metric_value(newest.value);
  {
    SealedPoints sealed(transaction, series);
    auto insert = transaction.prepare(
        "INSERT INTO tail (series, time_ms, step, value, nan) VALUES (?1, ?2, ?3, ?4, ?5) ON "
        "CONFLICT DO NOTHING");
    for (const Metric* metric : metrics) {
      Point point = metric->point;
      point.value = clamp_metric_value(point.value);
      if (older(newest, point)) newest = point;
      if (sealed.contains(point)) continue;
      const bool nan = std::isnan(point.value);
      insert.bind(1, series.id).bind(2, point.time_ms).bind(3, point.step);
      insert.bind(4, nan ? 0.0 : point.value).bind(5, nan);
      insert.step();
      added += transaction.changes();
      insert.reset();
    }
  }
  update_latest(transaction, run, key, newest);
  if (added == 0) return;
  transaction.execute("UPDATE series SET tail_points = tail_points + ?2 WHERE id = ?1", series.id,
                      added);
  if (series.tail_points + added >= kTailPointsMax) seal(transaction, series.id);
}

}  // namespace

std::vector<Point> read_tail(storage::Session& session, std::int64_t series) {
  std::vector<Point> points;
  auto rows = session.query(
      "SELECT time_ms, step, value, nan FROM tail WHERE series = ?1 ORDER BY time_ms, step, value, "
      "nan",
      series);
  while (rows.step()) {
    points.push_back(
        {rows.int64(0), rows.int64(1), rows.int64(3) != 0 ? std::nan("") : rows.real(2)});
  }
  return points;
}

void append_metrics(storage::Transaction& transaction, const RunInfo& run,
                    const std::vector<Metric>& metrics) {
  if (metrics.size() == 1) {
    append_series(transaction, run, metrics.front().key, {&metrics.front()});
    return;
  }
  std::unordered_map<std::string_view, std::size_t> index;
  std::vector<std::vector<const Metric*>> groups;
  for (const Metric& metric : metrics) {
    const auto [entry, is_new] = index.try_emplace(metric.key, groups.size());
    if (is_new) groups.emplace_back();
    groups[entry->second].push_back(&metric);
  }
  for (const auto& group : groups) append_series(transaction, run, group.front()->key, group);
}

}  // namespace slipway::tracking
