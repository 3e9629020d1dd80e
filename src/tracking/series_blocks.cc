// SPDX-License-Identifier: Apache-2.0
#include "tracking/series_blocks.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "base/error.h"

namespace slipway::tracking {
namespace {

void read_blocks(storage::Statement rows, bool sealed, std::vector<Block>& out) {
  while (rows.step()) {
    out.push_back({sealed,
                   rows.int64(0),
                   rows.int64(1),
                   {rows.int64(2), rows.int64(3), rows.int64(4), rows.int64(5)}});
  }
}

// Points that were stored a row each, before there were fragments.
void read_tail_rows(storage::Session& session, std::int64_t series, std::vector<Point>& points) {
  points.clear();
  auto rows = session.query(
      "SELECT time_ms, step, value, nan FROM tail WHERE series = ?1 ORDER BY time_ms, step, value, "
      "nan",
      series);
  while (rows.step()) {
    points.push_back(
        {rows.int64(0), rows.int64(1), rows.int64(3) != 0 ? std::nan("") : rows.real(2)});
  }
}

}  // namespace

bool Extent::overlaps(const Extent& other) const {
  return time_min_ms <= other.time_max_ms && time_max_ms >= other.time_min_ms &&
         step_min <= other.step_max && step_max >= other.step_min;
}

Extent extent_of(const std::vector<Point>& points) {
  assert(!points.empty());
  Extent extent;
  extent.time_min_ms = points.front().time_ms;
  extent.time_max_ms = points.back().time_ms;
  for (const Point& point : points) {
    extent.step_min = std::min(extent.step_min, point.step);
    extent.step_max = std::max(extent.step_max, point.step);
  }
  return extent;
}

std::optional<std::int64_t> find_series(storage::Session& session, std::string_view run_id,
                                        std::string_view key) {
  auto row = session.query(
      "SELECT s.id FROM series s JOIN run r ON r.id = s.run WHERE r.uuid = ?1 AND s.key = ?2",
      run_id, key);
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

HistoryPlace begin_of(const Block& block) {
  return {block.extent.time_min_ms, block.extent.step_min};
}

std::vector<Block> list_blocks(storage::Session& session, std::int64_t series,
                               const HistoryPlace& from) {
  std::vector<Block> blocks;
  read_blocks(session.query("SELECT ordinal, points, time_min_ms, time_max_ms, step_min, step_max "
                            "FROM chunk WHERE series = ?1 AND (time_max_ms > ?2 OR (time_max_ms = "
                            "?2 AND step_max >= ?3))",
                            series, from.time_ms, from.step),
              true, blocks);
  read_blocks(session.query("SELECT ordinal, points, time_min_ms, time_max_ms, step_min, step_max "
                            "FROM fragment WHERE series = ?1 AND (time_max_ms > ?2 OR (time_max_ms "
                            "= ?2 AND step_max >= ?3))",
                            series, from.time_ms, from.step),
              false, blocks);
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const Block& a, const Block& b) { return begin_of(a) < begin_of(b); });
  return blocks;
}

std::vector<Block> list_blocks_over(storage::Session& session, std::int64_t series,
                                    const Extent& extent) {
  std::vector<Block> blocks;
  read_blocks(session.query("SELECT ordinal, points, time_min_ms, time_max_ms, step_min, step_max "
                            "FROM fragment WHERE series = ?1 AND time_min_ms <= ?2 AND time_max_ms "
                            ">= ?3 AND step_min <= ?4 AND step_max >= ?5",
                            series, extent.time_max_ms, extent.time_min_ms, extent.step_max,
                            extent.step_min),
              false, blocks);
  read_blocks(session.query("SELECT ordinal, points, time_min_ms, time_max_ms, step_min, step_max "
                            "FROM chunk WHERE series = ?1 AND time_min_ms <= ?2 AND time_max_ms >= "
                            "?3 AND step_min <= ?4 AND step_max >= ?5",
                            series, extent.time_max_ms, extent.time_min_ms, extent.step_max,
                            extent.step_min),
              true, blocks);
  return blocks;
}

void load_block(storage::Session& session, std::int64_t series, const Block& block,
                std::vector<Point>& points) {
  auto row =
      session.query(block.sealed ? "SELECT bytes FROM chunk WHERE series = ?1 AND ordinal = ?2"
                                 : "SELECT bytes FROM fragment WHERE series = ?1 AND ordinal = ?2",
                    series, block.ordinal);
  if (!row.step()) throw Error(Code::kDataLoss, "a part of a metric's history is missing");
  read_points(session, series, row, 0, points);
}

void read_points(storage::Session& session, std::int64_t series, const storage::Statement& row,
                 int column, std::vector<Point>& points) {
  if (row.is_null(column))
    read_tail_rows(session, series, points);
  else
    decode_chunk(row.blob_view(column), points);
}

}  // namespace slipway::tracking
