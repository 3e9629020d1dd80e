// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "pipeline/data_file.h"
#include "pipeline/lock_file.h"
#include "pipeline/params.h"
#include "pipeline/pipeline_file.h"
#include "pipeline/repro.h"
#include "pipeline/rest_recorder.h"
#include "pipeline/run_cache.h"
#include "pipeline/tracked_data.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

TEST(RunCache, KeyAndValueAreDvcs) {
  // As dvc 3.67.1 names the entry of this stage: hashes of the entry's JSON without sizes.
  const yaml::Node entry = yaml::parse(
      "cmd: cp a b\ndeps:\n- path: a\n  hash: md5\n  md5: b026324c6904b2a9cb4b88d6d61c81d1\n  "
      "size: 2\n"
      "outs:\n- path: b\n  hash: md5\n  md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2\n",
      "entry");
  EXPECT_EQ(
      run_key(entry),
      sha256_hex(
          R"({"cmd": "cp a b", "deps": [{"hash": "md5", "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "path": "a"}], "outs": ["b"]})"));
  EXPECT_EQ(
      run_value(entry),
      sha256_hex(
          R"({"cmd": "cp a b", "deps": [{"hash": "md5", "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "path": "a"}], )"
          R"("outs": [{"hash": "md5", "md5": "b026324c6904b2a9cb4b88d6d61c81d1", "path": "b"}]})"));
}

TEST(Params, DottedKeysAndWholeFiles) {
  const yaml::Node file = yaml::parse("b: {z: 1, a: [10, {k: v}]}\na: 1\n", "params.yaml");
  ParamDependency params;
  params.keys = {"b.a.1.k", "a", "nope"};
  EXPECT_EQ(yaml::to_json_text(select_params(params, file)), R"({"a":1,"b.a.1.k":"v"})");
  EXPECT_EQ(missing_params(params, file), std::vector<std::string>{"nope"});
  params.keys.clear();
  EXPECT_EQ(yaml::to_json_text(select_params(params, file)),
            R"({"a":1,"b":{"z":1,"a":[10,{"k":"v"}]}})");
}

TEST(Stage, CommandsSplitAsPythonSplitsLines) {
  EXPECT_EQ(command_lines(yaml::Node::string("a\nb\r\n\nc")),
            (std::vector<std::string>{"a", "b", "", "c"}));
  EXPECT_EQ(command_lines(yaml::parse("[a, 'b c']", "f")), (std::vector<std::string>{"a", "b c"}));
}

TEST(Stage, EqualityIsPythons) {
  const auto equal = [](const char* a, const char* b) {
    return python_equal(yaml::parse(a, "a"), yaml::parse(b, "b"));
  };
  EXPECT_TRUE(equal("1", "1.0"));
  EXPECT_TRUE(equal("true", "1"));
  EXPECT_FALSE(equal("'1'", "1"));
  EXPECT_FALSE(equal(".nan", ".nan"));
  EXPECT_TRUE(equal("{a: 1, b: [2]}", "{b: [2], a: 1}"));
  EXPECT_FALSE(equal("[1, 2]", "[2, 1]"));
}

TEST(DataFile, KeepsTheOrderOfItsKeys) {
  const std::string before =
      "desc: mine\nouts:\n- path: x\n  md5: 0123456789abcdef0123456789abcdef.dir\n  nfiles: 3\n  "
      "hash: md5\n";
  Stage stage = parse_data_file(before, "/r/x.dvc", "x.dvc");
  stage.outs[0].recorded =
      Recorded{"b1946ac92492d2347c6235b4d2611184", data::HashKind::kMd5, 6, std::nullopt, false};
  EXPECT_EQ(data_file_text(stage, before, "x.dvc"),
            "desc: mine\nouts:\n- path: x\n  md5: b1946ac92492d2347c6235b4d2611184\n  hash: md5\n  "
            "size: 6\n");
  EXPECT_EQ(data_file_text(stage, "", "x.dvc"),
            "outs:\n- md5: b1946ac92492d2347c6235b4d2611184\n  size: 6\n  hash: md5\n  path: x\n");
}

TEST(LockFile, RefusesOtherSchemas) {
  const fs::path file = fs::temp_directory_path() / ("lock." + random_hex32());
  for (const char* text : {"train:\n  cmd: x\n", "schema: '3.0'\n"}) {
    write_file_atomic(file, text);
    EXPECT_THROW(LockFile(file, "dvc.lock"), Error) << text;
  }
  fs::remove(file);
}

// Remembers what it was told instead of running anything; makes the stage's output as told.
class FakeStageRunner final : public StageRunner {
 public:
  std::vector<StageTask> tasks;
  std::function<int(const StageTask&)> work;
  StageResult run(const StageTask& task) override {
    tasks.push_back(task);
    StageResult result;
    result.exit_code = work(task);
    if (result.exit_code != 0) result.failed_command = task.commands.front();
    return result;
  }
};

class ReproTest : public ::testing::Test {
 protected:
  ReproTest() : folder_(fs::temp_directory_path() / ("repro_test." + random_hex32())) {
    fs::create_directories(folder_);
    InitOptions options;
    options.no_scm = true;
    init_repository(folder_, processes_, options);
    write("in", "1\n");
    write("dvc.yaml",
          "stages:\n  b:\n    cmd: make b\n    deps: [a]\n    outs: [b]\n  a:\n    cmd: make a\n   "
          " deps: [in]\n    params: [lr]\n    outs: [a]\n");
    write("params.yaml", "lr: 0.1\n");
    runner_.work = [this](const StageTask& task) {
      write(task.stage, "made by " + task.commands.front() + "\n");
      return 0;
    };
  }
  ~ReproTest() override { fs::remove_all(folder_); }
  void write(const std::string& path, const std::string& text) {
    write_file_atomic(folder_ / path, text);
  }
  ReproResult repro(const ReproOptions& options = {}) {
    data::Workspace workspace(folder_, processes_);
    Console console{[this](const std::string& line) { said_ += line + "\n"; },
                    [this](const std::string& line) { said_ += "! " + line + "\n"; }};
    return Repro(workspace, runner_, *recorder_, clock_, console).run(folder_, options);
  }
  fs::path folder_;
  SystemProcessRunner processes_;
  FakeClock clock_{1'000'000};
  FakeStageRunner runner_;
  NullRecorder nothing_;
  RunRecorder* recorder_ = &nothing_;
  std::string said_;
};

