// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>
#include <string_view>
#include <unordered_map>

#include "base/error.h"
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
  std::vector<Point> points;  // as they came, then sorted
  Point newest;
  Series series;
};

using Additions = std::vector<Addition*>;

// Rows may come in any order, and nearly always come in that of the keys: `next` says which is due.
Addition& of_key(const Additions& additions, std::string_view key, std::size_t& next) {
  for (std::size_t tries = 0; tries < additions.size(); ++tries) {
    Addition& addition = *additions[next++ % additions.size()];
    if (addition.key == key) return addition;
  }
  throw Error(Code::kInternal, "the store answered with a series that was not asked for");
}

void find_series(storage::Transaction& transaction, std::int64_t run, const Additions& additions) {
  std::size_t next = 0;
  transaction.execute_many(
      "SELECT id, fragments, fragment_points, small_chunks, sealed_points, time_max_ms, step_max, "
      "key FROM series WHERE run = ?1 AND key = ?2",
      additions.size(),
      [&](storage::Statement& statement, std::size_t i) {
        statement.bind(1, run).bind(2, additions[i]->key);
      },
      [&](const storage::Statement& row) {
        of_key(additions, row.text_view(7), next).series = {
            row.int64(0), row.int64(1), row.int64(2), row.int64(3),
            row.int64(4), row.int64(5), row.int64(6)};
      });
}

void insert_series(storage::Transaction& transaction, std::int64_t run,
                   const Additions& additions) {
  std::size_t next = 0;
  transaction.execute_many(
      "INSERT INTO series (run, key, fragments, fragment_points, small_chunks, sealed_points, "
      "time_max_ms, step_max) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id, key",
      additions.size(),
      [&](storage::Statement& statement, std::size_t i) {
        const Series& series = additions[i]->series;
        statement.bind(1, run).bind(2, additions[i]->key).bind(3, series.fragments);
        statement.bind(4, series.fragment_points).bind(5, series.small_chunks);
        statement.bind(6, series.sealed_points).bind(7, series.time_max_ms);
        statement.bind(8, series.step_max);
      },
      [&](const storage::Statement& row) {
        of_key(additions, row.text_view(1), next).series.id = row.int64(0);
      });
}

void update_series(storage::Transaction& transaction, const Additions& additions) {
  transaction.execute_many(
      "UPDATE series SET fragments = ?2, fragment_points = ?3, small_chunks = ?4, sealed_points = "
      "?5, time_max_ms = ?6, step_max = ?7 WHERE id = ?1",
      additions.size(), [&](storage::Statement& statement, std::size_t i) {
        const Series& series = additions[i]->series;
        statement.bind(1, series.id).bind(2, series.fragments).bind(3, series.fragment_points);
        statement.bind(4, series.small_chunks).bind(5, series.sealed_points);
        statement.bind(6, series.time_max_ms).bind(7, series.step_max);
      });
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

void bind_block(storage::Statement& statement, std::int64_t series, std::int64_t ordinal,
                const std::vector<Point>& points) {
  const Extent extent = extent_of(points);
  statement.bind(1, series).bind(2, ordinal).bind(3, static_cast<std::int64_t>(points.size()));
  statement.bind(4, extent.time_min_ms).bind(5, extent.time_max_ms);
  statement.bind(6, extent.step_min).bind(7, extent.step_max).bind_blob(8, encode_chunk(points));
}

// The points of each addition as its series' newest fragment.
void insert_fragments(storage::Transaction& transaction, const Additions& additions) {
  transaction.execute_many(
      "INSERT INTO fragment (series, ordinal, points, time_min_ms, time_max_ms, step_min, "
      "step_max, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      additions.size(), [&](storage::Statement& statement, std::size_t i) {
        const Addition& addition = *additions[i];
        bind_block(statement, addition.series.id, addition.series.fragments, addition.points);
      });
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
  const std::size_t chunks = (points.size() + kChunkPointsMax - 1) / kChunkPointsMax;
  transaction.execute_many(
      "INSERT INTO chunk (series, ordinal, points, time_min_ms, time_max_ms, step_min, step_max, "
      "bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      chunks, [&](storage::Statement& statement, std::size_t i) {
        const std::size_t from = i * kChunkPointsMax;
        const std::size_t count = std::min(kChunkPointsMax, points.size() - from);
        const auto begin = points.begin() + static_cast<std::ptrdiff_t>(from);
        bind_block(statement, series, ++ordinal,
                   {begin, begin + static_cast<std::ptrdiff_t>(count)});
        if (count < kLargeChunkPoints) ++small;
      });
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
  transaction.execute_many("DELETE FROM chunk WHERE series = ?1 AND ordinal = ?2", ordinals.size(),
                           [&](storage::Statement& statement, std::size_t i) {
                             statement.bind(1, series.id).bind(2, ordinals[i]);
                           });
  sort_history(points);
  series.small_chunks = insert_chunks(transaction, series.id, points);
}

