// SPDX-License-Identifier: Apache-2.0
#include "tracking/experiment_table.h"

#include "tracking/experiment_search.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

class ExperimentTable : public TrackingTest {
 protected:
  std::vector<std::string> names(const ExperimentSearch& search) {
    const auto page = read<ExperimentPage>(
        [&](storage::Session& session) { return search_experiments(session, search); });
    token_ = page.next_page_token;
    std::vector<std::string> names;
    for (const Experiment& experiment : page.experiments) names.push_back(experiment.name);
    return names;
  }
  std::string token_;
};

TEST_F(ExperimentTable, DefaultIsThereFromTheStart) {
  write([](storage::Transaction& transaction) { date_default_experiment(transaction, kNowMs); });
  write(
      [](storage::Transaction& transaction) { date_default_experiment(transaction, kNowMs + 1); });
  const auto experiment =
      read<Experiment>([](storage::Session& session) { return get_experiment(session, 0); });
  EXPECT_EQ(experiment.name, "Default");
  EXPECT_EQ(experiment.artifact_location, "mlflow-artifacts:/0");
  EXPECT_EQ(experiment.created_at_ms, kNowMs);
}

TEST_F(ExperimentTable, CreatedOneIsFoundByIdAndName) {
  const std::int64_t id =
      database_.write_returning<std::int64_t>([](storage::Transaction& transaction) {
        return create_experiment(transaction, {"früh", "s3://bucket/x", {{"b", "2"}, {"a", "1"}}},
                                 kNowMs);
      });
  const auto found = read<std::optional<Experiment>>(
      [](storage::Session& session) { return find_experiment_by_name(session, "früh"); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, id);
  EXPECT_EQ(found->artifact_location, "s3://bucket/x");
  EXPECT_EQ(found->tags, (Pairs{{"a", "1"}, {"b", "2"}}));
}

TEST_F(ExperimentTable, NameStaysTakenAfterDeletion) {
  const std::int64_t id = make_experiment("e");
  const auto again = [](storage::Transaction& transaction) {
    create_experiment(transaction, {"e", "", {}}, kNowMs);
  };
  EXPECT_EQ(refusal(again), "already_exists: Experiment(name=e) already exists.");
  write([&](storage::Transaction& transaction) { delete_experiment(transaction, id, kNowMs); });
  EXPECT_EQ(refusal(again),
            "already_exists: Experiment(name=e) already exists. It is in the 'deleted' state: "
            "restore experiment 1 or choose "
            "another name.");
}

TEST_F(ExperimentTable, DeletingTakesTheRunsAlong) {
  const std::int64_t id = make_experiment("e");
  const RunInfo run = make_run("r", 1, {}, id);
  write([&](storage::Transaction& transaction) { delete_experiment(transaction, id, kNowMs); });
  EXPECT_TRUE(load(run).info.deleted);
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              delete_experiment(transaction, id, kNowMs);
            }),
            "not_found: No Experiment with id=1 exists");
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              rename_experiment(transaction, id, "f", kNowMs);
            }),
            "failed_precondition: Cannot rename a non-active experiment.");
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              NewRun late;
              late.experiment_id = id;
              create_run(transaction, late);
            }),
            "failed_precondition: The experiment 1 must be in the 'active' state. Current state is "
            "deleted.");
  write([&](storage::Transaction& transaction) { restore_experiment(transaction, id, kNowMs); });
  EXPECT_FALSE(load(run).info.deleted);
}

TEST_F(ExperimentTable, RenamingKeepsNamesUnique) {
  const std::int64_t id = make_experiment("e");
  make_experiment("f");
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              rename_experiment(transaction, id, "f", kNowMs);
            }),
            "already_exists: Experiment(name=f) already exists.");
  EXPECT_EQ(refusal([&](storage::Transaction& transaction) {
              rename_experiment(transaction, id, "", kNowMs);
            }),
            "invalid_argument: Invalid experiment name: ''");
  write(
      [&](storage::Transaction& transaction) { rename_experiment(transaction, id, "e", kNowMs); });
  write(
      [&](storage::Transaction& transaction) { rename_experiment(transaction, id, "g", kNowMs); });
  EXPECT_TRUE(
      read<bool>([](storage::Session& s) { return find_experiment_by_name(s, "g").has_value(); }));
}

