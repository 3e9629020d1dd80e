// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_history.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/id.h"
#include "tracking/series_blocks.h"

namespace slipway::tracking {
namespace {

// The blocks of one series; points are decoded on demand.
class SeriesBlocks {
 public:
  SeriesBlocks(storage::Session& session, std::string_view run_id, std::string_view key,
               const HistoryPlace& from = {})
      : session_(session) {
    const auto series = find_series(session, run_id, key);
    if (!series) return;
    series_ = *series;
    blocks_ = list_blocks(session, series_, from);
  }

  // In the order of begin_of.
  const std::vector<Block>& blocks() const { return blocks_; }

  // Sorted by history_less, in the place of what `points` holds.
  void load(const Block& block, std::vector<Point>& points) const {
    load_block(session_, series_, block, points);
  }

 private:
  storage::Session& session_;
  std::int64_t series_ = 0;
  std::vector<Block> blocks_;
};

// "TIME:STEP:BITS" in base 64, BITS being the value's.
std::string make_token(const Point& point) {
  return base64_encode(std::to_string(point.time_ms) + ":" + std::to_string(point.step) + ":" +
                       std::to_string(std::bit_cast<std::uint64_t>(point.value)));
}

std::optional<Point> parse_token(std::string_view token) {
  if (token.empty()) return std::nullopt;
  std::string text;
  Point point;
  std::uint64_t bits = 0;
  bool good = base64_decode(token, text);
  const char* next = text.data();
  const char* const end = text.data() + text.size();
  const auto number = [&](auto& value, bool last) {
    if (!good) return;
    const auto [stop, fault] = std::from_chars(next, end, value);
    good = fault == std::errc() && (last ? stop == end : stop != end && *stop == ':');
    next = stop + 1;
  };
  number(point.time_ms, false);
  number(point.step, false);
  number(bits, true);
  if (!good) {
    throw Error(Code::kInvalidArgument,
                "Invalid page token '" + std::string(token) + "': take the one of the page before");
  }
  point.value = std::bit_cast<double>(bits);
  return point;
}

bool outside(const Block& block, const std::optional<StepRange>& steps) {
  return steps && (block.extent.step_max < steps->first || block.extent.step_min > steps->last);
}
bool inside(const Block& block, const std::optional<StepRange>& steps) {
  return !steps || (block.extent.step_min >= steps->first && block.extent.step_max <= steps->last);
}

// Blocks whose steps overlap, so that ranks within can only be told by looking.
struct Cluster {
  std::vector<Block> blocks;
  std::int64_t step_max = 0;
  std::int64_t count = 0;
};

// The steps alone nearly always tell.
bool in_step_order(const std::vector<Point>& points) {
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].step > points[i - 1].step) continue;
    if (step_less(points[i], points[i - 1])) return false;
  }
  return true;
}

// The points of a cluster within the steps, in step_less order, in the place of what `points`
// holds.
void load_cluster(const SeriesBlocks& series, const std::optional<StepRange>& steps,
                  const Cluster& cluster, std::vector<Point>& points) {
  series.load(cluster.blocks.front(), points);
  std::vector<Point> more;
  for (std::size_t i = 1; i < cluster.blocks.size(); ++i) {
    series.load(cluster.blocks[i], more);
    points.insert(points.end(), more.begin(), more.end());
  }
  const bool whole = std::all_of(cluster.blocks.begin(), cluster.blocks.end(),
                                 [&](const Block& block) { return inside(block, steps); });
  if (!whole) {
    points.erase(std::remove_if(points.begin(), points.end(),
                                [&](const Point& point) {
                                  return point.step < steps->first || point.step > steps->last;
                                }),
                 points.end());
  }
  if (!in_step_order(points)) std::sort(points.begin(), points.end(), step_less);
}

std::vector<Cluster> cluster_by_steps(const SeriesBlocks& series,
                                      const std::optional<StepRange>& steps) {
  std::vector<Block> blocks;
  for (const Block& block : series.blocks()) {
    if (!outside(block, steps)) blocks.push_back(block);
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.extent.step_min < b.extent.step_min; });
  std::vector<Cluster> clusters;
  for (const Block& block : blocks) {
    if (clusters.empty() || block.extent.step_min > clusters.back().step_max)
      clusters.emplace_back();
    Cluster& cluster = clusters.back();
    cluster.step_max = cluster.blocks.empty() ? block.extent.step_max
                                              : std::max(cluster.step_max, block.extent.step_max);
    cluster.blocks.push_back(block);
    cluster.count += block.points;
  }
  std::vector<Point> points;
  for (Cluster& cluster : clusters) {
    const bool whole = std::all_of(cluster.blocks.begin(), cluster.blocks.end(),
                                   [&](const Block& block) { return inside(block, steps); });
    if (whole) continue;
    // How many points the range leaves must be counted.
    load_cluster(series, steps, cluster, points);
    cluster.count = static_cast<std::int64_t>(points.size());
  }
  return clusters;
}

// One pixel column of a chart.
struct Column {
  std::optional<Point> first, last, smallest, largest;
  std::optional<Point> nan;

  void add(const Point& point) {
    if (std::isnan(point.value)) {
      if (!nan || step_less(point, *nan)) nan = point;
      return;
    }
    if (!first) {
      first = last = smallest = largest = point;
      return;
    }
    // Points mostly come in the order of their steps.
    if (step_less(*last, point)) {
      last = point;
    } else if (step_less(point, *first)) {
      first = point;
    }
    if (point.value < smallest->value) {
      smallest = point;
    } else if (point.value > largest->value) {
      largest = point;
    }
  }