// Gathers the fragments of a series and these points, into chunks where they are enough.
void gather(storage::Transaction& transaction, std::int64_t run, Addition& addition,
            std::int64_t together) {
  Series& series = addition.series;
  if (series.id == 0) insert_series(transaction, run, {&addition});
  append(addition.points, take_fragments(transaction, series));
  sort_history(addition.points);
  if (together < kSealPoints) {
    series.fragments = 1;
    series.fragment_points = together;
    insert_fragments(transaction, {&addition});
  } else {
    series.fragments = 0;
    series.fragment_points = 0;
    series.sealed_points += together;
    series.small_chunks += insert_chunks(transaction, series.id, addition.points);
    if (series.small_chunks >= kSmallChunksMax) merge_chunks(transaction, series);
  }
  update_series(transaction, {&addition});
}

// Keeps the points, which are new to their series and sorted. Most become one more fragment each.
void add_points(storage::Transaction& transaction, std::int64_t run, const Additions& additions) {
  Additions added;
  Additions grown;
  for (Addition* const addition : additions) {
    if (addition->points.empty()) continue;
    Series& series = addition->series;
    const Extent extent = extent_of(addition->points);
    const bool is_new = series.id == 0;
    series.time_max_ms =
        is_new ? extent.time_max_ms : std::max(series.time_max_ms, extent.time_max_ms);
    series.step_max = is_new ? extent.step_max : std::max(series.step_max, extent.step_max);
    const std::int64_t together =
        series.fragment_points + static_cast<std::int64_t>(addition->points.size());
    if (together >= kSealPoints || series.fragments >= kFragmentsMax) {
      gather(transaction, run, *addition, together);
      continue;
    }
    series.fragment_points = together;
    ++series.fragments;
    (is_new ? added : grown).push_back(addition);
  }
  if (!added.empty()) insert_series(transaction, run, added);
  if (!grown.empty()) update_series(transaction, grown);
  added.insert(added.end(), grown.begin(), grown.end());
  if (!added.empty()) insert_fragments(transaction, added);
}

void update_latest(storage::Transaction& transaction, const RunInfo& run,
                   const Additions& additions) {
  transaction.execute_many(
      "INSERT INTO latest (run, key, experiment, value, nan, step, time_ms) VALUES (?1, ?2, ?3, "
      "?4, ?5, ?6, ?7) ON CONFLICT (run, key) DO UPDATE SET value = excluded.value, nan = "
      "excluded.nan, step = excluded.step, time_ms = excluded.time_ms WHERE (excluded.step, "
      "excluded.time_ms, excluded.value) > (latest.step, latest.time_ms, latest.value)",
      additions.size(), [&](storage::Statement& statement, std::size_t i) {
        const Point& point = additions[i]->newest;
        const bool nan = std::isnan(point.value);
        statement.bind(1, run.key).bind(2, additions[i]->key).bind(3, run.experiment_id);
        statement.bind(4, nan ? 0.0 : point.value).bind(5, nan).bind(6, point.step);
        statement.bind(7, point.time_ms);
      });
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
        if (is_new) additions.push_back({metric.key, {}, {}, {}});
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
  std::vector<Addition> grouped = group_by_key(metrics);
  const bool run_is_empty = grouped.size() > 1 && has_no_metrics(transaction, run.key);
  Additions additions;
  additions.reserve(grouped.size());
  for (Addition& addition : grouped) {
    std::vector<Point>& points = addition.points;
    addition.newest = *std::max_element(points.begin(), points.end(), latest_less);
    sort_history(points);
    additions.push_back(&addition);
  }
  if (!run_is_empty) find_series(transaction, run.key, additions);
  for (Addition& addition : grouped) {
    if (addition.series.id != 0) drop_known(transaction, addition.series, addition.points);
  }
  update_latest(transaction, run, additions);
  add_points(transaction, run.key, additions);
}

}  // namespace slipway::tracking
