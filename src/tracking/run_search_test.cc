// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_search.h"

#include <cmath>

#include "tracking/dataset_input.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

class RunSearchTest : public TrackingTest {
 protected:
  // Six runs a … f with starts 1 … 6. acc: a .9, b .5, c NaN, d none, e .5, f -1.
  void SetUp() override {
    const double nan = std::nan("");
    const std::vector<std::pair<std::string, std::optional<double>>> rows = {
        {"a", .9}, {"b", .5}, {"c", nan}, {"d", {}}, {"e", .5}, {"f", -1}};
    std::int64_t start = 0;
    for (const auto& [name, acc] : rows) {
      runs_.push_back(make_run(name, ++start));
      if (acc) log(runs_.back(), "acc", {{1, 0, 0.123}, {2, 1, *acc}});
      log_pairs(runs_.back(), {{"lr", start % 2 == 0 ? "0.1" : "0.2"}},
                {{"team", name == "a" ? "Red" : "blue"}});
    }
    log_pairs(runs_[1], {{"only", "b"}}, {});
  }

  std::string found(const RunSearch& search) {
    const auto result = read<KeyPage>([&](storage::Session& s) { return search_runs(s, search); });
    token_ = result.next_page_token;
    std::string names;
    for (const std::int64_t key : result.keys) {
      names += read<RunInfo>([&](storage::Session& s) { return load_run_info(s, key); }).name;
    }
    return names;
  }
  std::string filter(std::string text) {
    return found({.experiment_ids = {0}, .filter = std::move(text)});
  }
  std::string order(std::vector<std::string> terms, std::string text = "") {
    return found({.experiment_ids = {0}, .filter = std::move(text), .order_by = std::move(terms)});
  }
  // All pages of `limit`, with '|' between.
  std::string paged(RunSearch search, std::int64_t limit) {
    search.limit = limit;
    std::string all = found(search);
    while (!token_.empty()) {
      search.page_token = token_;
      all += "|" + found(search);
    }
    return all;
  }

  std::vector<RunInfo> runs_;
  std::string token_;
};

TEST_F(RunSearchTest, NewestFirst) { EXPECT_EQ(filter(""), "fedcba"); }

TEST_F(RunSearchTest, MetricsCompareTheNewestValue) {
  EXPECT_EQ(filter("metrics.acc > 0.4"), "eba");
  EXPECT_EQ(filter("metrics.acc >= 0.5 AND metrics.acc < 0.9"), "eb");
  EXPECT_EQ(filter("metrics.acc = 0.123"), "");
  EXPECT_EQ(filter("metrics.acc != 0.5"), "fca");
  EXPECT_EQ(filter("metrics.none > 0"), "");
}

TEST_F(RunSearchTest, ParamsAndTags) {
  EXPECT_EQ(filter("params.lr = '0.1'"), "fdb");
  EXPECT_EQ(filter("params.only != 'x'"), "b");
  EXPECT_EQ(filter("params.only IS NULL"), "fedca");
  EXPECT_EQ(filter("params.only IS NOT NULL"), "b");
  EXPECT_EQ(filter("tags.team LIKE 'r%'"), "");
  EXPECT_EQ(filter("tags.team LIKE 'R_d'"), "a");
  EXPECT_EQ(filter("tags.team ILIKE 'r%'"), "a");
  EXPECT_EQ(filter("tags.team LIKE '*'"), "");
  EXPECT_EQ(filter("tags.team = 'Red' AND params.lr = '0.1'"), "");
}

TEST_F(RunSearchTest, Attributes) {
  EXPECT_EQ(filter("run_name = 'c'"), "c");
  EXPECT_EQ(filter("attributes.start_time <= 2"), "ba");
  EXPECT_EQ(filter("run_id IN ('" + runs_[0].id + "', '" + runs_[4].id + "')"), "ea");
  EXPECT_EQ(filter("run_id NOT IN ('" + runs_[0].id + "')"), "fedcb");
  write([&](storage::Transaction& t) {
    update_run(t, {runs_[2].id, RunStatus::kFailed, 77, std::nullopt});
  });
  EXPECT_EQ(filter("status = 'FAILED'"), "c");
  EXPECT_EQ(filter("status != 'FAILED'"), "fedba");
  EXPECT_EQ(filter("end_time = 77"), "c");
  EXPECT_EQ(order({"end_time"}), "cfedba");
}

