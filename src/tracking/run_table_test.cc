// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_table.h"

#include "tracking/dataset_input.h"
#include "tracking/stage_token.h"
#include "tracking/testing.h"

namespace slipway::tracking {
namespace {

using RunTable = TrackingTest;

TEST_F(RunTable, NewRunHasIdPlaceAndName) {
  const RunInfo run = make_run("first", 5, {{"k", "v"}});
  EXPECT_EQ(run.id.size(), 32U);
  EXPECT_EQ(run.artifact_uri, "mlflow-artifacts:/0/" + run.id + "/artifacts");
  EXPECT_EQ(run.status, RunStatus::kRunning);
  const tracking::Run loaded = load(run);
  EXPECT_EQ(loaded.info, run);
  EXPECT_EQ(loaded.tags, (Pairs{{"k", "v"}, {"mlflow.runName", "first"}}));
}

TEST_F(RunTable, NameAndTagAreOne) {
  EXPECT_EQ(load(make_run("", 1, {{"mlflow.runName", "from tag"}})).info.name, "from tag");
  EXPECT_FALSE(load(make_run("")).info.name.empty());
  EXPECT_EQ(refusal([](storage::Transaction& transaction) {
              NewRun run;
              run.name = "a";
              run.tags = {{"mlflow.runName", "b"}};
              create_run(transaction, run);
            }),
            "invalid_argument: Both 'run_name' argument and 'mlflow.runName' tag are specified, "
            "but with different values "
            "(run_name='a', mlflow.runName='b').");
}

TEST_F(RunTable, UpdateChangesWhatIsGiven) {
  const RunInfo run = make_run("a");
  write([&](storage::Transaction& t) {
    update_run(t, {run.id, RunStatus::kFinished, 99, std::nullopt});
  });
  write([&](storage::Transaction& t) { update_run(t, {run.id, std::nullopt, std::nullopt, "b"}); });
  const tracking::Run loaded = load(run);
  EXPECT_EQ(loaded.info.status, RunStatus::kFinished);
  EXPECT_EQ(loaded.info.end_time_ms, 99);
  EXPECT_EQ(loaded.info.name, "b");
  EXPECT_EQ(*loaded.tag("mlflow.runName"), "b");
}

TEST_F(RunTable, DeletedRunIsReadButNotWritten) {
  const RunInfo run = make_run();
  for (int i = 0; i < 2; ++i)
    write([&](storage::Transaction& t) { delete_run(t, run.id, kNowMs); });
  EXPECT_TRUE(load(run).info.deleted);
  EXPECT_EQ(refusal([&](storage::Transaction& t) { set_run_tag(t, run.id, "k", "v"); }),
            "failed_precondition: The run " + run.id +
                " must be in the 'active' state. Current state is deleted.");
  write([&](storage::Transaction& t) { restore_run(t, run.id); });
  EXPECT_FALSE(load(run).info.deleted);
  EXPECT_EQ(refusal([&](storage::Transaction& t) { delete_run(t, "nope", 1); }),
            "not_found: Run with id=nope not found");
}

TEST_F(RunTable, ChildrenAndAncestorsFollowTheTag) {
  const RunInfo parent = make_run("parent");
  const RunInfo second = make_run("second", 20, {{"mlflow.parentRunId", parent.id}});
  const RunInfo first = make_run("first", 10, {{"mlflow.parentRunId", parent.id}});
  const RunInfo deep = make_run("deep", 30, {{"mlflow.parentRunId", first.id}});
  const auto children = read<std::vector<RunInfo>>(
      [&](storage::Session& session) { return list_children(session, parent.id); });
  EXPECT_EQ(children, (std::vector<RunInfo>{first, second}));
  const auto ancestors = read<std::vector<RunInfo>>(
      [&](storage::Session& session) { return list_ancestors(session, deep.id); });
  EXPECT_EQ(ancestors, (std::vector<RunInfo>{first, parent}));
}

TEST_F(RunTable, AncestorsOfARingEnd) {
  const RunInfo a = make_run("a");
  const RunInfo b = make_run("b", 1, {{"mlflow.parentRunId", a.id}});
  write([&](storage::Transaction& t) { set_run_tag(t, a.id, "mlflow.parentRunId", b.id); });
  EXPECT_EQ(read<std::vector<RunInfo>>([&](storage::Session& s) {
              return list_ancestors(s, a.id);
            }).size(),
            16U);
}

TEST_F(RunTable, StageTokenMakesChildren) {
  const RunInfo stage = make_run("stage");
  const std::string token = database_.write_returning<std::string>(
      [&](storage::Transaction& t) { return mint_stage_token(t, clock_, stage.id); });
  EXPECT_EQ(token.size(), 5U + 64U);
  const auto run_of = [&](const std::string& text) {
    return read<std::optional<std::string>>(
        [&](storage::Session& s) { return find_stage_run(s, text); });
  };
  EXPECT_EQ(run_of(token), stage.id);
  EXPECT_EQ(run_of(""), std::nullopt);
  EXPECT_EQ(run_of("slst_" + std::string(64, '0')), std::nullopt);

  const auto parent_of = [&](const Pairs& tags) {
    const RunInfo child = database_.write_returning<RunInfo>([&](storage::Transaction& t) {
      NewRun run;
      run.tags = tags;
      run.stage_run = stage.id;
      return create_run(t, run);
    });
    return *load(child).tag("mlflow.parentRunId");
  };
  EXPECT_EQ(parent_of({}), stage.id);
  EXPECT_EQ(parent_of({{"mlflow.parentRunId", "mine"}}), "mine");

  write([&](storage::Transaction& t) { revoke_stage_tokens(t, clock_, stage.id); });
  EXPECT_EQ(run_of(token), std::nullopt);
}

TEST_F(RunTable, TokensAreStoredAsDigests) {
  const RunInfo stage = make_run();
  const std::string token = database_.write_returning<std::string>(
      [&](storage::Transaction& t) { return mint_stage_token(t, clock_, stage.id); });
  const auto stored = read<std::string>([](storage::Session& s) {
    auto row = s.query("SELECT token_sha256 FROM stage_token");
    row.step();
    return row.text(0);
  });
  EXPECT_EQ(stored.size(), 64U);
  EXPECT_EQ(token.find(stored), std::string::npos);
}

TEST_F(RunTable, DatasetsAreOnePerNameAndDigest) {
  const RunInfo a = make_run("a");
  const RunInfo b = make_run("b");
  const DatasetInput train{
      "flights", "abc", "local", "f.csv", "{}", "", {{"mlflow.data.context", "train"}}};
  DatasetInput test = train;
  test.tags = {{"mlflow.data.context", "test"}};
  write([&](storage::Transaction& t) { log_inputs(t, a.id, {train, train}, {"m-1"}); });
  write([&](storage::Transaction& t) { log_inputs(t, b.id, {test}, {}); });
  write([&](storage::Transaction& t) { log_outputs(t, a.id, {{"m-2", 3}}); });
  const tracking::Run loaded = load(a);
  ASSERT_EQ(loaded.datasets.size(), 1U);
  EXPECT_EQ(loaded.datasets[0].tags, train.tags);
  EXPECT_EQ(loaded.model_inputs, std::vector<std::string>{"m-1"});
  ASSERT_EQ(loaded.model_outputs.size(), 1U);
  EXPECT_EQ(loaded.model_outputs[0].step, 3);
  const auto summaries = read<std::vector<DatasetSummary>>(
      [](storage::Session& s) { return summarize_datasets(s, {0}); });
  EXPECT_EQ(summaries, (std::vector<DatasetSummary>{{0, "flights", "abc", "test"},
                                                    {0, "flights", "abc", "train"}}));
}

TEST_F(RunTable, DatasetFieldsAreChecked) {
  const auto check = [](DatasetInput input) {
    return refusal_of([&] { check_dataset_inputs({input}); });
  };
  EXPECT_EQ(check({"n", "d", "t", "s", "", "", {}}), "");
  EXPECT_EQ(check({"", "d", "t", "s", "", "", {}}),
            "invalid_argument: Missing value for required parameter 'datasets[0].dataset.name'.");
  EXPECT_EQ(
      check({"n", std::string(37, 'x'), "t", "s", "", "", {}}),
      "invalid_argument: 'datasets[0].dataset.digest' exceeds the maximum length of 36 characters");
  EXPECT_EQ(
      check({"n", "d", "t", "s", "", "", {{"k", std::string(501, 'x')}}}),
      "invalid_argument: 'datasets[0].tags.value' exceeds the maximum length of 500 characters");
  EXPECT_EQ(refusal_of([] { check_dataset_inputs(std::vector<DatasetInput>(1'001)); }),
            "invalid_argument: A call can log at most 1000 datasets, not 1001");
  EXPECT_EQ(refusal_of([&] {
              read<int>([](storage::Session& s) {
                summarize_datasets(s, std::vector<std::int64_t>(21));
                return 0;
              });
            }),
            "invalid_argument: experiment_ids cannot have more than 20 entries, not 21");
}

}  // namespace
}  // namespace slipway::tracking
