// SPDX-License-Identifier: Apache-2.0
// What is kept of a metric, against a model that keeps every point in a sorted set: random points
// in random batches, with the store opened anew in between.
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <thread>

#include "base/id.h"
#include "tracking/metric_history.h"
#include "tracking/metric_store.h"
#include "tracking/run_log.h"
#include "tracking/run_table.h"
#include "tracking/session.h"

namespace slipway::tracking {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct HistoryLess {
  bool operator()(const Point& a, const Point& b) const { return history_less(a, b); }
};

// One key of one run, as MLflow's rules have it.
struct Model {
  std::set<Point, HistoryLess> points;
  Point latest;

  void add(Point point) {
    point.value = clamp_metric_value(point.value);
    if (points.empty() || latest_less(latest, point)) latest = point;
    points.insert(point);
  }
  std::vector<Point> history() const { return {points.begin(), points.end()}; }
  std::vector<Point> by_step() const {
    std::vector<Point> sorted = history();
    std::sort(sorted.begin(), sorted.end(), step_less);
    return sorted;
  }
};

class MetricSeries : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("slipway-series-" + random_hex32());
    std::filesystem::create_directories(folder_);
    open();
  }
  void TearDown() override {
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    database_.reset();
    database_ = std::make_unique<storage::Database>(
        storage::Database::Options{.path = (folder_ / "store.db").string()});
  }

  RunInfo make_run() {
    return database_->write_returning<RunInfo>([](storage::Transaction& transaction) {
      NewRun run;
      run.name = "r";
      return create_run(transaction, run);
    });
  }
  void log(const RunInfo& run, const std::vector<Metric>& metrics) {
    Batch batch;
    batch.run_id = run.id;
    batch.metrics = metrics;
    database_->write([&](storage::Transaction& transaction) { log_batch(transaction, batch); });
  }
  template <typename T>
  T read(const std::function<T(storage::Session&)>& work) {
    return database_->read_returning<T>(work);
  }
  std::vector<Point> paged(const RunInfo& run, std::string_view key, std::int64_t limit) {
    std::vector<Point> all;
    std::string token;
    do {
      const auto page = read<HistoryPage>(
          [&](storage::Session& s) { return read_history(s, run.id, key, limit, token); });
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

  void expect_same(const RunInfo& run, const std::string& key, const Model& model,
                   std::int64_t limit) {
    expect_points(paged(run, key, limit), model.history());
    const auto samples = read<std::vector<Point>>(
        [&](storage::Session& s) { return sample_history(s, run.id, key, {}, 50); });
    std::vector<Point> sampled;
    const std::vector<Point> by_step = model.by_step();
    for (const std::int64_t rank : sample_ranks(static_cast<std::int64_t>(by_step.size()), 50))
      sampled.push_back(by_step[static_cast<std::size_t>(rank)]);
    expect_points(samples, sampled);
    EXPECT_EQ(read<std::int64_t>([&](storage::Session& s) { return count_points(s, run.id, key); }),
              static_cast<std::int64_t>(model.points.size()));
    const tracking::Run loaded =
        read<tracking::Run>([&](storage::Session& s) { return get_run(s, run.id); });
    const auto latest = std::find_if(loaded.metrics.begin(), loaded.metrics.end(),
                                     [&](const LatestMetric& metric) { return metric.key == key; });
    ASSERT_EQ(latest != loaded.metrics.end(), !model.points.empty()) << key;
    if (latest == loaded.metrics.end()) return;
    EXPECT_TRUE(same_point({latest->time_ms, latest->step, latest->value}, model.latest)) << key;
  }
  static void expect_points(const std::vector<Point>& got, const std::vector<Point>& want) {
    ASSERT_EQ(got.size(), want.size());
    for (std::size_t i = 0; i < got.size(); ++i) ASSERT_TRUE(same_point(got[i], want[i])) << i;
  }

  std::filesystem::path folder_;
  std::unique_ptr<storage::Database> database_;
};

// How the points of one key come: each of these has its own way past the look-up of duplicates.
struct Habit {
  std::string key;
  std::int64_t time_step_ms;  // 0: all at one time
  std::int64_t step_step;     // 0: no steps
  unsigned late_percent;
  unsigned again_percent;
};

Point next_point(const Habit& habit, std::int64_t count, std::mt19937_64& random) {
  const bool late = random() % 100 < habit.late_percent;
  const std::int64_t at =
      late ? static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count + 1)) : count;
  Point point{1'700'000'000'000 + at * habit.time_step_ms, at * habit.step_step,
              static_cast<double>(random() % 5)};
  switch (random() % 40) {
    case 0: point.value = kNan; break;
    case 1: point.value = kInf; break;
    case 2: point.value = -kInf; break;
    case 3: point.value = -0.0; break;
    case 4: point.step = std::numeric_limits<std::int64_t>::max() - at; break;
    case 5: point.step = std::numeric_limits<std::int64_t>::min() + at; break;
    case 6: point.time_ms = 0; break;
    default: break;
  }
  return point;
}