TEST_F(RunSearchTest, Datasets) {
  write([&](storage::Transaction& t) {
    log_inputs(t, runs_[3].id,
               {{"flights", "abc", "local", "f", "", "", {{"mlflow.data.context", "train"}}}}, {});
  });
  EXPECT_EQ(filter("dataset.name = 'flights'"), "d");
  EXPECT_EQ(filter("datasets.digest LIKE 'ab%' AND datasets.context = 'train'"), "d");
  EXPECT_EQ(filter("datasets.context = 'test'"), "");
}

TEST_F(RunSearchTest, MissingLastNanBeforeThemInBothDirections) {
  EXPECT_EQ(order({"metrics.acc DESC"}), "aebfcd");
  EXPECT_EQ(order({"metrics.acc ASC"}), "febacd");
  EXPECT_EQ(order({"metrics.acc", "start_time"}), "fbeacd");
  EXPECT_EQ(order({"params.only"}), "bfedca");
  EXPECT_EQ(order({"params.only DESC"}), "bfedca");
  EXPECT_EQ(order({"params.lr", "metrics.acc DESC"}), "bfdaec");
  EXPECT_EQ(order({"tags.team", "run_name DESC"}), "afedcb");
  EXPECT_EQ(order({"run_name DESC"}), "fedcba");
  EXPECT_EQ(order({"metrics.acc DESC"}, "metrics.acc > 0"), "aeb");
  EXPECT_EQ(order({"metrics.acc DESC"}, "metrics.acc != 0.5"), "afc");
  EXPECT_EQ(order({"metrics.acc DESC"}, "params.lr = '0.1'"), "bfd");
}

TEST_F(RunSearchTest, PagesJoinToTheWhole) {
  const RunSearch by_metric{.experiment_ids = {0}, .order_by = {"metrics.acc DESC"}};
  EXPECT_EQ(paged(by_metric, 1), "a|e|b|f|c|d");
  EXPECT_EQ(paged(by_metric, 2), "ae|bf|cd");
  EXPECT_EQ(paged(by_metric, 4), "aebf|cd");
  EXPECT_EQ(paged(by_metric, 5), "aebfc|d");
  EXPECT_EQ(paged(by_metric, 6), "aebfcd");
  EXPECT_EQ(paged({.experiment_ids = {0}}, 4), "fedc|ba");
}

TEST_F(RunSearchTest, ViewsAndExperiments) {
  write([&](storage::Transaction& t) { delete_run(t, runs_[0].id, 1); });
  EXPECT_EQ(filter(""), "fedcb");
  EXPECT_EQ(found({.experiment_ids = {0}, .view = ViewType::kDeletedOnly}), "a");
  EXPECT_EQ(
      found({.experiment_ids = {0}, .view = ViewType::kAll, .order_by = {"metrics.acc DESC"}}),
      "aebfcd");
  EXPECT_EQ(order({"metrics.acc DESC"}), "ebfcd");
  const std::int64_t other = make_experiment("other");
  make_run("z", 9, {}, other);
  EXPECT_EQ(found({.experiment_ids = {0, other}}), "zfedcb");
  EXPECT_EQ(found({.experiment_ids = {}}), "");
}

TEST_F(RunSearchTest, BadTokensAreRefused) {
  for (const std::string token : {"???", "eyJvZmZzZXQiOiAwfQ==", "e30=", "W10="}) {
    EXPECT_NE(refusal_of([&] {
                found({.experiment_ids = {0}, .page_token = token});
              }).find("Invalid page token"),
              std::string::npos)
        << token;
  }
}

// Read as the store's pattern, the longest that a filter may have is within what SQLite takes.
TEST_F(RunSearchTest, TheLongestPatternIsRead) {
  const std::string value = std::string(5'000, '*');
  log_pairs(runs_[3], {{"stars", value}}, {});
  const std::string rest(kPatternBytesMax - value.size(), '%');
  EXPECT_EQ(filter("params.stars LIKE '" + value + rest + "'"), "d");
  EXPECT_EQ(filter("params.stars ILIKE '" + value + rest + "'"), "d");
  EXPECT_EQ(filter("params.stars LIKE '" + std::string(kPatternBytesMax, '[') + "'"), "");
}

}  // namespace
}  // namespace slipway::tracking
