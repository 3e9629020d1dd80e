// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tracking/metric_history.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class MetricStore : public TrackingTest {
 protected:
  std::vector<Point> history(const RunInfo& run, std::string_view key = "m") {
    return read<HistoryPage>(
               [&](storage::Session& s) { return read_history(s, run.id, key, 10'000'000, ""); })
        .points;
  }
  std::vector<Point> paged(const RunInfo& run, std::int64_t limit) {
    std::vector<Point> all;
    std::string token;
    do {
      const auto page = read<HistoryPage>(
          [&](storage::Session& s) { return read_history(s, run.id, "m", limit, token); });
      EXPECT_LE(page.points.size(), static_cast<std::size_t>(limit));
      all.insert(all.end(), page.points.begin(), page.points.end());
      token = page.next_page_token;
    } while (!token.empty());
    return all;
  }
  std::int64_t number(std::string_view sql) {
    return read<std::int64_t>([&](storage::Session& s) {
      auto row = s.query(sql);
      row.step();
      return row.int64(0);
    });
  }
  // Logged in batches of 100.
  void log_all(const RunInfo& run, const std::vector<Point>& points) {
    for (std::size_t i = 0; i < points.size(); i += 100) {
      log(run, "m",
          {points.begin() + static_cast<std::ptrdiff_t>(i),
           points.begin() + static_cast<std::ptrdiff_t>(std::min(i + 100, points.size()))});
    }
  }
  std::vector<std::int64_t> sampled_steps(const RunInfo& run, std::int64_t limit,
                                          std::optional<StepRange> range = {}) {
    const auto sample = read<std::vector<Point>>(
        [&](storage::Session& s) { return sample_history(s, run.id, "m", range, limit); });
    std::vector<std::int64_t> steps;
    for (const Point& point : sample) steps.push_back(point.step);
    return steps;
  }
};

void expect_same(const std::vector<Point>& got, const std::vector<Point>& want) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_point(got[i], want[i])) << i;
}