TEST_F(MetricSeries, EqualsAModelThatKeepsEveryPoint) {
  const std::vector<Habit> habits = {{"in order", 7, 1, 0, 0},     {"late", 3, 1, 20, 3},
                                     {"one time", 0, 1, 5, 5},     {"no steps", 1, 0, 5, 5},
                                     {"neither", 0, 0, 0, 0},      {"again", 2, 2, 10, 60},
                                     {"backwards", -1, -1, 10, 10}};
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    std::mt19937_64 random(seed);
    const RunInfo run = make_run();
    std::map<std::string, Model> models;
    std::map<std::string, std::vector<Point>> sent;
    for (int write = 0; write < 260; ++write) {
      std::vector<Metric> batch;
      // One point, a handful, or enough to seal at once; sometimes of one key, sometimes of all.
      const std::uint64_t sizes[] = {1, 1, 1 + random() % 30, 1 + random() % 200, 600};
      const std::uint64_t count = sizes[random() % (write % 20 == 0 ? 5 : 4)];
      for (std::uint64_t i = 0; i < count; ++i) {
        const Habit& habit = habits[random() % habits.size()];
        std::vector<Point>& before = sent[habit.key];
        const Point point =
            !before.empty() && random() % 100 < habit.again_percent
                ? before[random() % before.size()]
                : next_point(habit, static_cast<std::int64_t>(before.size()), random);
        before.push_back(point);
        models[habit.key].add(point);
        batch.push_back({habit.key, point, "", "", ""});
      }
      log(run, batch);
      if (write % 61 == 60) open();
      if (write % 50 == 49) {
        for (const auto& [key, model] : models) expect_same(run, key, model, 97);
      }
    }
    for (const auto& [key, model] : models) expect_same(run, key, model, 100'000);
  }
  EXPECT_GT(number("SELECT COUNT(*) FROM chunk"), 20);
}

TEST_F(MetricSeries, SinglePointsOverEveryBorderOfSealing) {
  const RunInfo run = make_run();
  Model model;
  for (int i = 0; i < 1'200; ++i) {
    const Point point{1'000 + i, i, 1.0 / (1 + i)};
    model.add(point);
    log(run, {{"m", point, "", "", ""}});
    log(run, {{"m", point, "", "", ""}});  // again: dropped, wherever the first one is by now
    EXPECT_LE(number("SELECT COUNT(*) FROM fragment"), kFragmentsMax);
    EXPECT_EQ(number("SELECT COALESCE(SUM(points), 0) FROM fragment"),
              number("SELECT fragment_points FROM series"));
    EXPECT_LT(number("SELECT fragment_points FROM series"), kSealPoints);
    EXPECT_EQ(number("SELECT fragment_points + sealed_points FROM series"), i + 1);
  }
  expect_same(run, "m", model, 13);
  EXPECT_EQ(number("SELECT COUNT(*) FROM chunk"), 2);
}

TEST_F(MetricSeries, SmallChunksBecomeOne) {
  const RunInfo run = make_run();
  Model model;
  std::vector<std::int64_t> counts;
  for (int write = 0; write < 40; ++write) {
    std::vector<Metric> batch;
    for (int i = 0; i < 600; ++i) {
      const int at = write * 600 + i;
      // Every third write comes before the others.
      const Point point{write % 3 == 2 ? at : 1'000'000 + at, at, at * 0.5};
      model.add(point);
      batch.push_back({"m", point, "", "", ""});
    }
    log(run, batch);
    counts.push_back(number("SELECT COUNT(*) FROM chunk"));
  }
  EXPECT_EQ(*std::max_element(counts.begin(), counts.end()), kSmallChunksMax);
  EXPECT_EQ(counts[15], 1);
  EXPECT_EQ(counts.back(), 2 + 40 - 2 * kSmallChunksMax);
  EXPECT_EQ(number("SELECT MAX(points) FROM chunk"), 16 * 600);
  expect_same(run, "m", model, 1'000);
}

TEST_F(MetricSeries, EightWritersOfOneRunLoseNothing) {
  const RunInfo run = make_run();
  Model model;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 8; ++writer) {
    for (int i = 0; i < 400; ++i) model.add({1'000 + i, i, static_cast<double>(writer)});
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 400; i += 4) {
        std::vector<Metric> batch;
        for (int k = i; k < i + 4; ++k)
          batch.push_back({"m", {1'000 + k, k, static_cast<double>(writer)}, "", "", ""});
        log(run, batch);
        if (i % 40 == 0) log(run, batch);
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  expect_same(run, "m", model, 500);
}

TEST_F(MetricSeries, ABatchLargerThanAChunkIsCut) {
  const RunInfo run = make_run();
  Model model;
  std::vector<Metric> batch;
  for (int i = 0; i < 70'000; ++i) {
    const Point point{i, i, static_cast<double>(i)};
    model.add(point);
    batch.push_back({"m", point, "", "", ""});
  }
  log(run, batch);
  EXPECT_EQ(number("SELECT COUNT(*) FROM chunk"), 2);
  EXPECT_EQ(number("SELECT MAX(points) FROM chunk"), 65'536);
  expect_same(run, "m", model, 9'000);
}

TEST_F(MetricSeries, NewestPointIsByStepThenTimeThenValue) {
  const RunInfo run = make_run();
  const auto latest = [&] {
    const tracking::Run loaded =
        read<tracking::Run>([&](storage::Session& s) { return get_run(s, run.id); });
    return Point{loaded.metrics.at(0).time_ms, loaded.metrics.at(0).step,
                 loaded.metrics.at(0).value};
  };
  log(run, {{"m", {10, 5, 1}, "", "", ""}});
  log(run, {{"m", {99, 4, 2}, "", "", ""}});  // a later time, an earlier step
  EXPECT_TRUE(same_point(latest(), {10, 5, 1}));
  log(run, {{"m", {10, 5, -3}, "", "", ""}, {"m", {10, 5, kNan}, "", "", ""}});
  EXPECT_TRUE(same_point(latest(), {10, 5, 1}));  // a NaN counts as 0
  log(run, {{"m", {11, 5, -3}, "", "", ""}, {"m", {11, 5, kNan}, "", "", ""}});
  EXPECT_TRUE(same_point(latest(), {11, 5, kNan}));
  log(run, {{"m", {11, 5, 0}, "", "", ""}});  // equal to it in that order: what was there stays
  EXPECT_TRUE(same_point(latest(), {11, 5, kNan}));
}

}  // namespace
}  // namespace slipway::tracking
