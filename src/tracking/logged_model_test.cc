// SPDX-License-Identifier: Apache-2.0
#include "tracking/logged_model.h"

#include "tracking/logged_model_search.h"
#include "tracking/search_filter.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

class LoggedModelTest : public TrackingTest {
 protected:
  LoggedModel make(std::string name, Pairs params = {}, std::string run_id = "") {
    return database_.write_returning<LoggedModel>([&](storage::Transaction& t) {
      return create_logged_model(
          t, {0, std::move(name), "tree", std::move(run_id), std::move(params), {{"k", "v"}}},
          ++now_);
    });
  }
  LoggedModel get(const std::string& id) {
    return read<LoggedModel>([&](storage::Session& s) { return get_logged_model(s, id, true); });
  }
  std::string found(const LoggedModelSearch& search) {
    const auto page =
        read<LoggedModelPage>([&](storage::Session& s) { return search_logged_models(s, search); });
    token_ = page.next_page_token;
    std::string names;
    for (const LoggedModel& model : page.models) names += model.name;
    return names;
  }
  std::string filter(std::string text) {
    return found({.experiment_ids = {0}, .filter = std::move(text)});
  }

  std::int64_t now_ = 0;
  std::string token_;
};

TEST_F(LoggedModelTest, LifeOfOne) {
  const LoggedModel model = make("m", {{"depth", "3"}}, "r");
  EXPECT_EQ(model.id.size(), 34U);
  EXPECT_EQ(model.id.substr(0, 2), "m-");
  EXPECT_EQ(model.artifact_uri, "mlflow-artifacts:/0/models/" + model.id + "/artifacts");
  EXPECT_EQ(model.status, ModelStatus::kPending);
  write(
      [&](storage::Transaction& t) { finalize_logged_model(t, model.id, ModelStatus::kReady, 9); });
  EXPECT_EQ(get(model.id).status, ModelStatus::kReady);
  EXPECT_EQ(get(model.id).updated_at_ms, 9);
  for (int i = 0; i < 2; ++i)
    write([&](storage::Transaction& t) { delete_logged_model(t, model.id, 10); });
  EXPECT_FALSE(
      read<bool>([&](storage::Session& s) { return find_logged_model(s, model.id).has_value(); }));
  EXPECT_TRUE(get(model.id).deleted);
  EXPECT_EQ(refusal([](storage::Transaction& t) { delete_logged_model(t, "m-x", 1); }),
            "not_found: Logged model with ID 'm-x' not found.");
}

TEST_F(LoggedModelTest, NamesAreCheckedOrInvented) {
  EXPECT_FALSE(make("").name.empty());
  EXPECT_EQ(refusal_of([&] { make("a/b"); }).substr(0, 56),
            "invalid_argument: Invalid model name ('a/b') provided. M");
}

TEST_F(LoggedModelTest, TagsChangeParamsDoNot) {
  const LoggedModel model = make("m", {{"depth", "3"}});
  write([&](storage::Transaction& t) {
    set_logged_model_tags(t, model.id, {{"k", "w"}, {"l", ""}});
  });
  write([&](storage::Transaction& t) {
    log_logged_model_params(t, model.id, {{"depth", "3"}, {"rate", "1"}});
  });
  EXPECT_EQ(get(model.id).tags, (Pairs{{"k", "w"}, {"l", ""}}));
  EXPECT_EQ(get(model.id).params, (Pairs{{"depth", "3"}, {"rate", "1"}}));
  EXPECT_EQ(refusal([&](storage::Transaction& t) {
              log_logged_model_params(t, model.id, {{"depth", "4"}});
            }),
            "invalid_argument: Changing param values is not allowed. Param with key='depth' was "
            "already logged with value='3' "
            "for model ID='" +
                model.id + "'. Attempted logging new value '4'.");
  write([&](storage::Transaction& t) { delete_logged_model_tag(t, model.id, "k"); });
  EXPECT_EQ(refusal([&](storage::Transaction& t) { delete_logged_model_tag(t, model.id, "k"); }),
            "not_found: No tag with key 'k' found for model with ID '" + model.id + "'.");
}

TEST_F(LoggedModelTest, MetricsOfARunReachTheModel) {
  const LoggedModel model = make("m");
  const RunInfo run = make_run();
  Batch batch{run.id,
              {{"auc", {1, 1, .5}, model.id, "d", "x"}, {"auc", {2, 2, .7}, model.id, "d", "x"}},
              {},
              {}};
  for (int i = 0; i < 2; ++i) write([&](storage::Transaction& t) { log_batch(t, batch); });
  const LoggedModel loaded = get(model.id);
  ASSERT_EQ(loaded.metrics.size(), 1U);
  EXPECT_EQ(loaded.metrics[0].value, .7);
  EXPECT_EQ(loaded.metrics[0].run_id, run.id);
  EXPECT_EQ(loaded.metrics[0].dataset_name, "d");
  batch.metrics = {{"auc", {1, 1, .5}, "m-none", "", ""}};
  EXPECT_EQ(refusal([&](storage::Transaction& t) { log_batch(t, batch); }),
            "not_found: Logged model with ID 'm-none' not found.");
}