std::vector<Point> line(int count) {
  std::vector<Point> points;
  for (int i = 0; i < count; ++i) points.push_back({1'000 + i, i, i * 0.5});
  return points;
}

TEST_F(MetricStore, DuplicatesAreDroppedInTailAndChunks) {
  const RunInfo run = make_run();
  for (int round = 0; round < 2; ++round) log_all(run, line(1'300));
  EXPECT_EQ(history(run).size(), 1'300U);
  EXPECT_EQ(read<std::int64_t>([&](storage::Session& s) { return count_points(s, run.id, "m"); }),
            1'300);
  // Same time, another value or step: another point.
  log(run, "m", {{1'000, 0, 99}, {1'000, 1, 0}, {1'000, 0, kNan}, {1'000, 0, kNan}, {1'000, 0, 0}});
  EXPECT_EQ(history(run).size(), 1'303U);
}

TEST_F(MetricStore, FragmentsAreGatheredIntoAChunk) {
  const RunInfo run = make_run();
  log_all(run, line(500));
  EXPECT_EQ(number("SELECT COUNT(*) FROM fragment"), 5);
  EXPECT_EQ(number("SELECT COUNT(*) FROM chunk"), 0);
  const std::vector<Point> all = line(611);
  log(run, "m", {all.begin() + 500, all.begin() + 600});
  log(run, "m", {all.begin() + 600, all.end()});
  EXPECT_EQ(number("SELECT points FROM chunk"), 600);
  EXPECT_EQ(number("SELECT COUNT(*) FROM fragment"), 1);
  EXPECT_EQ(number("SELECT points FROM fragment"), 11);
  EXPECT_EQ(number("SELECT fragments FROM series"), 1);
  EXPECT_EQ(number("SELECT fragment_points FROM series"), 11);
  EXPECT_EQ(number("SELECT sealed_points FROM series"), 600);
  EXPECT_EQ(number("SELECT time_max_ms FROM series"), 1'610);
  EXPECT_EQ(number("SELECT step_max FROM series"), 610);
  EXPECT_EQ(number("SELECT COUNT(*) FROM tail"), 0);
  EXPECT_LT(number("SELECT SUM(LENGTH(bytes)) FROM chunk"), 600 * 6);
}

TEST_F(MetricStore, HistoryIsSortedWhateverTheOrderOfArrival) {
  const RunInfo run = make_run();
  std::vector<Point> points;
  std::mt19937_64 random(3);
  for (int i = 0; i < 4'000; ++i) {
    points.push_back({static_cast<std::int64_t>(random() % 900),
                      static_cast<std::int64_t>(random() % 50) - 25,
                      random() % 9 == 0 ? kNan : static_cast<double>(random() % 4)});
  }
  log_all(run, points);
  std::sort(points.begin(), points.end(), history_less);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
  expect_same(history(run), points);
  expect_same(paged(run, 7), points);
  expect_same(paged(run, 1'000), points);
}

TEST_F(MetricStore, PagesHoldWhilePointsArrive) {
  const RunInfo run = make_run();
  log_all(run, line(1'000));
  const auto first =
      read<HistoryPage>([&](storage::Session& s) { return read_history(s, run.id, "m", 600, ""); });
  log(run, "m", {{1, 0, 1}});  // sorts before everything
  const auto second = read<HistoryPage>([&](storage::Session& s) {
    return read_history(s, run.id, "m", 600, first.next_page_token);
  });
  ASSERT_EQ(second.points.size(), 400U);
  EXPECT_EQ(second.points.front().step, 600);
  EXPECT_EQ(second.next_page_token, "");
}

TEST_F(MetricStore, ForeignTokensAreRefused) {
  const RunInfo run = make_run();
  for (const std::string token : {"x", "eyJvZmZzZXQiOiAxfQ==", "MTI6Mw=="}) {
    EXPECT_EQ(
        refusal_of([&] {
          read<HistoryPage>(
              [&](storage::Session& s) { return read_history(s, run.id, "m", 5, token); });
        }),
        "invalid_argument: Invalid page token '" + token + "': take the one of the page before");
  }
}

TEST_F(MetricStore, UnknownSeriesIsEmpty) {
  const RunInfo run = make_run();
  EXPECT_TRUE(history(run).empty());
  EXPECT_TRUE(sampled_steps(run, 5).empty());
  EXPECT_EQ(read<std::size_t>([](storage::Session& s) {
              return read_history(s, "nope", "m", 5, "").points.size();
            }),
            0U);
}

TEST_F(MetricStore, SamplesAreThoseOfTheStockServer) {
  const RunInfo run = make_run();
  log_all(run, line(10));
  using Steps = std::vector<std::int64_t>;
  EXPECT_EQ(sampled_steps(run, 1), (Steps{9}));
  EXPECT_EQ(sampled_steps(run, 2), (Steps{0, 9}));
  EXPECT_EQ(sampled_steps(run, 3), (Steps{0, 4, 9}));
  EXPECT_EQ(sampled_steps(run, 4), (Steps{0, 3, 6, 9}));
  EXPECT_EQ(sampled_steps(run, 5), (Steps{0, 2, 4, 6, 9}));
  EXPECT_EQ(sampled_steps(run, 10), (Steps{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(sampled_steps(run, 50).size(), 10U);
  EXPECT_EQ(sampled_steps(run, 2, StepRange{3, 7}), (Steps{3, 7}));
  EXPECT_EQ(sampled_steps(run, 2, StepRange{30, 70}), (Steps{}));
}

TEST_F(MetricStore, SamplesOfManyChunksEqualSamplesOfAllPoints) {
  for (const bool shuffled : {false, true}) {
    const RunInfo run = make_run();
    std::vector<Point> points = line(5'000);
    if (shuffled) std::shuffle(points.begin(), points.end(), std::mt19937_64(1));
    log_all(run, points);
    std::sort(points.begin(), points.end(), step_less);
    for (const std::int64_t limit : {1, 7, 100, 2'500}) {
      std::vector<std::int64_t> want;
      for (const std::int64_t rank : sample_ranks(5'000, limit))
        want.push_back(points[static_cast<std::size_t>(rank)].step);
      EXPECT_EQ(sampled_steps(run, limit), want);
    }
    std::vector<std::int64_t> want;
    for (const std::int64_t rank : sample_ranks(1'201, 13)) want.push_back(700 + rank);
    EXPECT_EQ(sampled_steps(run, 13, StepRange{700, 1'900}), want);
  }
}

TEST_F(MetricStore, ChartKeepsFirstSmallestLargestAndLastOfEachColumn) {
  const RunInfo run = make_run();
  std::vector<Point> points;
  std::mt19937_64 random(9);
  for (int i = 0; i < 3'000; ++i) points.push_back({i, i, static_cast<double>(random() % 1'000)});
  points[1'500].value = 1e6;  // one spike
  log_all(run, points);
  const auto drawn = read<std::vector<Point>>(
      [&](storage::Session& s) { return series_m4(s, run.id, "m", {}, 30); });
  EXPECT_LE(drawn.size(), 120U);
  for (std::size_t column = 0; column < 30; ++column) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(column * 100);
    const auto by_value = [](const Point& a, const Point& b) { return a.value < b.value; };
    const auto [low, high] = std::minmax_element(begin, begin + 100, by_value);
    for (const Point& wanted : {*begin, *(begin + 99)}) {
      EXPECT_TRUE(std::any_of(drawn.begin(), drawn.end(),
                              [&](const Point& p) { return same_point(p, wanted); }));
    }
    for (const double value : {low->value, high->value}) {
      EXPECT_TRUE(std::any_of(drawn.begin(), drawn.end(), [&](const Point& p) {
        return p.value == value && p.step / 100 == static_cast<std::int64_t>(column);
      }));
    }
  }
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end(), step_less));
}

TEST_F(MetricStore, ChartBreaksWhereThereIsOnlyNan) {
  const RunInfo run = make_run();
  log(run, "m", {{0, 0, 1}, {1, 1, kNan}, {2, 2, kNan}, {3, 3, 2}});
  const auto drawn = read<std::vector<Point>>(
      [&](storage::Session& s) { return series_m4(s, run.id, "m", {}, 2); });
  ASSERT_EQ(drawn.size(), 2U);  // each column has a number
  const auto wide = read<std::vector<Point>>(
      [&](storage::Session& s) { return series_m4(s, run.id, "m", {}, 4); });
  ASSERT_EQ(wide.size(), 4U);
  EXPECT_TRUE(std::isnan(wide[1].value));
  EXPECT_EQ(refusal_of([&] {
              read<std::vector<Point>>(
                  [&](storage::Session& s) { return series_m4(s, run.id, "m", {}, 8'193); });
            }),
            "invalid_argument: px must be 1 to 8192, not 8193");
}

TEST_F(MetricStore, ExtremeStepsAreDrawn) {
  const RunInfo run = make_run();
  log(run, "m",
      {{0, std::numeric_limits<std::int64_t>::min(), 1},
       {1, std::numeric_limits<std::int64_t>::max(), 2}});
  EXPECT_EQ(read<std::vector<Point>>([&](storage::Session& s) {
              return series_m4(s, run.id, "m", {}, 10);
            }).size(),
            2U);
}

TEST_F(MetricStore, DamagedChunkIsNotAnswered) {
  const RunInfo run = make_run();
  log_all(run, line(600));
  write([](storage::Transaction& t) {
    auto damage = t.prepare("UPDATE chunk SET bytes = ?1");
    damage.bind_blob(1, "\1\2\3\4\5\6\7\10").step();
  });
  EXPECT_EQ(refusal_of([&] { history(run); }),
            "data_loss: metric chunk is damaged: its checksum differs");
}

}  // namespace
}  // namespace slipway::tracking
