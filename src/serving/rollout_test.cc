// SPDX-License-Identifier: Apache-2.0
#include "serving/rollout.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ledger/event.h"
#include "serving/endpoint.h"
#include "serving/router.h"
#include "storage/testing.h"

namespace slipway::serving {
namespace {

class RolloutTest : public testing::Test {
 protected:
  void SetUp() override { put(endpoint("e")); }
  static EndpointRow endpoint(const std::string& name) {
    EndpointRow row;
    row.name = name;
    row.model = "m";
    row.alias = "champion";
    return row;
  }
  EndpointRow put(const EndpointRow& row) {
    return database_.write_returning<EndpointRow>(
        [&](storage::Transaction& tx) { return put_endpoint(tx, clock_, row, change_); });
  }
  static RolloutStart wish() {
    RolloutStart start;
    start.endpoint = "e";
    start.model = "m";
    start.alias = "champion";
    start.champion = 1;
    start.challenger = 2;
    start.started_move = 4;
    start.weights = {0.25, 0.5};
    start.c0 = {0.01, 0.02, 0};
    start.delta = 0.02;
    start.alpha_promote = start.alpha_rollback = 0.05;
    start.log_position = 77;
    return start;
  }
  RolloutRow start(const RolloutStart& wanted = wish()) {
    return database_.write_returning<RolloutRow>([&](storage::Transaction& tx) {
      return start_rollout(tx, clock_, wanted, change_, {{"requests_expected", 2'000}});
    });
  }
  std::string refusal(const std::function<void(storage::Transaction&)>& work) {
    try {
      database_.write(work);
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.what();
    }
    return "done";
  }
  std::vector<std::string> events() {
    std::vector<std::string> types;
    database_.read([&](storage::Session& session) {
      for (const auto& event : ledger::list_events(session, {}))
        types.push_back(event.type + " " + event.subject.substr(0, 10));
    });
    return types;
  }

  FakeClock clock_{1'362'096'000'000'000};
  storage::FreshStore store_;
  storage::Database database_{store_.options()};
  const Change change_{"automation:test", "", 1'362'000'000'000'000};
};

TEST_F(RolloutTest, GoesThroughItsSteps) {
  const RolloutRow started = start();
  EXPECT_EQ(started.state, RolloutState::kActive);
  EXPECT_EQ(started.started_event_time, 1'362'000'000'000'000);
  EXPECT_NE(started.seed, 0U);
  StepCounters counters;
  counters.add(Arm::kChampion, false, false, false, 1'500);
  counters.add(Arm::kChallenger, true, false, true, 3);
  const RolloutRow second = database_.write_returning<RolloutRow>([&](storage::Transaction& tx) {
    return advance_rollout(tx, clock_, started.id, counters, {0.02, 0.03, 0.001},
                           {"automation:test", "", 1'362'050'000'000'000}, {{"e", 3.5}}, {"hash"});
  });
  EXPECT_EQ(second.step, 1);
  EXPECT_EQ(second.steps[0].counters, counters);
  EXPECT_EQ(second.steps[1].c0, (std::array<double, 3>{0.02, 0.03, 0.001}));
  const auto stored = database_.read_returning<RolloutRow>(
      [&](storage::Session& session) { return get_rollout(session, started.id); });
  EXPECT_EQ(stored.steps, second.steps);
  EXPECT_EQ(stored.seed, started.seed);
  EXPECT_EQ(stored.log_position, 77);
  EXPECT_EQ(refusal([&](storage::Transaction& tx) {
              advance_rollout(tx, clock_, started.id, {}, {}, change_);
            }),
            "failed_precondition: rollout " + started.id + " of endpoint `e` is at its last step");
  database_.write([&](storage::Transaction& tx) {
    finish_rollout(tx, clock_, started.id, RolloutState::kPromoted, counters, "enough evidence",
                   change_);
  });
  database_.read([&](storage::Session& session) {
    EXPECT_FALSE(find_active_rollout(session, "e"));
    EXPECT_EQ(list_rollouts(session, "e").at(0).reason, "enough evidence");
    EXPECT_TRUE(list_rollouts(session, "other").empty());
  });
  EXPECT_EQ(
      refusal([&](storage::Transaction& tx) { pause_rollout(tx, clock_, started.id, change_); }),
      "failed_precondition: rollout " + started.id + " of endpoint `e` is over: promoted");
  EXPECT_EQ(events(),
            (std::vector<std::string>{"endpoint.created endpoint:e", "rollout.started rollout:01",
                                      "rollout.step rollout:01", "rollout.promoted rollout:01"}));
}

TEST_F(RolloutTest, OneAtATime) {
  const RolloutRow first = start();
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { start_rollout(tx, clock_, wish(), change_); }),
            "failed_precondition: rollout " + first.id +
                " of endpoint `e` is under way; a second one has to wait");
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { delete_endpoint(tx, clock_, "e", change_); }),
            "failed_precondition: endpoint `e` has a rollout under way (" + first.id + ")");
}

TEST_F(RolloutTest, PauseAndResume) {
  const RolloutRow row = start();
  database_.write([&](storage::Transaction& tx) { pause_rollout(tx, clock_, row.id, change_); });
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { pause_rollout(tx, clock_, row.id, change_); }),
            "failed_precondition: rollout " + row.id + " of endpoint `e` is paused already");
  EXPECT_EQ(refusal([&](storage::Transaction& tx) {
              advance_rollout(tx, clock_, row.id, {}, {}, change_);
            }),
            "failed_precondition: rollout " + row.id + " of endpoint `e` is paused");
  database_.write([&](storage::Transaction& tx) { resume_rollout(tx, clock_, row.id, change_); });
  EXPECT_EQ(events().back(), "rollout.resumed rollout:01");
}

TEST_F(RolloutTest, WrongWishesAreNamed) {
  const auto with = [](auto change) {
    RolloutStart start = wish();
    change(start);
    return start;
  };
  const std::pair<RolloutStart, std::string> cases[] = {
      {with([](auto& s) { s.weights = {}; }), "needs 1 to 32 steps, not 0"},
      {with([](auto& s) { s.weights.assign(33, 0.5); }), "needs 1 to 32 steps, not 33"},
      {with([](auto& s) {
         s.weights = {0.5, 0.25};
       }),
       "weights must rise and lie between 0 and 1, without them"},
      {with([](auto& s) {
         s.weights = {0.5, 1};
       }),
       "weights must rise and lie between 0 and 1, without them"},
      {with([](auto& s) { s.weights = {std::nan("")}; }),
       "weights must rise and lie between 0 and 1, without them"},
      {with([](auto& s) { s.challenger = 1; }), "champion and challenger must be two versions"},
      {with([](auto& s) { s.c0[1] = 1.5; }),
       "a rate before the step (c0) must lie between 0 and 1"},
  };
  for (const auto& [start, message] : cases) {
    EXPECT_EQ(refusal([&](storage::Transaction& tx) { start_rollout(tx, clock_, start, change_); }),
              "invalid_argument: rollout of endpoint `e`: " + message);
  }
  RolloutStart unknown = wish();
  unknown.endpoint = "nope";
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { start_rollout(tx, clock_, unknown, change_); }),
            "not_found: there is no endpoint `nope`");
}

TEST_F(RolloutTest, AHoldKeepsRolloutsAway) {
  HoldRow hold;
  hold.endpoint = "e";
  hold.reason = "the night shift said so";
  hold.until = clock_.now() + 10;
  database_.write([&](storage::Transaction& tx) { set_hold(tx, clock_, hold, change_); });
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { start_rollout(tx, clock_, wish(), change_); }),
            "failed_precondition: endpoint `e` is on hold: the night shift said so");
  clock_.advance(10);
  EXPECT_FALSE(database_.read_returning<bool>([&](storage::Session& session) {
    return find_hold(session, "e", clock_.now()).has_value();
  }));
  start();
  bool released = true;
  database_.write(
      [&](storage::Transaction& tx) { released = release_hold(tx, clock_, "e", change_); });
  EXPECT_FALSE(released);  // its time was up already
  EXPECT_EQ(refusal([&](storage::Transaction& tx) { set_hold(tx, clock_, hold, change_); }),
            "invalid_argument: the hold's time is over before it begins");
}

TEST_F(RolloutTest, TheSeedIsTheSameOnAnyMachine) {
  const std::uint64_t seed = start().seed;
  const storage::FreshStore elsewhere;
  storage::Database other(elsewhere.options());
  RolloutRow again;
  other.write([&](storage::Transaction& tx) {
    put_endpoint(tx, clock_, endpoint("e"), change_);
    again = start_rollout(tx, clock_, wish(), change_);
  });
  EXPECT_EQ(again.seed, seed);
}

TEST_F(RolloutTest, EndpointsAreCheckedAndOnlyChangesAreEvents) {
  EXPECT_EQ(put(endpoint("e")).updated_at, clock_.now());
  clock_.advance(5);
  EXPECT_EQ(put(endpoint("e")).updated_at, clock_.now() - 5);
  EXPECT_EQ(events().size(), 1U);
  EndpointRow both = endpoint("e");
  both.version = 2;
  EXPECT_EQ(
      refusal([&](storage::Transaction& tx) { put_endpoint(tx, clock_, both, change_); }),
      "invalid_argument: endpoint `e`: needs either `alias` or `version` (1 or more), not both");
  for (const char* name : {"", "-a", "a/b", "a b", ".."}) {
    EXPECT_EQ(refusal([&](storage::Transaction& tx) {
                put_endpoint(tx, clock_, endpoint(name), change_);
              }).substr(0, 31),
              "invalid_argument: endpoint name")
        << name;
  }
  EXPECT_EQ(refusal([&](storage::Transaction& tx) {
              put_endpoint(tx, clock_, endpoint(std::string(129, 'a')), change_);
            }).substr(0, 17),
            "invalid_argument:");
  EXPECT_EQ(put(endpoint(std::string(128, 'a'))).name.size(), 128U);
}

TEST_F(RolloutTest, AnEndpointsLimitIsInBothKeysOfItsEvents) {
  EndpointRow slow = endpoint("e");
  slow.latency_limit_us = 250'500;
  put(slow);
  const auto stored = database_.read_returning<std::vector<ledger::StoredEvent>>(
      [](storage::Session& session) { return ledger::list_events(session, {}); });
  EXPECT_EQ(json::write(stored.at(1).body),
            R"({"model":"m","clock":"wall","alias":"champion","latency_limit_us":250500,)"
            R"("latency_limit_ms":250.5})");
}

TEST(Router, ArmsAreSharesAndDoNotDependOnTheWeightsOrder) {
  int quarter = 0;
  for (std::int64_t seq = 1; seq <= 100'000; ++seq) {
    const Arm at_quarter = choose_arm(7, {1, seq}, 0.25);
    quarter += at_quarter == Arm::kChallenger ? 1 : 0;
    // Who is in at 25 % stays in at 50 %.
    if (at_quarter == Arm::kChallenger) {
      ASSERT_EQ(choose_arm(7, {1, seq}, 0.5), Arm::kChallenger);
    }
    ASSERT_EQ(choose_arm(7, {1, seq}, 0), Arm::kChampion);
    ASSERT_EQ(choose_arm(7, {1, seq}, 1), Arm::kChallenger);
  }
  EXPECT_NEAR(quarter, 25'000, 5 * 137);  // standard deviation 137
  // Stable for ever: a log can be checked years later.
  std::string arms;
  for (std::int64_t seq = 1; seq <= 20; ++seq)
    arms += choose_arm(42, {1, seq}, 0.5) == Arm::kChallenger ? '1' : '0';
  EXPECT_EQ(arms, "00111000010010010000");
}

TEST_F(RolloutTest, BeforeTheFirstRequestThereIsNoTime) {
  const Change timeless{"automation:test", "", 0};
  const RolloutRow started = database_.write_returning<RolloutRow>(
      [&](storage::Transaction& tx) { return start_rollout(tx, clock_, wish(), timeless); });
  EXPECT_EQ(started.started_event_time, 0);
  EXPECT_TRUE(to_json(started).find("started_event_time")->is_null());
  EXPECT_TRUE(to_json(started).find("steps")->as_array()[0].find("started_event_time")->is_null());
  const auto begin = [&](TimeUs time) {
    return database_.write_returning<RolloutRow>(
        [&](storage::Transaction& tx) { return begin_rollout_time(tx, started.id, time); });
  };
  EXPECT_EQ(begin(1'362'000'000'000'000).started_event_time, 1'362'000'000'000'000);
  EXPECT_EQ(begin(1'362'000'000'000'001).started_event_time, 1'362'000'000'000'000);  // once
  const auto stored = database_.read_returning<RolloutRow>(
      [&](storage::Session& session) { return get_rollout(session, started.id); });
  EXPECT_EQ(stored.started_event_time, 1'362'000'000'000'000);
  EXPECT_EQ(stored.steps[0].started_event_time, 1'362'000'000'000'000);
  EXPECT_EQ(stored.steps[1].started_event_time, 0);
}

TEST_F(RolloutTest, ARolloutThatIsOverGetsNoStart) {
  const Change timeless{"automation:test", "", 0};
  database_.write([&](storage::Transaction& tx) {
    const RolloutRow row = start_rollout(tx, clock_, wish(), timeless);
    const RolloutRow over =
        finish_rollout(tx, clock_, row.id, RolloutState::kAborted, {}, "by hand", timeless);
    EXPECT_EQ(over.finished_event_time, 0);
    EXPECT_EQ(begin_rollout_time(tx, row.id, 5).started_event_time, 0);
  });
}

}  // namespace
}  // namespace slipway::serving
