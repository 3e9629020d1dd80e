// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string_view>
#include <unordered_map>

#include "tracking/series_blocks.h"

namespace slipway::tracking {
namespace {

// A row of `series`. `id` 0: not there yet.
struct Series {
  std::int64_t id = 0;
  std::int64_t fragments = 0;  // the largest ordinal of a fragment
  std::int64_t fragment_points = 0;
  std::int64_t small_chunks = 0;
  std::int64_t sealed_points = 0;
  std::int64_t time_max_ms = 0;
  std::int64_t step_max = 0;
};

// What one write adds to one series.
struct Addition {
  std::string_view key;
  std::vector<Point> points;  // as they came
};

Series find_series_row(storage::Transaction& transaction, std::int64_t run, std::string_view key) {
  auto row = transaction.query(
      "SELECT id, fragments, fragment_points, small_chunks, sealed_points, time_max_ms, step_max "
      "FROM series WHERE run = ?1 AND key = ?2",
      run, key);
  if (!row.step()) return {};
  return {row.int64(0), row.int64(1), row.int64(2), row.int64(3),
          row.int64(4), row.int64(5), row.int64(6)};
}

void insert_series(storage::Transaction& transaction, std::int64_t run, std::string_view key,
                   Series& series) {
  transaction.execute(
      "INSERT INTO series (run, key, fragments, fragment_points, small_chunks, sealed_points, "
      "time_max_ms, step_max) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      run, key, series.fragments, series.fragment_points, series.small_chunks, series.sealed_points,
      series.time_max_ms, series.step_max);
  series.id = transaction.last_insert_id();
}

void update_series(storage::Transaction& transaction, const Series& series) {
  transaction.execute(
      "UPDATE series SET fragments = ?2, fragment_points = ?3, small_chunks = ?4, sealed_points = "
      "?5, time_max_ms = ?6, step_max = ?7 WHERE id = ?1",
      series.id, series.fragments, series.fragment_points, series.small_chunks,
      series.sealed_points, series.time_max_ms, series.step_max);
}

// Leaves the points that the series does not have yet. Most are newer than all it has, by their
// time or by their step: no look-up at all.
void drop_known(storage::Transaction& transaction, const Series& series,
                std::vector<Point>& points) {
  const Extent extent = extent_of(points);
  if (extent.time_min_ms > series.time_max_ms || extent.step_min > series.step_max) return;
  std::vector<Point> known;
  for (const Block& block : list_blocks_over(transaction, series.id, extent)) {
    load_block(transaction, series.id, block, known);
    std::vector<Point> unknown;
    std::set_difference(points.begin(), points.end(), known.begin(), known.end(),
                        std::back_inserter(unknown), history_less);
    points = std::move(unknown);
    if (points.empty()) return;
  }
}

void insert_block(storage::Transaction& transaction, const char* sql, std::int64_t series,
                  std::int64_t ordinal, const std::vector<Point>& points) {
  const Extent extent = extent_of(points);
  auto insert = transaction.prepare(sql);
  insert.bind(1, series).bind(2, ordinal).bind(3, static_cast<std::int64_t>(points.size()));
  insert.bind(4, extent.time_min_ms).bind(5, extent.time_max_ms);
  insert.bind(6, extent.step_min).bind(7, extent.step_max).bind_blob(8, encode_chunk(points));
  insert.step();
}

void insert_fragment(storage::Transaction& transaction, std::int64_t series, std::int64_t ordinal,
                     const std::vector<Point>& points) {
  insert_block(transaction,
               "INSERT INTO fragment (series, ordinal, points, time_min_ms, time_max_ms, step_min, "
               "step_max, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
               series, ordinal, points);
}

// Returns how many of the chunks are small.
std::int64_t insert_chunks(storage::Transaction& transaction, std::int64_t series,
                           const std::vector<Point>& points) {
  std::int64_t ordinal = 0;
  {
    auto row =
        transaction.query("SELECT COALESCE(MAX(ordinal), 0) FROM chunk WHERE series = ?1", series);
    row.step();
    ordinal = row.int64(0);
  }
  std::int64_t small = 0;
  for (std::size_t from = 0; from < points.size(); from += kChunkPointsMax) {
    const std::size_t count = std::min(kChunkPointsMax, points.size() - from);
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(from);
    insert_block(transaction,
                 "INSERT INTO chunk (series, ordinal, points, time_min_ms, time_max_ms, step_min, "
                 "step_max, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                 series, ++ordinal, {begin, begin + static_cast<std::ptrdiff_t>(count)});
    if (count < kLargeChunkPoints) ++small;
  }
  return small;
}

void append(std::vector<Point>& points, const std::vector<Point>& more) {
  points.insert(points.end(), more.begin(), more.end());
}

// The points of all fragments, which go.
std::vector<Point> take_fragments(storage::Transaction& transaction, const Series& series) {
  std::vector<Point> points;
  if (series.fragment_points == 0) return points;
  std::vector<Point> block;
  bool has_rows = false;
  {
    auto rows = transaction.query("SELECT bytes FROM fragment WHERE series = ?1 ORDER BY ordinal",
                                  series.id);
    while (rows.step()) {
      has_rows = has_rows || rows.is_null(0);
      read_points(transaction, series.id, rows, 0, block);
      append(points, block);
    }
  }
  transaction.execute("DELETE FROM fragment WHERE series = ?1", series.id);
  if (has_rows) transaction.execute("DELETE FROM tail WHERE series = ?1", series.id);
  return points;
}

// The newest small chunks become one.
void merge_chunks(storage::Transaction& transaction, Series& series) {
  std::vector<Point> points;
  std::vector<Point> block;
  std::vector<std::int64_t> ordinals;
  {
    auto rows = transaction.query(
        "SELECT bytes, ordinal FROM chunk WHERE series = ?1 AND points < ?2 ORDER BY ordinal DESC "
        "LIMIT ?3",
        series.id, static_cast<std::int64_t>(kLargeChunkPoints), series.small_chunks);
    while (rows.step()) {
      read_points(transaction, series.id, rows, 0, block);
      append(points, block);
      ordinals.push_back(rows.int64(1));
    }
  }
  for (const std::int64_t ordinal : ordinals)
    transaction.execute("DELETE FROM chunk WHERE series = ?1 AND ordinal = ?2", series.id, ordinal);
  sort_history(points);
  series.small_chunks = insert_chunks(transaction, series.id, points);
}

// Keeps points that are new to the series, sorted.
void add_points(storage::Transaction& transaction, std::int64_t run, std::string_view key,
                Series& series, std::vector<Point> points) {
  const Extent extent = extent_of(points);
  const auto count = static_cast<std::int64_t>(points.size());
  const bool is_new = series.id == 0;
  series.time_max_ms =
      is_new ? extent.time_max_ms : std::max(series.time_max_ms, extent.time_max_ms);
  series.step_max = is_new ? extent.step_max : std::max(series.step_max, extent.step_max);
  const std::int64_t together = series.fragment_points + count;
  if (together < kSealPoints && series.fragments < kFragmentsMax) {
    series.fragment_points = together;
    ++series.fragments;
    if (is_new)
      insert_series(transaction, run, key, series);
    else
      update_series(transaction, series);
    insert_fragment(transaction, series.id, series.fragments, points);
    return;
  }
  if (is_new) insert_series(transaction, run, key, series);
  append(points, take_fragments(transaction, series));
  sort_history(points);
  if (together < kSealPoints) {
    series.fragments = 1;
    series.fragment_points = together;
    insert_fragment(transaction, series.id, 1, points);
  } else {
    series.fragments = 0;
    series.fragment_points = 0;
    series.sealed_points += together;
    series.small_chunks += insert_chunks(transaction, series.id, points);
    if (series.small_chunks >= kSmallChunksMax) merge_chunks(transaction, series);
  }
  update_series(transaction, series);
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

void append_series(storage::Transaction& transaction, const RunInfo& run, bool run_is_empty,
                   Addition& addition) {
  std::vector<Point>& points = addition.points;
  const Point newest = *std::max_element(points.begin(), points.end(), latest_less);
  sort_history(points);
  Series series;
  if (!run_is_empty) series = find_series_row(transaction, run.key, addition.key);
  if (series.id != 0) drop_known(transaction, series, points);
  update_latest(transaction, run, addition.key, newest);
  if (!points.empty()) add_points(transaction, run.key, addition.key, series, std::move(points));
}

// By key, in the order of their first points.
std::vector<Addition> group_by_key(const std::vector<Metric>& metrics) {
  std::vector<Addition> additions;
  std::unordered_map<std::string_view, std::size_t> index;
  std::size_t last = 0;
  for (const Metric& metric : metrics) {
    // Clients write key after key or step after step: it is the last key or the one that followed.
    if (additions.empty() || additions[last].key != metric.key) {
      const std::size_t next = last + 1 < additions.size() ? last + 1 : 0;
      if (next < additions.size() && additions[next].key == metric.key) {
        last = next;
      } else {
        const auto [entry, is_new] = index.try_emplace(metric.key, additions.size());
        if (is_new) additions.push_back({metric.key, {}});
        last = entry->second;
      }
    }
    additions[last].points.push_back(
        {metric.point.time_ms, metric.point.step, clamp_metric_value(metric.point.value)});
  }
  return additions;
}

bool has_no_metrics(storage::Transaction& transaction, std::int64_t run) {
  auto row = transaction.query("SELECT 1 FROM latest WHERE run = ?1 LIMIT 1", run);
  return !row.step();
}

}  // namespace

void append_metrics(storage::Transaction& transaction, const RunInfo& run,
                    const std::vector<Metric>& metrics) {
  std::vector<Addition> additions = group_by_key(metrics);
  const bool run_is_empty = additions.size() > 1 && has_no_metrics(transaction, run.key);
  for (Addition& addition : additions) append_series(transaction, run, run_is_empty, addition);
}

}  // namespace slipway::tracking
