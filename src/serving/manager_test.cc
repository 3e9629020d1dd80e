// SPDX-License-Identifier: Apache-2.0
#include "serving/manager.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "serving/world.h"

namespace slipway::serving {
namespace {

constexpr const char* kName = "late-arrival";

class ManagerTest : public testing::Test {
 protected:
  // Two versions of one signature, the endpoint follows `champion`, which is version 1.
  void serve_first(EndpointRow row = {}) {
    world_.add_version("flights", "classifier.onnx");
    world_.add_version("flights", "challenger.onnx");
    world_.set_alias("flights", "champion", 1);
    row.name = kName;
    row.model = "flights";
    row.alias = "champion";
    world_.add_endpoint(row);
  }
  std::int64_t served() { return world_.predictor->predict(world_.call(kName)).version->version; }
  std::vector<std::string> events(const std::string& type) {
    ledger::EventFilter filter;
    filter.type_prefix = type;
    std::vector<std::string> bodies;
    world_.database.read([&](storage::Session& session) {
      for (const auto& event : ledger::list_events(session, filter))
        bodies.push_back(json::write(event.body));
    });
    return bodies;
  }
  registry::ModelVersion version(std::int64_t number) {
    return world_.database.read_returning<registry::ModelVersion>([&](storage::Session& session) {
      return registry::get_version(session, "flights", number);
    });
  }
  // Without a look of the world's own manager.
  void move_champion(std::int64_t version) {
    world_.database.write([&](storage::Transaction& tx) {
      registry::AliasChange change;
      change.model = "flights";
      change.alias = "champion";
      change.version = version;
      change.actor = "user:test";
      registry::move_alias(tx, world_.clock, change);
    });
  }
  std::string problem() { return world_.manager->router().find(kName)->problem; }

