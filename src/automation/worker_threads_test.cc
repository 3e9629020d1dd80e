// SPDX-License-Identifier: Apache-2.0
// What the worker's threads do by themselves, and how settle shares the work with them.
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <utility>

#include "automation/retraining.h"
#include "automation/testing.h"
#include "automation/worker.h"
#include "base/error.h"
#include "base/mutex.h"

namespace slipway::automation {
namespace {

constexpr std::chrono::seconds kLong{20};  // never reached unless something hangs

bool comes_true(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

class Threads : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.set_up_champion();
    world_.work();
    world_.at("2013-03-05");
  }
  // A test that fails leaves no training behind that the threads wait for.
  void TearDown() override {
    release();
    world_.worker->stop();
  }

  void on_wall_time() {
    std::string objects(TestWorld::kObjects);
    const std::string clock = "  clock: event\n";
    objects.replace(objects.find(clock), clock.size(), "  clock: wall\n");
    world_.apply_text(objects);
  }
  void hold_trainings() {
    world_.during_training = [this] {
      trains_ = true;
      open_.wait();
    };
  }
  void release() {
    if (!std::exchange(released_, true)) gate_.set_value();
  }
  std::future<Worker::Settled> settle(TimeUs timeout) {
    return std::async(std::launch::async,
                      [this, timeout] { return world_.worker->settle("late-arrival", timeout); });
  }
  std::vector<Retraining> retrainings() {
    return world_.database.read_returning<std::vector<Retraining>>(
        [](storage::Session& session) { return retrainings_of(session, "retrain", 100); });
  }