TEST_F(ExperimentTable, TagsAreSetReplacedAndRemoved) {
  write([](storage::Transaction& transaction) {
    set_experiment_tag(transaction, 0, "k", "1", kNowMs);
    set_experiment_tag(transaction, 0, "k", "2", kNowMs);
  });
  EXPECT_EQ(read<Experiment>([](storage::Session& s) { return get_experiment(s, 0); }).tags,
            (Pairs{{"k", "2"}}));
  write([](storage::Transaction& transaction) {
    delete_experiment_tag(transaction, 0, "k", kNowMs);
  });
  EXPECT_EQ(refusal([](storage::Transaction& t) { delete_experiment_tag(t, 0, "k", kNowMs); }),
            "not_found: No tag with name: k in experiment with id 0");
  EXPECT_EQ(refusal([](storage::Transaction& t) {
              set_experiment_tag(t, 0, "k", std::string(20'001, 'x'), kNowMs);
            }),
            "invalid_argument: 'value' exceeds the maximum length of 20000 characters");
}

TEST_F(ExperimentTable, LimitsOfNames) {
  EXPECT_EQ(refusal([](storage::Transaction& t) {
              create_experiment(t, {std::string(501, 'x'), "", {}}, 1);
            }),
            "invalid_argument: 'name' exceeds the maximum length of 500 characters");
  std::string umlauts;
  for (int i = 0; i < 500; ++i) umlauts += "ü";
  EXPECT_EQ(refusal([&](storage::Transaction& t) {
              create_experiment(t, {umlauts, "", {}}, 1);
            }),
            "");
}

TEST_F(ExperimentTable, IdsAreWholeNumbers) {
  EXPECT_EQ(parse_experiment_id(""), 0);
  EXPECT_EQ(parse_experiment_id("842736283746283746"), 842736283746283746);
  EXPECT_EQ(
      refusal_of([] { parse_experiment_id("1.5"); }),
      "invalid_argument: Invalid experiment ID '1.5'. Experiment ID must be a valid integer.");
}

TEST_F(ExperimentTable, SearchFiltersOrdersAndPages) {
  for (const char* name : {"alpha", "beta", "Gamma"}) make_experiment(name);
  write([](storage::Transaction& t) { set_experiment_tag(t, 2, "team", "x", kNowMs); });
  EXPECT_EQ(names({.filter = "name LIKE '%a'", .order_by = {"name"}}),
            (std::vector<std::string>{"Gamma", "alpha", "beta"}));
  EXPECT_EQ(names({.filter = "name LIKE 'g%'"}), std::vector<std::string>{});
  EXPECT_EQ(names({.filter = "name ILIKE 'g%'"}), std::vector<std::string>{"Gamma"});
  EXPECT_EQ(names({.filter = "tags.team = 'x'"}), std::vector<std::string>{"beta"});
  EXPECT_EQ(names({.filter = "tags.team IS NULL AND experiment_id IN ('1', '2')"}),
            std::vector<std::string>{"alpha"});
  EXPECT_EQ(names({.filter = "creation_time > 5", .limit = 2, .order_by = {"experiment_id DESC"}}),
            (std::vector<std::string>{"Gamma", "beta"}));
  EXPECT_EQ(names({.filter = "creation_time > 5",
                   .limit = 2,
                   .order_by = {"experiment_id DESC"},
                   .page_token = token_}),
            std::vector<std::string>{"alpha"});
  EXPECT_EQ(token_, "");
  write([](storage::Transaction& t) { delete_experiment(t, 1, kNowMs); });
  EXPECT_EQ(names({.view = ViewType::kDeletedOnly}), std::vector<std::string>{"alpha"});
  EXPECT_EQ(names({.view = ViewType::kAll}).size(), 4U);
}

}  // namespace
}  // namespace slipway::tracking
