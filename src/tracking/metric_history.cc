// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_history.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "base/id.h"
#include "tracking/metric_store.h"

namespace slipway::tracking {
namespace {

// A part of a series that is read as one: a sealed chunk, or the tail.
struct Block {
  std::int64_t ordinal = 0;  // of the chunk; 0 = the tail
  std::int64_t points = 0;
  std::int64_t time_min_ms = 0;
  std::int64_t time_max_ms = 0;
  std::int64_t step_min = 0;
  std::int64_t step_max = 0;
};

// The blocks of one series, read once; points are decoded on demand.
class SeriesBlocks {
 public:
  SeriesBlocks(storage::Session& session, std::string_view run_id, std::string_view key)
      : session_(session) {
    auto row = session.query(
        "SELECT s.id, s.tail_points FROM series s JOIN run r ON r.id = s.run WHERE r.uuid = ?1 AND "
        "s.key = ?2",
        run_id, key);
    if (!row.step()) return;
    series_ = row.int64(0);
    auto rows = session.query(
        "SELECT ordinal, points, time_min_ms, time_max_ms, step_min, step_max FROM chunk WHERE "
        "series = ?1",
        series_);
    while (rows.step()) {
      blocks_.push_back({rows.int64(0), rows.int64(1), rows.int64(2), rows.int64(3), rows.int64(4),
                         rows.int64(5)});
    }
    tail_ = read_tail(session, series_);
    if (tail_.empty()) return;
    const auto [low, high] = std::minmax_element(
        tail_.begin(), tail_.end(), [](const Point& a, const Point& b) { return a.step < b.step; });
    blocks_.push_back({0, static_cast<std::int64_t>(tail_.size()), tail_.front().time_ms,
                       tail_.back().time_ms, low->step, high->step});
  }

  const std::vector<Block>& blocks() const { return blocks_; }

  // Sorted by history_less.
  std::vector<Point> load(const Block& block) const {
    if (block.ordinal == 0) return tail_;
    auto row = session_.query("SELECT bytes FROM chunk WHERE series = ?1 AND ordinal = ?2", series_,
                              block.ordinal);
    if (!row.step()) throw Error(Code::kDataLoss, "a metric chunk is missing");
    return decode_chunk(row.blob_view(0));
  }

 private:
  storage::Session& session_;
  std::int64_t series_ = 0;
  std::vector<Block> blocks_;
  std::vector<Point> tail_;
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
  return steps && (block.step_max < steps->first || block.step_min > steps->last);
}
bool inside(const Block& block, const std::optional<StepRange>& steps) {
  return !steps || (block.step_min >= steps->first && block.step_max <= steps->last);
}

// Blocks whose steps overlap, so that ranks within can only be told by looking; their points are
// loaded when first needed.
struct Cluster {
  std::vector<Block> blocks;
  std::int64_t step_max = 0;
  std::int64_t count = 0;
  bool loaded = false;
  std::vector<Point> points;
};

void load_cluster(const SeriesBlocks& series, const std::optional<StepRange>& steps,
                  Cluster& cluster) {
  for (const Block& block : cluster.blocks) {
    for (const Point& point : series.load(block)) {
      if (!steps || (point.step >= steps->first && point.step <= steps->last))
        cluster.points.push_back(point);
    }
  }
  std::sort(cluster.points.begin(), cluster.points.end(), step_less);
  cluster.count = static_cast<std::int64_t>(cluster.points.size());
  cluster.loaded = true;
}

std::vector<Cluster> cluster_by_steps(const SeriesBlocks& series,
                                      const std::optional<StepRange>& steps) {
  std::vector<Block> blocks;
  for (const Block& block : series.blocks()) {
    if (!outside(block, steps)) blocks.push_back(block);
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.step_min < b.step_min; });
  std::vector<Cluster> clusters;
  for (const Block& block : blocks) {
    if (clusters.empty() || block.step_min > clusters.back().step_max) clusters.emplace_back();
    Cluster& cluster = clusters.back();
    cluster.step_max =
        cluster.blocks.empty() ? block.step_max : std::max(cluster.step_max, block.step_max);
    cluster.blocks.push_back(block);
    cluster.count += block.points;
  }
  for (Cluster& cluster : clusters) {
    const bool whole = std::all_of(cluster.blocks.begin(), cluster.blocks.end(),
                                   [&](const Block& block) { return inside(block, steps); });
    if (!whole)
      load_cluster(series, steps, cluster);  // how many points the range leaves must be counted
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
    if (!first || step_less(point, *first)) first = point;
    if (!last || step_less(*last, point)) last = point;
    if (!smallest || point.value < smallest->value) smallest = point;
    if (!largest || point.value > largest->value) largest = point;
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
  const SeriesBlocks series(session, run_id, key);
  std::vector<Block> blocks = series.blocks();
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.time_min_ms < b.time_min_ms; });

  const auto wanted =
      static_cast<std::size_t>(limit) + 1;  // one more tells whether there is a next page
  std::vector<Point> points;
  std::size_t settled = 0;  // points[0, settled) can have no earlier one in a block not read yet
  for (std::size_t i = 0; i < blocks.size() && settled < wanted; ++i) {
    if (!after || blocks[i].time_max_ms >= after->time_ms) {
      const std::vector<Point> block = series.load(blocks[i]);
      auto from = block.begin();
      if (after) from = std::upper_bound(block.begin(), block.end(), *after, history_less);
      const auto middle = static_cast<std::ptrdiff_t>(points.size());
      points.insert(points.end(), from, block.end());
      std::inplace_merge(points.begin() + static_cast<std::ptrdiff_t>(settled),
                         points.begin() + middle, points.end(), history_less);
    }
    if (i + 1 == blocks.size()) {
      settled = points.size();
      break;
    }
    const std::int64_t open_from = blocks[i + 1].time_min_ms;
    while (settled < points.size() && points[settled].time_ms < open_from) ++settled;
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
  std::size_t at = 0;
  std::int64_t before = 0;  // points in the clusters before `at`
  for (const std::int64_t rank : sample_ranks(count, limit)) {
    while (rank - before >= clusters[at].count) {
      before += clusters[at].count;
      clusters[at].points.clear();
      ++at;
    }
    if (!clusters[at].loaded) load_cluster(series, steps, clusters[at]);
    sample.push_back(clusters[at].points[static_cast<std::size_t>(rank - before)]);
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
    steps = StepRange{series.blocks().front().step_min, series.blocks().front().step_max};
    for (const Block& block : series.blocks()) {
      steps->first = std::min(steps->first, block.step_min);
      steps->last = std::max(steps->last, block.step_max);
    }
  }
  if (steps->last < steps->first) return {};
  std::vector<Column> columns(static_cast<std::size_t>(pixels));
  // In doubles, as steps may span all of int64.
  const double width = static_cast<double>(steps->last) - static_cast<double>(steps->first) + 1;
  for (const Block& block : series.blocks()) {
    if (outside(block, steps)) continue;
    for (const Point& point : series.load(block)) {
      if (point.step < steps->first || point.step > steps->last) continue;
      const double share =
          (static_cast<double>(point.step) - static_cast<double>(steps->first)) / width;
      const auto column = static_cast<std::size_t>(share * pixels);
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
      "SELECT s.tail_points + s.sealed_points FROM series s JOIN run r ON r.id = s.run WHERE "
      "r.uuid = ?1 AND s.key = ?2",
      run_id, key);
  return row.step() ? row.int64(0) : 0;
}

}  // namespace slipway::tracking