  TestWorld world_;
  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future().share();
  bool released_ = false;
  std::atomic<bool> trains_{false};
};

TEST_F(Threads, FollowTheMonitorsOfAnEndpointOnWallTime) {
  on_wall_time();
  std::atomic<bool> raised{false};
  world_.deps.follow_labels = [&](const Deps::Scope& in_scope) {
    if (raised || !in_scope("late-arrival")) return false;
    world_.raise_alarm("A1");
    raised = true;
    return true;
  };
  world_.worker->start();
  EXPECT_TRUE(comes_true([&] { return !world_.events("rollout.started").empty(); }));
  world_.worker->stop();
}

TEST_F(Threads, LeaveTheMonitorsOfAReplayedEndpointAloneUntilItIsQuiet) {
  std::atomic<int> out_of_scope{0};
  std::atomic<int> in_scope_looks{0};
  world_.deps.follow_labels = [&](const Deps::Scope& in_scope) {
    ++(in_scope("late-arrival") ? in_scope_looks : out_of_scope);
    return false;
  };
  world_.worker->start();
  EXPECT_TRUE(comes_true([&] { return out_of_scope >= 2; }));
  EXPECT_EQ(in_scope_looks, 0);
  world_.clock.advance(kEventClockQuiet);
  EXPECT_TRUE(comes_true([&] { return in_scope_looks >= 1; }));
  world_.worker->stop();
}

TEST_F(Threads, SettleLeavesTheTrainingToTheirThreadAndTellsTheSameStory) {
  const std::int64_t from = world_.last_seq();
  std::thread::id trained_on;
  world_.during_training = [&] { trained_on = std::this_thread::get_id(); };
  world_.verdict = "fail";
  world_.raise_alarm("A1");
  world_.worker->start();
  const Worker::Settled settled = world_.worker->settle("late-arrival", 60 * kMicrosPerSecond);
  EXPECT_TRUE(settled.settled);
  EXPECT_EQ(settled.events, 6);
  EXPECT_NE(trained_on, std::thread::id());
  EXPECT_NE(trained_on, std::this_thread::get_id());
  EXPECT_EQ(world_.types(from),
            "alarm.raised trigger.fired retraining.started model.version_created "
            "retraining.finished gate.evaluated promotion.refused");
  EXPECT_EQ(world_.worker->settle("late-arrival", 60 * kMicrosPerSecond).events, 0);
}

TEST_F(Threads, SettleReturnsInTimeWhileATrainingGoesOn) {
  hold_trainings();
  world_.raise_alarm("A1");
  world_.worker->start();
  auto waiting = settle(60 * kMicrosPerSecond);
  ASSERT_TRUE(comes_true([&] { return trains_.load(); }));
  world_.clock.advance(61 * kMicrosPerSecond);
  ASSERT_EQ(waiting.wait_for(kLong), std::future_status::ready);
  EXPECT_FALSE(waiting.get().settled);
  EXPECT_EQ(retrainings().at(0).state, "running");
}

TEST_F(Threads, AThirdSettleIsTurnedAway) {
  hold_trainings();
  Mutex mutex;
  std::set<std::thread::id> seated;
  world_.deps.flush_log = [&] {
    MutexLock lock(mutex);
    seated.insert(std::this_thread::get_id());
  };
  world_.raise_alarm("A1");
  world_.worker->start();
  auto first = settle(600 * kMicrosPerSecond);
  auto second = settle(600 * kMicrosPerSecond);
  ASSERT_TRUE(comes_true([&] {
    MutexLock lock(mutex);
    return seated.size() == 2;
  }));
  try {
    world_.worker->settle("late-arrival", 600 * kMicrosPerSecond);
    ADD_FAILURE() << "a third settle was let in";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_STREQ(
        error.what(),
        "2 settles are under way already, which is as many as there may be; try again when "
        "one has ended");
  }
  release();
  ASSERT_EQ(first.wait_for(kLong), std::future_status::ready);
  ASSERT_EQ(second.wait_for(kLong), std::future_status::ready);
  EXPECT_TRUE(first.get().settled);
  EXPECT_TRUE(second.get().settled);
  EXPECT_EQ(retrainings().size(), 1U);
  world_.worker->stop();
}

TEST_F(Threads, ARequestToStopEndsASettleThatWaits) {
  hold_trainings();
  world_.raise_alarm("A1");
  world_.worker->start();
  auto waiting = settle(600 * kMicrosPerSecond);
  ASSERT_TRUE(comes_true([&] { return trains_.load(); }));
  world_.worker->request_stop();
  ASSERT_EQ(waiting.wait_for(kLong), std::future_status::ready);
  EXPECT_FALSE(waiting.get().settled);
}

TEST_F(Threads, StartAfterARequestToStopStartsNothing) {
  std::atomic<int> looks{0};
  world_.deps.follow_labels = [&](const Deps::Scope&) {
    ++looks;
    return false;
  };
  world_.worker->request_stop();
  world_.worker->start();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(looks, 0);
  world_.worker->stop();
}

TEST_F(Threads, AGateThatIsBusyIsNotAskedAtEveryLook) {
  on_wall_time();
  std::atomic<int> asked{0};
  world_.deps.evaluate_gate = [&](const Deps::GateQuestion&) -> gate::Result {
    ++asked;
    throw Error(Code::kUnavailable, "the server is full");
  };
  world_.raise_alarm("A1");
  world_.worker->start();
  ASSERT_TRUE(comes_true([&] { return asked == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(3 * kPollMs));
  EXPECT_EQ(asked, 1);
  world_.clock.advance(kGateRetryMin);
  EXPECT_TRUE(comes_true([&] { return asked == 2; }));
  world_.clock.advance(kGateRetryMin);
  std::this_thread::sleep_for(std::chrono::milliseconds(3 * kPollMs));
  EXPECT_EQ(asked, 2);
  world_.clock.advance(kGateRetryMin);
  EXPECT_TRUE(comes_true([&] { return asked == 3; }));
  world_.worker->stop();
}

TEST_F(Threads, AStoreThatTakesNothingKeepsTheWorkerFromNoStart) {
  // The fault is a trigger in SQLite's words; what is tested stands above both engines.
  if (!storage::test_database_url().empty()) GTEST_SKIP() << "with a trigger of SQLite's";
  world_.raise_alarm("A1");
  struct Died {};
  world_.during_training = [] { throw Died(); };
  EXPECT_THROW(world_.work(), Died);
  world_.during_training = nullptr;
  world_.database.write([](storage::Transaction& tx) {
    tx.execute(
        "CREATE TRIGGER full_disk BEFORE UPDATE ON retraining "
        "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
  });
  world_.worker = world_.new_worker();
  world_.worker->start();
  EXPECT_EQ(retrainings().at(0).state, "running");
  world_.database.write([](storage::Transaction& tx) { tx.execute("DROP TRIGGER full_disk"); });
  EXPECT_TRUE(comes_true([this] { return retrainings().at(0).outcome == "interrupted"; }));
}

}  // namespace
}  // namespace slipway::automation