  ServingWorld world_;
  // Probability of class 1 for (1, -1, 2), by version.
  const double expected_first_[2] = {expected_numbers("classifier")[3],
                                     expected_numbers("challenger")[3]};
};

TEST_F(ManagerTest, AnswersNameVersionAndRunAndAreLogged) {
  serve_first();
  const Prediction prediction = world_.predictor->predict(world_.call(kName));
  ASSERT_FALSE(prediction.error);
  EXPECT_EQ(to_text(prediction.id), "00000001-1");
  EXPECT_EQ(prediction.version->version, 1);
  EXPECT_EQ(prediction.version->run_id, version(1).run_id);
  EXPECT_EQ(prediction.version->engine, "onnxruntime 1.27.0");
  EXPECT_NEAR(numbers(prediction.outputs[1])[1], expected_numbers("classifier")[3], 2e-6);
  world_.log->flush();
  const PredictionRecord record = world_.log->find(prediction.id).value();
  EXPECT_EQ(record.endpoint, kName);
  EXPECT_EQ(record.model, "flights");
  EXPECT_EQ(record.run_id, version(1).run_id);
  EXPECT_EQ(record.rows, 1);
  EXPECT_TRUE(same_values(record.outputs, prediction.outputs));
  // What explain and the gate do: the recorded version gives the same again.
  EXPECT_TRUE(
      same_values(score(*world_.manager->version("flights", 1), record.inputs), record.outputs));
}

TEST_F(ManagerTest, FollowsTheAlias) {
  serve_first();
  EXPECT_EQ(served(), 1);
  world_.set_alias("flights", "champion", 2);
  EXPECT_EQ(served(), 2);
  EXPECT_EQ(events("endpoint.loaded"),
            (std::vector<std::string>{R"({"model":"flights","version":1})",
                                      R"({"model":"flights","version":2})"}));
  EXPECT_FALSE(world_.manager->refresh_now(kName));
}

TEST_F(ManagerTest, AnEndpointWithoutAVersionSaysSo) {
  EndpointRow row;
  row.name = kName;
  row.model = "flights";
  row.alias = "champion";
  world_.add_endpoint(row);
  try {
    world_.predictor->predict(world_.call(kName));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_STREQ(error.what(),
                 "endpoint `late-arrival` has nothing to serve: model `flights` has no alias "
                 "`champion` yet");
  }
}

TEST_F(ManagerTest, AVersionThatDoesNotLoadLeavesTheOldOneServing) {
  serve_first();
  world_.add_version("flights", "custom.onnx");
  world_.set_alias("flights", "champion", 3);
  EXPECT_EQ(served(), 1);
  EXPECT_EQ(problem().substr(0, 34), "version 3 cannot be served: model ");
  EXPECT_EQ(version(3).condition, registry::Condition::kUnservable);
  EXPECT_EQ(events("endpoint.load_failed").size(), 1U);
  world_.refresh();
  EXPECT_EQ(events("endpoint.load_failed").size(), 1U);
  world_.set_alias("flights", "champion", 2);
  EXPECT_EQ(served(), 2);
  EXPECT_EQ(problem(), "");
}

TEST_F(ManagerTest, EveryNewVersionIsChecked) {
  const char* const example =
      R"({"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 2, 3]]}})";
  world_.add_version("flights", "classifier.onnx", {{"serving_input_example.json", example}});
  world_.add_version("flights", "", {},
                     "flavors:\n  sklearn:\n    pickled_model: model.pkl\n  python_function: {}\n");
  world_.add_version("flights", "classifier.onnx", {}, "");
  world_.add_version("flights", "classifier.onnx", {{"second.onnx", "x"}}, "");
  world_.add_version(
      "flights", "classifier.onnx",
      {{"serving_input_example.json", R"({"dataframe_split": {"data": [[1, 2]]}})"}});
  world_.add_version("flights", "classifier.onnx", {},
                     "flavors:\n  onnx:\n    data: ../model.onnx\n");
  world_.add_version("flights", "classifier.onnx", {}, "flavors:\n  onnx:\n    data: other.onnx\n");
  world_.manager->check_versions();
  EXPECT_EQ(version(1).condition, registry::Condition::kServable) << version(1).condition_reason;
  EXPECT_EQ(version(2).condition_reason,
            "its flavours are sklearn, python_function; only onnx is served, and the artifact has "
            "no .onnx file");
  EXPECT_EQ(version(3).condition, registry::Condition::kServable);
  EXPECT_EQ(version(4).condition_reason,
            "its artifact has neither an MLmodel of onnx flavour nor exactly one .onnx file, but 2 "
            ".onnx files");
  EXPECT_EQ(
      version(5).condition_reason,
      "it does not answer its own input example: the model takes 3 columns, the request has 2");
  EXPECT_EQ(version(6).condition_reason,
            "its MLmodel names the file `../model.onnx`, which is no path within the artifact");
  EXPECT_EQ(version(7).condition_reason, "its file `other.onnx` is not in the artifact");
}

TEST_F(ManagerTest, OutputsThatTrainingRecordedMustComeOut) {
  const std::string inputs =
      R"({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, -1, 2]}], "outputs": [)";
  const auto outputs = [](const std::string& p) {
    return R"({"name": "probabilities", "shape": [1, 2], "datatype": "FP32", "data": [)" + p +
           "]}]}";
  };
  world_.add_version("flights", "classifier.onnx",
                     {{"slipway_example.json", inputs + outputs("0.020875, 0.979125")}});
  world_.add_version("flights", "classifier.onnx",
                     {{"slipway_example.json", inputs + outputs("0.03, 0.97")}});
  world_.add_version("flights", "classifier.onnx", {{"slipway_example.json", "{"}});
  world_.manager->check_versions();
  EXPECT_EQ(version(1).condition, registry::Condition::kServable) << version(1).condition_reason;
  EXPECT_EQ(version(2).condition, registry::Condition::kUnservable);
  EXPECT_EQ(version(2).condition_reason.substr(0, 107),
            "it does not give the outputs that training recorded (slipway_example.json): they "
            "differ by up to 0.009125, ");
  EXPECT_EQ(version(3).condition_reason.substr(0, 46),
            "its slipway_example.json cannot be checked: no");
}