TEST_F(ReproTest, RunsInOrderOnceAndThenNothing) {
  const ReproResult first = repro();
  EXPECT_EQ(first.stages_run, 2U);
  ASSERT_EQ(runner_.tasks.size(), 2U);
  EXPECT_EQ(runner_.tasks[0].stage, "a");
  EXPECT_EQ(runner_.tasks[1].environment.at("DVC_STAGE"), "b");
  const ReproResult second = repro();
  EXPECT_EQ(second.stages_unchanged, 2U);
  EXPECT_EQ(runner_.tasks.size(), 2U);
}

TEST_F(ReproTest, ThePlanSaysWhyBeforeAnythingRuns) {
  repro();
  write("params.yaml", "lr: 0.2\n");
  data::Workspace workspace(folder_, processes_);
  const Project project(workspace, folder_);
  const Plan plan = plan_repro(project, workspace, {});
  ASSERT_EQ(plan.size(), 2U);
  EXPECT_EQ(plan[0].reason, "parameter 'lr' of 'params.yaml' is modified");
  EXPECT_EQ(plan[1].reason, "stage 'a' runs before it");
  EXPECT_EQ(runner_.tasks.size(), 2U);
}

TEST_F(ReproTest, AFailureLeavesTheLockAndSaysWhich) {
  repro();
  const std::string lock = read_file(folder_ / "dvc.lock");
  write("in", "2\n");
  runner_.work = [](const StageTask&) { return 3; };
  try {
    repro();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "failed to reproduce 'a': failed to run: make a, exited with 3");
  }
  EXPECT_EQ(read_file(folder_ / "dvc.lock"), lock);
}

TEST_F(ReproTest, TheServerHearsOfAStageBeforeItRunsAndGetsItsOutputsAfter) {
  net::FakeHttpClient http;
  http.answer = [&](const net::HttpRequest& request) {
    net::HttpResponse response;
    response.status = 200;
    response.body = request.url.ends_with("/stage-runs") ? R"({"run_id":"s1","token":"slst_x"})"
                                                         : R"({"run_id":"r1"})";
    return response;
  };
  RestRecorder::Options options;
  options.url = "http://127.0.0.1:5000";
  options.token = "admin";
  RestRecorder recorder(http, options);
  recorder_ = &recorder;
  runner_.work = [&](const StageTask& task) {
    EXPECT_EQ(http.asked.size(),
              task.stage == "a" ? 2U : 4U);  // begin_repro, begin_stage before it
    EXPECT_EQ(task.environment.at("MLFLOW_TRACKING_URI"), "http://127.0.0.1:5000");
    EXPECT_EQ(task.environment.at("MLFLOW_TRACKING_TOKEN"), "slst_x");
    EXPECT_EQ(task.environment_removed, std::vector<std::string>{"SLIPWAY_TOKEN"});
    write(task.stage, "x\n");
    return 0;
  };
  repro();
  ASSERT_EQ(http.asked.size(), 6U);
  const json::Value begin = json::parse(http.asked[1].body);
  EXPECT_EQ(json::write(*begin.find("parameters")), R"({"params.yaml":{"lr":0.1}})");
  EXPECT_EQ(json::write(*begin.find("dependencies")),
            R"([{"path":"in","hash":"b026324c6904b2a9cb4b88d6d61c81d1","size":2}])");
  EXPECT_EQ(http.asked[2].url, "http://127.0.0.1:5000/api/slipway/v1/stage-runs/s1/finish");
  EXPECT_EQ(http.asked[5].url, "http://127.0.0.1:5000/api/slipway/v1/stage-runs/repros/r1/finish");
  EXPECT_EQ(http.asked[5].body, R"({"succeeded":true})");
}

TEST_F(ReproTest, ATrackingServerOfTheUsersOwnIsNotOverwritten) {
  net::FakeHttpClient http;
  http.answer = [](const net::HttpRequest&) {
    net::HttpResponse response;
    response.status = 200;
    response.body = R"({"run_id":"r","token":"t"})";
    return response;
  };
  RestRecorder::Options options;
  options.url = "http://127.0.0.1:5000";
  options.user_tracking_uri = "http://elsewhere";
  RestRecorder recorder(http, options);
  recorder.begin_repro({});
  EXPECT_TRUE(recorder.begin_stage({}).empty());
}

TEST_F(ReproTest, AServerThatRefusesStopsTheStageBeforeItRuns) {
  net::FakeHttpClient http;
  http.answer = [](const net::HttpRequest&) {
    net::HttpResponse response;
    response.status = 401;
    response.body =
        R"({"error":{"code":"unauthenticated","message":"the token is not known","hint":"SLIPWAY_TOKEN"}})";
    return response;
  };
  RestRecorder recorder(http, {"http://127.0.0.1:5000", "wrong", "", "", ""});
  recorder_ = &recorder;
  try {
    repro();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "failed to reproduce 'a': the server at http://127.0.0.1:5000 did not record the "
                 "run: the token is not known");
  }
  EXPECT_TRUE(runner_.tasks.empty());
}

}  // namespace
}  // namespace slipway::pipeline