TEST_F(LoggedModelTest, NewestModelOfARunByName) {
  make("m", {}, "r");
  const LoggedModel second = make("m", {}, "r");
  EXPECT_EQ(read<std::optional<std::string>>(
                [](storage::Session& s) { return find_model_of_run(s, "r", "m"); }),
            second.id);
  EXPECT_EQ(read<std::optional<std::string>>(
                [](storage::Session& s) { return find_model_of_run(s, "r", "n"); }),
            std::nullopt);
}

TEST_F(LoggedModelTest, SearchFiltersOrdersAndPages) {
  const RunInfo run = make_run();
  std::vector<LoggedModel> models;
  for (const char* name : {"a", "b", "c", "d"}) models.push_back(make(name, {{"p", name}}));
  for (std::size_t i = 0; i < 3; ++i) {
    const double value = static_cast<double>(i) / 10;
    write([&](storage::Transaction& t) {
      log_batch(
          t,
          {run.id, {{"auc", {1, 1, value}, models[i].id, i == 2 ? "test" : "train", "x"}}, {}, {}});
    });
  }
  EXPECT_EQ(filter(""), "dcba");
  EXPECT_EQ(filter("metrics.auc >= 0.1"), "cb");
  EXPECT_EQ(filter("params.p = 'b' AND tags.k = 'v'"), "b");
  EXPECT_EQ(filter("name IN ('a', 'd')"), "da");
  EXPECT_EQ(filter("model_type LIKE 'tr%' AND status = 1"), "dcba");
  EXPECT_EQ(filter("status = 2"), "");
  EXPECT_EQ(found({.experiment_ids = {0}, .datasets = {{"train", ""}}}), "ba");
  EXPECT_EQ(
      found({.experiment_ids = {0}, .filter = "metrics.auc > 0", .datasets = {{"train", "x"}}}),
      "b");
  EXPECT_EQ(found({.experiment_ids = {0}, .order_by = {{"metrics.auc", false, "", ""}}}), "cbad");
  EXPECT_EQ(found({.experiment_ids = {0}, .order_by = {{"metrics.auc", true, "train", ""}}}),
            "abdc");
  LoggedModelSearch by_name{
      .experiment_ids = {0}, .limit = 3, .order_by = {{"name", true, "", ""}}};
  EXPECT_EQ(found(by_name), "abc");
  by_name.page_token = token_;
  EXPECT_EQ(found(by_name), "d");
  by_name.filter = "name = 'd'";
  EXPECT_EQ(refusal_of([&] { found(by_name); }),
            "invalid_argument: Invalid page token: it belongs to a search with another filter, "
            "order or experiments");
  EXPECT_EQ(refusal_of([&] {
              found({.experiment_ids = {0}, .order_by = {{"color", true, "", ""}}});
            }),
            "invalid_argument: Invalid order by field name: color");
  EXPECT_EQ(refusal_of([&] {
              found({.experiment_ids = {0}, .datasets = {{"", ""}}});
            }),
            "invalid_argument: `dataset_name` in the `datasets` clause must be specified.");
}

// Each at its limit, all at once, and one beyond it.
TEST_F(LoggedModelTest, SearchLimits) {
  make("m");
  LoggedModelSearch most;
  for (std::int64_t id = 0; id < static_cast<std::int64_t>(kSearchExperimentsMax); ++id)
    most.experiment_ids.push_back(id);
  most.datasets.assign(kDatasetFiltersMax, {"train", "x"});
  most.order_by.assign(kOrderTermsMax, {"metrics.auc", true, "train", "x"});
  for (std::size_t i = 0; i < kComparisonsMax; ++i)
    most.filter += std::string(i == 0 ? "" : " AND ") + "metrics.auc > 0";
  EXPECT_EQ(found(most), "");
  LoggedModelSearch more = most;
  more.datasets.push_back({"train", ""});
  EXPECT_EQ(refusal_of([&] { found(more); }),
            "invalid_argument: Invalid value for parameter 'datasets' supplied: 101 entries, a "
            "search takes at most 100");
  more = most;
  more.order_by.push_back({"name", true, "", ""});
  EXPECT_EQ(refusal_of([&] { found(more); }),
            "invalid_argument: Invalid value for parameter 'order_by' supplied: 17 entries, a "
            "search takes at most 16");
  more = most;
  more.experiment_ids.push_back(0);
  EXPECT_EQ(refusal_of([&] { found(more); }),
            "invalid_argument: Invalid value for parameter 'experiment_ids' supplied: 10001 "
            "experiments, a search takes at most 10000");
}

}  // namespace
}  // namespace slipway::tracking