  void append_to(std::vector<Point>& out) const {
    if (!first) {
      if (nan) out.push_back(*nan);
      return;
    }
    std::vector<Point> points = {*first, *smallest, *largest, *last};
    std::sort(points.begin(), points.end(), step_less);
    points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
    out.insert(out.end(), points.begin(), points.end());
  }
};

}  // namespace

HistoryPage read_history(storage::Session& session, std::string_view run_id, std::string_view key,
                         std::int64_t limit, std::string_view page_token) {
  const std::optional<Point> after = parse_token(page_token);
  const SeriesBlocks series(session, run_id, key,
                            after ? HistoryPlace{after->time_ms, after->step} : HistoryPlace{});
  const std::vector<Block>& blocks = series.blocks();

  const auto wanted =
      static_cast<std::size_t>(limit) + 1;  // one more tells whether there is a next page
  std::vector<Point> points;
  std::vector<Point> block;
  std::size_t settled = 0;  // points[0, settled) can have no earlier one in a block not read yet
  for (std::size_t i = 0; i < blocks.size() && settled < wanted; ++i) {
    series.load(blocks[i], block);
    auto from = block.begin();
    if (after) from = std::upper_bound(block.begin(), block.end(), *after, history_less);
    const auto middle = static_cast<std::ptrdiff_t>(points.size());
    points.insert(points.end(), from, block.end());
    const auto join = points.begin() + middle;
    if (middle > 0 && join != points.end() && history_less(*join, *(join - 1))) {
      std::inplace_merge(points.begin() + static_cast<std::ptrdiff_t>(settled), join, points.end(),
                         history_less);
    }
    if (i + 1 == blocks.size()) {
      settled = points.size();
      break;
    }
    const auto open = std::lower_bound(points.begin() + static_cast<std::ptrdiff_t>(settled),
                                       points.end(), begin_of(blocks[i + 1]),
                                       [](const Point& point, const HistoryPlace& place) {
                                         return HistoryPlace{point.time_ms, point.step} < place;
                                       });
    settled = static_cast<std::size_t>(open - points.begin());
  }
  HistoryPage page;
  const std::size_t count = std::min(settled, static_cast<std::size_t>(limit));
  if (settled > count) page.next_page_token = make_token(points[count - 1]);
  points.resize(count);
  page.points = std::move(points);
  return page;
}

std::vector<std::int64_t> sample_ranks(std::int64_t count, std::int64_t limit) {
  std::vector<std::int64_t> ranks;
  const std::int64_t buckets = std::min(count, limit);
  if (buckets <= 0) return ranks;
  const std::int64_t size = count / limit;
  const std::int64_t larger = count % limit;  // the first so many buckets have one more
  for (std::int64_t i = 0; i < buckets; ++i) ranks.push_back(i * size + std::min(i, larger));
  if (ranks.back() != count - 1) ranks.back() = count - 1;
  return ranks;
}

std::vector<Point> sample_history(storage::Session& session, std::string_view run_id,
                                  std::string_view key, std::optional<StepRange> steps,
                                  std::int64_t limit) {
  const SeriesBlocks series(session, run_id, key);
  std::vector<Cluster> clusters = cluster_by_steps(series, steps);
  std::int64_t count = 0;
  for (const Cluster& cluster : clusters) count += cluster.count;

  std::vector<Point> sample;
  std::vector<Point> points;  // of the cluster `loaded`
  std::size_t loaded = clusters.size();
  std::size_t at = 0;
  std::int64_t before = 0;  // points in the clusters before `at`
  for (const std::int64_t rank : sample_ranks(count, limit)) {
    while (rank - before >= clusters[at].count) {
      before += clusters[at].count;
      ++at;
    }
    if (loaded != at) load_cluster(series, steps, clusters[at], points);
    loaded = at;
    sample.push_back(points[static_cast<std::size_t>(rank - before)]);
  }
  return sample;
}

std::vector<Point> series_m4(storage::Session& session, std::string_view run_id,
                             std::string_view key, std::optional<StepRange> steps, int pixels) {
  if (pixels < 1 || pixels > kPixelsMax) {
    throw Error(Code::kInvalidArgument, "px must be 1 to " + std::to_string(kPixelsMax) + ", not " +
                                            std::to_string(pixels));
  }
  const SeriesBlocks series(session, run_id, key);
  if (series.blocks().empty()) return {};
  if (!steps) {
    steps =
        StepRange{series.blocks().front().extent.step_min, series.blocks().front().extent.step_max};
    for (const Block& block : series.blocks()) {
      steps->first = std::min(steps->first, block.extent.step_min);
      steps->last = std::max(steps->last, block.extent.step_max);
    }
  }
  if (steps->last < steps->first) return {};
  std::vector<Column> columns(static_cast<std::size_t>(pixels));
  // In doubles, as steps may span all of int64.
  const double width = static_cast<double>(steps->last) - static_cast<double>(steps->first) + 1;
  const double columns_per_step = pixels / width;
  std::vector<Point> points;
  for (const Block& block : series.blocks()) {
    if (outside(block, steps)) continue;
    series.load(block, points);
    for (const Point& point : points) {
      if (point.step < steps->first || point.step > steps->last) continue;
      const auto column = static_cast<std::size_t>(
          (static_cast<double>(point.step) - static_cast<double>(steps->first)) * columns_per_step);
      columns[std::min(column, columns.size() - 1)].add(point);
    }
  }
  std::vector<Point> out;
  for (const Column& column : columns) column.append_to(out);
  return out;
}

std::int64_t count_points(storage::Session& session, std::string_view run_id,
                          std::string_view key) {
  auto row = session.query(
      "SELECT s.fragment_points + s.sealed_points FROM series s JOIN run r ON r.id = s.run WHERE "
      "r.uuid = ?1 AND s.key = ?2",
      run_id, key);
  return row.step() ? row.int64(0) : 0;
}

}  // namespace slipway::tracking