TEST_F(ManagerTest, ARequestByVersionIsNotRoutedAndNotCounted) {
  serve_first();
  PredictionCall call = world_.call(kName);
  call.direct = world_.manager->version("flights", 2);
  EXPECT_EQ(world_.predictor->predict(call).version->version, 2);
  EXPECT_EQ(world_.log->baseline(kName, 2), StepCounters{});
  try {
    world_.manager->version("flights", 9);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
  }
}

TEST_F(ManagerTest, TheSplitIsWhatTheRolloutSays) {
  serve_first();
  const RolloutRow rollout = world_.start(kName, 1, 2, 0.25);
  std::map<std::int64_t, int> answered;
  for (int i = 0; i < 4'000; ++i) ++answered[served()];
  // Binomial(4000, 1/4): 1000 with a standard deviation of 27.4.
  EXPECT_NEAR(answered[2], 1'000, 110);
  const StepCounters live = world_.log->counters(rollout.id, 0);
  EXPECT_EQ(live.requests(Arm::kChallenger), answered[2]);
  EXPECT_EQ(live.requests(Arm::kChampion), answered[1]);
  world_.log->flush();
  EXPECT_EQ(recount(*world_.log, rollout.id, rollout.log_position, 1)[0], live);
  // The arm of a request can be computed again by anybody.
  int checked = 0;
  world_.log->each(1, world_.log->end_position(), false, [&](const PredictionRecord& record) {
    EXPECT_EQ(record.arm, choose_arm(rollout.seed, record.id, 0.25));
    EXPECT_EQ(record.version, record.arm == Arm::kChallenger ? 2 : 1);
    return ++checked < 4'000;
  });
  EXPECT_EQ(checked, 4'000);
  // After a restart the counters and the rollout are as before.
  world_.restart();
  EXPECT_EQ(world_.log->counters(rollout.id, 0), live);
  EXPECT_EQ(world_.manager->router().find(kName)->rollout, rollout.id);
}

TEST_F(ManagerTest, PausedOrOutrunRolloutsSendNothing) {
  serve_first();
  const RolloutRow rollout = world_.start(kName, 1, 2, 0.5);
  EXPECT_NE(world_.manager->router().find(kName)->challenger, nullptr);
  world_.database.write([&](storage::Transaction& tx) {
    pause_rollout(tx, world_.clock, rollout.id, {"user:test", "", 0});
  });
  world_.refresh();
  EXPECT_EQ(world_.manager->router().find(kName)->challenger, nullptr);
  world_.database.write([&](storage::Transaction& tx) {
    resume_rollout(tx, world_.clock, rollout.id, {"user:test", "", 0});
  });
  world_.add_version("flights", "classifier.onnx");
  world_.set_alias("flights", "champion", 3);  // a newer move than the one it started from
  EXPECT_EQ(world_.manager->router().find(kName)->challenger, nullptr);
  EXPECT_EQ(served(), 3);
}

TEST_F(ManagerTest, AChallengerThatRefusesRequestsLoses) {
  serve_first();
  world_.add_version("flights", "narrow.onnx");
  const RolloutRow rollout = world_.start(kName, 1, 3, 0.5);
  int refused = 0;
  for (int i = 0; i < 200; ++i) {
    const Prediction prediction = world_.predictor->predict(world_.call(kName));
    if (!prediction.error) continue;
    ++refused;
    EXPECT_STREQ(prediction.error->what(),
                 "model flights/3: input `x` has the shape [1, 3], but the model takes [-1, 2]");
  }
  const StepCounters counters = world_.log->counters(rollout.id, 0);
  EXPECT_EQ(counters.at(Loss::kError, Arm::kChallenger).bad, refused);
  EXPECT_EQ(counters.at(Loss::kError, Arm::kChallenger).good, 0);
  EXPECT_EQ(counters.at(Loss::kError, Arm::kChampion).bad, 0);
  EXPECT_GT(refused, 60);
}

TEST_F(ManagerTest, NanAndSlowAnswersAreCounted) {
  EndpointRow row;
  row.latency_limit_us = 1;
  serve_first(row);
  world_.predictor->predict(
      world_.call(kName, {floats("x", {2, 3}, {std::nanf(""), 0, 0, 1, 1, 1})}));
  world_.predictor->predict(world_.call(kName));
  const StepCounters counters = world_.log->baseline(kName, 1);
  EXPECT_EQ(counters.at(Loss::kNan, Arm::kChampion),
            (StepCounters::Cell{1, 1}));  // a request counts once, whatever its rows
  EXPECT_EQ(counters.at(Loss::kError, Arm::kChampion), (StepCounters::Cell{0, 2}));
  EXPECT_EQ(counters.at(Loss::kSlow, Arm::kChampion),
            (StepCounters::Cell{0, 2}));  // the test's clock stands still
}

TEST_F(ManagerTest, HotSwapFailsNoRequest) {
  serve_first();
  std::atomic<bool> stop{false};
  std::atomic<int> answered{0};
  std::atomic<int> failed{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t) {
    clients.emplace_back([&] {
      while (!stop) {
        const Prediction prediction = world_.predictor->predict(world_.call(kName));
        const double expected = expected_first_[prediction.version->version == 1 ? 0 : 1];
        const bool right =
            !prediction.error && std::abs(numbers(prediction.outputs[1])[1] - expected) < 1e-5;
        right ? ++answered : ++failed;
      }
    });
  }
  for (int swap = 0; swap < 30; ++swap) {
    world_.set_alias("flights", "champion", 1 + (swap + 1) % 2);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  stop = true;
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(answered, 100);
}

TEST_F(ManagerTest, EventTimesMoveTheWatermark) {
  EndpointRow row;
  row.clock = EndpointClock::kEvent;
  serve_first(row);
  EXPECT_EQ(world_.predictor->predict(world_.call(kName)).event_time, world_.clock.now());
  world_.clock.advance(kMicrosPerDay);
  PredictionCall call = world_.call(kName);
  call.event_time = world_.clock.now() - 1'000;
  EXPECT_EQ(world_.predictor->predict(call).event_time, world_.clock.now() - 1'000);
  // Without a time of its own a request has the watermark.
  EXPECT_EQ(world_.predictor->predict(world_.call(kName)).event_time, world_.clock.now() - 1'000);
  call.event_time = world_.clock.now() + kEventTimeAheadMaxUs;
  EXPECT_FALSE(world_.predictor->predict(call).error);
  call.event_time = world_.clock.now() + kEventTimeAheadMaxUs + 1;
  try {
    world_.predictor->predict(call);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "event_time 2013-03-02T00:05:00.000001Z is more than 5 minutes ahead of now");
  }
  EXPECT_EQ(world_.log->watermark(kName), world_.clock.now() + kEventTimeAheadMaxUs);
}

TEST_F(ManagerTest, APinnedEndpointServesWhatItsHoldSays) {
  world_.add_version("flights", "classifier.onnx");
  world_.add_version("flights", "challenger.onnx");
  EndpointRow row;
  row.name = kName;
  row.model = "flights";
  row.version = 1;
  world_.add_endpoint(row);
  row.version = 2;
  EXPECT_EQ(world_.add_endpoint(row).previous_version, 1);
  EXPECT_EQ(served(), 2);
  HoldRow hold;
  hold.endpoint = kName;
  hold.reason = "bad";
  hold.until = world_.clock.now() + kMicrosPerSecond;
  hold.version = 1;
  world_.database.write([&](storage::Transaction& tx) {
    set_hold(tx, world_.clock, hold, {"user:test", "", 0});
  });
  world_.refresh();
  EXPECT_EQ(served(), 1);
  world_.clock.advance(kMicrosPerSecond);
  world_.refresh();
  EXPECT_EQ(served(), 2);
}

// Answers no example in time: testdata/endless.onnx counts for ever when x is above 0.
const std::map<std::string, std::string> kEndless{
    {"serving_input_example.json",
     R"({"dataframe_split": {"columns": ["a", "b", "c"], "data": [[1, 1, 1]]}})"}};

TEST_F(ManagerTest, AVersionThatDoesNotAnswerIsNotServable) {
  EXPECT_EQ(kProbeLimit, std::chrono::seconds(10));
  std::int64_t number = 0;
  for (const auto& [limit, text] : {std::pair{std::chrono::milliseconds(150), "150 ms"},
                                    std::pair{std::chrono::milliseconds(1'000), "1 s"}}) {
    Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                     world_.metrics, limit});
    world_.add_version("flights", "endless.onnx", kEndless);
    manager.check_versions();
    EXPECT_EQ(version(++number).condition_reason, std::string("it does not answer within ") + text);
  }
}

TEST_F(ManagerTest, ASlowNewVersionDelaysNeitherSwapNorEnd) {
  serve_first();
  Manager slow({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                world_.metrics, std::chrono::hours(1)});
  slow.refresh_now(kName);
  slow.check_versions();
  world_.add_version("flights", "endless.onnx", kEndless);
  slow.refresh_now(kName);  // loads what endpoints want alone
  EXPECT_EQ(version(3).condition, registry::Condition::kUnchecked);
  std::jthread check([&slow] { slow.check_versions(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  world_.set_alias("flights", "champion", 2);
  EXPECT_TRUE(slow.refresh_now(kName));
  EXPECT_EQ(slow.router().find(kName)->champion->version, 2);
  EXPECT_EQ(slow.version("flights", 1)->version, 1);
  slow.stop();
  check.join();
  EXPECT_EQ(version(3).condition, registry::Condition::kUnchecked);  // nothing was found out
}

TEST_F(ManagerTest, ARestartIsNoNews) {
  serve_first();
  world_.restart();
  world_.set_alias("flights", "champion", 2);
  world_.restart();
  EXPECT_EQ(served(), 2);
  world_.set_alias("flights", "champion", 1);
  EXPECT_EQ(events("endpoint.loaded"),
            (std::vector<std::string>{R"({"model":"flights","version":1})",
                                      R"({"model":"flights","version":2})",
                                      R"({"model":"flights","version":1})"}));
}

// Fails as the library of an engine may: not with an Error.
class BrokenEngine final : public Engine {
 public:
  std::shared_ptr<const LoadedModel> load(const std::filesystem::path&,
                                          const std::string&) override {
    throw std::runtime_error("the engine broke");
  }
  std::string name() override { return "broken"; }
};

TEST_F(ManagerTest, AnExceptionOfTheEngineIsTheVersionsFault) {
  serve_first();
  BrokenEngine engine;
  Manager broken(
      {world_.database, world_.artifacts, engine, *world_.log, world_.clock, world_.metrics});
  EXPECT_TRUE(broken.refresh_now(kName));
  EXPECT_EQ(broken.router().find(kName)->problem,
            "version 1 cannot be served: it cannot be loaded: the engine broke");
  broken.check_versions();
  EXPECT_EQ(version(1).condition_reason, "it cannot be loaded: the engine broke");
  EXPECT_EQ(version(2).condition_reason, "it cannot be loaded: the engine broke");
}

class BrokenModel final : public LoadedModel {
 public:
  const std::vector<TensorInfo>& inputs() const override { return infos_; }
  const std::vector<TensorInfo>& outputs() const override { return infos_; }
  std::vector<Tensor> run(std::span<const Tensor>, std::span<const std::string>) const override {
    throw std::bad_alloc();
  }

 private:
  std::vector<TensorInfo> infos_;
};

TEST_F(ManagerTest, AnExceptionInARunCountsForItsArm) {
  serve_first();
  auto version = std::make_shared<ServedVersion>();
  version->model = "flights";
  version->version = 7;
  version->loaded = std::make_shared<BrokenModel>();
  auto route = std::make_shared<Route>(*world_.manager->router().find(kName));
  route->champion = version;
  PredictionCall call = world_.call(kName);
  call.route = route;
  const Prediction prediction = world_.predictor->predict(call);
  ASSERT_TRUE(prediction.error);
  EXPECT_EQ(prediction.error->code(), Code::kInternal);
  EXPECT_STREQ(prediction.error->what(), "model flights/7 failed: std::bad_alloc");
  EXPECT_EQ(world_.log->baseline(kName, 7).at(Loss::kError, Arm::kChampion),
            (StepCounters::Cell{1, 0}));
}

TEST_F(ManagerTest, AStoreThatTakesNothingKeepsNoRouteFromStanding) {
  // The fault is a trigger in SQLite's words; what is tested stands above both engines.
  if (!storage::test_database_url().empty()) GTEST_SKIP() << "with a trigger of SQLite's";
  serve_first();
  world_.database.write([](storage::Transaction& tx) {
    tx.execute(
        "CREATE TRIGGER full_disk BEFORE INSERT ON event WHEN NEW.type = 'endpoint.loaded' "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  });
  world_.set_alias("flights", "champion", 2);
  EXPECT_EQ(served(), 2);
  EXPECT_EQ(events("endpoint.loaded").size(), 1U);
  world_.database.write([](storage::Transaction& tx) { tx.execute("DROP TRIGGER full_disk"); });
  world_.refresh();
  EXPECT_EQ(events("endpoint.loaded"),
            (std::vector<std::string>{R"({"model":"flights","version":1})",
                                      R"({"model":"flights","version":2})"}));
}

TEST_F(ManagerTest, HoldersOfEndedRolloutsLetGoAfterACrash) {
  serve_first();
  const RolloutRow rollout = world_.start(kName, 1, 2, 0.5);
  world_.log->retain_from("rollout:gone", 1);
  world_.log->retain_from("monitor:m", 1);
  world_.restart();
  EXPECT_EQ(world_.log->holders("rollout:"), (std::vector<std::string>{"rollout:" + rollout.id}));
  EXPECT_EQ(world_.log->holders(""),
            (std::vector<std::string>{"monitor:m", "rollout:" + rollout.id}));
}

TEST_F(ManagerTest, ASlowVersionHoldsUpNeitherTheStartNorOtherEndpoints) {
  serve_first();
  world_.add_version("slow", "endless.onnx", kEndless);
  EndpointRow pinned;
  pinned.name = "slow";
  pinned.model = "slow";
  pinned.version = 1;
  world_.database.write([&](storage::Transaction& tx) {
    put_endpoint(tx, world_.clock, pinned, {"user:test", "", 0});
  });
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics, std::chrono::hours(1)});
  manager.start();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(manager.refresh_within(std::chrono::milliseconds(500)));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
  const auto slow = manager.router().find("slow");
  EXPECT_TRUE(slow->loading);
  EXPECT_EQ(slow->problem, "version 1 is loading");
  EXPECT_EQ(manager.router().find(kName)->champion->version, 1);
  EXPECT_FALSE(manager.router().find(kName)->loading);
  PredictionCall call = world_.call(kName);
  call.route = slow;
  try {
    world_.predictor->predict(call);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_STREQ(error.what(), "endpoint `slow` has nothing to serve: version 1 is loading");
  }
  // Another endpoint's alias moves meanwhile.
  move_champion(2);
  EXPECT_FALSE(manager.refresh_within(std::chrono::milliseconds(2'000)));
  EXPECT_EQ(manager.router().find(kName)->champion->version, 2);
  manager.stop();  // gives the probe up
  EXPECT_EQ(events("endpoint.load_failed").size(), 0U);
}

TEST_F(ManagerTest, NobodyWaitsForAVersionThatIsNotTheirs) {
  serve_first();
  world_.add_version("slow", "endless.onnx", kEndless);
  EndpointRow pinned;
  pinned.name = "slow";
  pinned.model = "slow";
  pinned.version = 1;
  world_.database.write([&](storage::Transaction& tx) {
    put_endpoint(tx, world_.clock, pinned, {"user:test", "", 0});
  });
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics, std::chrono::hours(1)});
  EXPECT_TRUE(manager.refresh_now(kName));  // which is loaded here, without threads
  EXPECT_EQ(manager.router().find(kName)->champion->version, 1);
  EXPECT_TRUE(manager.router().find("slow")->loading);
  manager.start();
  move_champion(2);
  EXPECT_TRUE(manager.refresh_now(kName));
  EXPECT_EQ(manager.router().find(kName)->champion->version, 2);
  EXPECT_FALSE(manager.refresh_within(std::chrono::milliseconds(0)));
  EXPECT_TRUE(manager.router().find("slow")->loading);
}

TEST_F(ManagerTest, AStopGivesUpWhatARequestLoadsAndLoadsNothingMore) {
  serve_first();
  world_.add_version("slow", "endless.onnx", kEndless);
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics, std::chrono::hours(1)});
  const auto refusal = [&manager](const std::string& model) {
    try {
      manager.version(model, 1);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.what();
    }
    return std::string("loaded");
  };
  std::string slow;
  std::jthread request([&] { slow = refusal("slow"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  manager.stop();
  request.join();
  EXPECT_EQ(slow.substr(0, 12), "unavailable:");  // as a rule: the run was given up, as asked
  EXPECT_EQ(refusal("flights"), "unavailable: the server is stopping");
}

// Two endpoints want one version: it is loaded for either of them.
TEST_F(ManagerTest, AVersionThatTwoWantIsEithersOwn) {
  serve_first();
  EndpointRow other;
  other.name = "another";  // before the first by name
  other.model = "flights";
  other.alias = "champion";
  world_.database.write([&](storage::Transaction& tx) {
    put_endpoint(tx, world_.clock, other, {"user:test", "", 0});
  });
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics});
  manager.refresh_now(kName);
  EXPECT_EQ(manager.router().find(kName)->champion->version, 1);
  EXPECT_EQ(manager.router().find("another")->champion->version, 1);
}

TEST_F(ManagerTest, ABrokenVersionThatIsTriedAgainIsStillAFault) {
  world_.add_version("slow", "endless.onnx", kEndless);
  EndpointRow pinned;
  pinned.name = "slow";
  pinned.model = "slow";
  pinned.version = 1;
  world_.database.write([&](storage::Transaction& tx) {
    put_endpoint(tx, world_.clock, pinned, {"user:test", "", 0});
  });
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics, std::chrono::milliseconds(1'000)});
  manager.start();
  EXPECT_TRUE(manager.refresh_within(std::chrono::seconds(60)));
  EXPECT_EQ(manager.router().find("slow")->problem,
            "version 1 cannot be served: it does not answer within 1 s");
  EXPECT_FALSE(manager.router().find("slow")->loading);
  world_.clock.advance(31 * kMicrosPerSecond);
  EXPECT_FALSE(manager.refresh_within(std::chrono::milliseconds(100)));
  EXPECT_EQ(manager.router().find("slow")->problem,
            "version 1 is loading again; it could not be served: it does not answer within 1 s");
  EXPECT_FALSE(manager.router().find("slow")->loading);
}

TEST_F(ManagerTest, WhileTheNewVersionLoadsTheOldOneServes) {
  serve_first();
  Manager manager({world_.database, world_.artifacts, test_engine(), *world_.log, world_.clock,
                   world_.metrics, std::chrono::hours(1)});
  manager.start();
  EXPECT_TRUE(manager.refresh_within(std::chrono::seconds(60)));
  world_.add_version("flights", "endless.onnx", kEndless);
  move_champion(3);
  EXPECT_FALSE(manager.refresh_within(std::chrono::milliseconds(500)));
  const auto route = manager.router().find(kName);
  EXPECT_EQ(route->champion->version, 1);
  EXPECT_TRUE(route->loading);
  EXPECT_EQ(route->problem, "version 3 is loading");
  PredictionCall call = world_.call(kName);
  call.route = route;
  EXPECT_EQ(world_.predictor->predict(call).version->version, 1);
}

}  // namespace
}  // namespace slipway::serving
