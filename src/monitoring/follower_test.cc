// SPDX-License-Identifier: Apache-2.0
#include "monitoring/follower.h"

#include <cmath>
#include <gtest/gtest.h>
#include <utility>

#include "ledger/evidence.h"
#include "monitoring/alarm.h"
#include "monitoring/testing.h"
#include "registry/alias.h"
#include "stats/e_detector.h"

namespace slipway::monitoring {
namespace {

constexpr const char* kSpec =
    R"({"endpoint": "late", "bound": 0.6, "budget": 20, "horizon": "1d", "blind_after": "3d"})";

class FollowerTest : public MonitoringWorld {
 protected:
  // A day of four predictions, each labelled "1" a day later; the model gave them this probability.
  void day(std::int64_t number, float probability, bool labels = true) {
    const TimeUs start = kFirstDay + number * kMicrosPerDay;
    std::vector<std::string> ids;
    for (int i = 0; i < 4; ++i)
      ids.push_back(predict(start + i * 3'600 * kMicrosPerSecond, probability));
    if (labels) {
      for (const std::string& id : ids) label(id, "1", start + kMicrosPerDay);
    }
  }
  double loss(float probability) { return -std::log(static_cast<double>(probability)) / 3; }
  void promote(std::int64_t version) {
    write_void([&](storage::Transaction& tx) {
      registry::AliasChange change;
      change.model = "late";
      change.alias = "champion";
      change.version = version;
      registry::move_alias(tx, clock_, change);
    });
  }
  // What a restart must not change.
  std::string story() {
    std::string text;
    for (const BlockRow& block : blocks()) text += json::write(to_json(block, 3)) + "\n";
    for (const ledger::StoredEvent& event : events("")) {
      json::Object body = event.body;
      body.erase("alarm");
      text += event.type + " " + std::to_string(event.event_time) + " " +
              json::write(json::Value(body)) + "\n";
    }
    return text;
  }
};

TEST_F(FollowerTest, ABlockClosesWhenTheWatermarkHasPassedItsEndByTheHorizon) {
  make_monitor(kSpec);
  day(0, 0.5F);
  day(1, 0.5F);
  follow();
  ASSERT_EQ(blocks().size(), 2U);
  EXPECT_FALSE(blocks()[0].closed);
  EXPECT_EQ(blocks()[0].labelled, 4);
  predict(kFirstDay + 2 * kMicrosPerDay - 1, 0.5F);
  follow();
  EXPECT_FALSE(blocks()[0].closed);
  predict(kFirstDay + 2 * kMicrosPerDay, 0.5F);
  follow();
  EXPECT_TRUE(blocks()[0].closed);
  EXPECT_TRUE(blocks()[0].judged);
  EXPECT_FALSE(blocks()[1].closed);
  EXPECT_DOUBLE_EQ(blocks()[0].loss_sum, 4 * loss(0.5F));
  EXPECT_EQ(status().state, "sighted");
  EXPECT_EQ(status().rows_predicted, 10);
  EXPECT_EQ(status().rows_labelled, 8);
  EXPECT_EQ(status().watermark, kFirstDay + 2 * kMicrosPerDay);
}

TEST_F(FollowerTest, TheDetectorIsThatOfStatsAndTheAlarmsEvidenceRecomputesIt) {
  make_monitor(kSpec);
  std::vector<double> means;
  for (int i = 0; i < 12; ++i) {
    const float p = i < 4 ? 0.6F : 0.3F;
    day(i, p);
    means.push_back(loss(p));
    follow();
  }
  const double m = 0.6 / 3;
  const auto run = stats::e_detector(means, m, 20, stats::EDetectorRule::kShiryaevRoberts, true);
  ASSERT_TRUE(run.alarm_at);
  const auto alarms = read<std::vector<Alarm>>(
      [](storage::Session& session) { return list_alarms(session, "m", 100); });
  ASSERT_EQ(alarms.size(), 1U);
  const Alarm& alarm = alarms[0];
  const std::int64_t block = *run.alarm_at - 1;
  EXPECT_EQ(alarm.block_start, kFirstDay + block * kMicrosPerDay);
  EXPECT_EQ(alarm.event_time, alarm.block_start + 2 * kMicrosPerDay);
  EXPECT_NEAR(alarm.value, run.path[static_cast<std::size_t>(block)], 1e-9 * alarm.value);
  EXPECT_EQ(alarm.blocks, *run.alarm_at);
  EXPECT_NEAR(alarm.block_mean_loss, -std::log(0.3), 1e-6);
  // The spec says 0.6; what the detector sees is a third of everything.
  const json::Value shown = to_json(alarm);
  const auto number = [&](std::string_view key) { return shown.find(key)->as_double(); };
  EXPECT_DOUBLE_EQ(number("loss_scale"), 3);
  EXPECT_DOUBLE_EQ(number("bound_loss"), 0.6);
  EXPECT_DOUBLE_EQ(number("bound_scaled"), 0.2);
  EXPECT_DOUBLE_EQ(number("bound"), 0.2);
  EXPECT_DOUBLE_EQ(number("mean_loss_scaled"), alarm.mean_loss / 3);
  EXPECT_NEAR(number("block_mean_loss_scaled"), -std::log(0.3) / 3, 1e-6);
  EXPECT_DOUBLE_EQ(number("mean_loss"), alarm.mean_loss);
  for (const char* key : {"loss_scale", "bound_loss", "bound_scaled", "mean_loss_scaled",
                          "block_mean_loss_scaled", "mean_loss", "block_mean_loss", "bound"}) {
    EXPECT_EQ(json::write(*events("alarm.raised")[0].body.find(key)), json::write(*shown.find(key)))
        << key;
  }
  const json::Value now = to_json(status());
  EXPECT_DOUBLE_EQ(now.find("bound_loss")->as_double(), 0.6);
  EXPECT_DOUBLE_EQ(now.find("bound_scaled")->as_double(), 0.2);
  const json::Value newest = to_json(blocks().front(), 3);
  EXPECT_DOUBLE_EQ(newest.find("mean_loss")->as_double(),
                   3 * newest.find("mean_scaled")->as_double());

  const auto event = events("alarm.raised");
  ASSERT_EQ(event.size(), 1U);
  EXPECT_EQ(event[0].subject, "monitor:m");
  EXPECT_EQ(event[0].body.find("alarm")->as_string(), alarm.id);
  EXPECT_EQ(event[0].body.find("block")->as_string(), format_time(alarm.block_start));
  const auto evidence = read<std::optional<ledger::Evidence>>(
      [&](storage::Session& session) { return ledger::find_evidence(session, alarm.evidence); });
  const json::Value* input = evidence->body.find("input");
  std::vector<double> x;
  for (const json::Value& value : input->find("x")->as_array()) x.push_back(value.as_double());
  const auto again =
      stats::e_detector(x, input->find("m")->as_double(), input->find("n")->as_double(),
                        stats::EDetectorRule::kShiryaevRoberts);
  EXPECT_EQ(again.alarm_at, alarm.blocks);
  EXPECT_EQ(again.value, alarm.value);
  EXPECT_EQ(status().restart_cause, "alarm " + alarm.id);
}

// Twenty days with a promotion, a day without labels and a decay; every `restart_every` steps the
// follower is made anew, and once a day the log too, as after kill -9 (0: never).
class World : public FollowerTest {
 public:
  void TestBody() override {}

  std::string tell(int restart_every) {
    make_monitor(kSpec);
    promote(1);
    int step = 0;
    auto follower = std::make_unique<Follower>(database_, clock_, *log_);
    for (int i = 0; i < 20; ++i) {
      clock_.advance(1'000);
      if (i == 15) promote(2);
      clock_.advance(1'000);
      day(i, i < 3 ? 0.6F : 0.25F, i != 5);
      bool opened = restart_every == 0;
      while (follower->work_once()) {
        if (restart_every == 0 || ++step % restart_every != 0) continue;
        follower.reset();
        if (!std::exchange(opened, true)) open_log();
        follower = std::make_unique<Follower>(database_, clock_, *log_);
      }
    }
    return story();
  }
};

TEST(FollowerRestartTest, AtAnyPointTellsTheSameStory) {
  const std::string once = World().tell(0);
  EXPECT_NE(once.find("alarm.raised"), std::string::npos);
  EXPECT_NE(once.find("began before version 2 at 100 %"), std::string::npos);
  EXPECT_NE(once.find("no labels"), std::string::npos);
  for (const int every : {1, 2, 3, 5}) EXPECT_EQ(World().tell(every), once) << every;
}

TEST_F(FollowerTest, LateLabelsAreCountedAndChangeNoVerdict) {
  make_monitor(kSpec);
  const std::string late = predict(kFirstDay + 1, 0.5F);
  const std::string early = predict(kFirstDay + 2, 0.5F);
  label(early, "1");
  predict(kFirstDay + 2 * kMicrosPerDay, 0.5F);
  follow();
  const double value = status().value;
  label(late, "0");
  follow();
  EXPECT_EQ(blocks()[0].late_rows, 1);
  EXPECT_EQ(blocks()[0].labelled, 1);
  EXPECT_EQ(status().late_rows, 1);
  EXPECT_EQ(status().value, value);
}

TEST_F(FollowerTest, ACorrectionReplacesTheLossWhileTheBlockIsOpen) {
  make_monitor(kSpec);
  const std::string id = predict(kFirstDay + 1, 0.8F);
  label(id, "0");
  follow();
  EXPECT_NEAR(blocks()[0].loss_sum, -std::log(0.2) / 3, 1e-6);
  label(id, "1");
  follow();
  EXPECT_EQ(blocks()[0].labelled, 1);
  EXPECT_NEAR(blocks()[0].loss_sum, loss(0.8F), 1e-12);
}

TEST_F(FollowerTest, RowsWithoutALossAreUnusableAndDirectOnesCountNowhere) {
  make_monitor(kSpec);
  label(predict(kFirstDay + 1, std::nanf("")), "1");
  serving::PredictionRecord failed = record(kFirstDay + 2, {0.5F});
  failed.error = true;
  failed.status = 400;
  failed.outputs.clear();
  label(answer(failed), "1");
  serving::PredictionRecord direct = record(kFirstDay + 3, {0.5F});
  direct.direct = true;
  label(answer(direct), "1");
  follow();
  EXPECT_EQ(blocks()[0].predictions, 2);
  EXPECT_EQ(blocks()[0].labelled, 2);
  EXPECT_EQ(blocks()[0].unusable, 2);
  predict(kFirstDay + 3 * kMicrosPerDay, 0.5F);
  follow();
  EXPECT_EQ(blocks()[0].skipped, "too few rows: 0 with a loss, 1 needed");
}

TEST_F(FollowerTest, WithoutLabelsItGoesBlindAndSaysSo) {
  make_monitor(kSpec);
  EXPECT_EQ(status().state, "blind");
  EXPECT_EQ(status().reason, "no block has been judged yet");
  day(0, 0.5F);
  for (int i = 1; i < 8; ++i) day(i, 0.5F, false);
  follow();
  EXPECT_EQ(status().state, "blind");
  EXPECT_EQ(status().reason,
            "no block was judged since 2013-03-02; the newest, 2013-03-06: no labels");
  ASSERT_EQ(events("monitor.blind").size(), 1U);
  EXPECT_EQ(events("monitor.blind")[0].body.find("reason")->as_string(),
            "no block was judged since 2013-03-02; the newest, 2013-03-05: no labels");
  ASSERT_EQ(events("monitor.sighted").size(), 1U);
  EXPECT_EQ(events("monitor.sighted")[0].body.find("reason")->as_string(),
            "block 2013-03-01 was judged");
  for (int i = 8; i < 11; ++i) day(i, 0.5F);
  follow();
  EXPECT_EQ(status().state, "sighted");
  EXPECT_EQ(events("monitor.sighted").size(), 2U);
}

TEST_F(FollowerTest, TooFewRowsAreNotJudged) {
  make_monitor(R"({"endpoint": "late", "bound": 0.6, "min_rows": 5})");
  for (int i = 0; i < 3; ++i) day(i, 0.5F);
  follow();
  EXPECT_EQ(blocks()[0].skipped, "too few rows: 4 with a loss, 5 needed");
  EXPECT_EQ(status().blocks_judged, 0);
  EXPECT_EQ(status().blocks_closed, 1);
}

TEST_F(FollowerTest, AVersionAtOneHundredPercentStartsTheDetectorAnew) {
  make_monitor(kSpec);
  promote(1);
  for (int i = 0; i < 4; ++i) {
    day(i, 0.5F);
    follow();
  }
  clock_.advance(1'000);
  promote(2);
  clock_.advance(1'000);
  for (int i = 4; i < 8; ++i) {
    day(i, 0.5F);
    follow();
  }
  // Day 3 was under way when version 2 came; days 0 and 1 had closed, day 2 had not.
  const auto rows = blocks();
  EXPECT_TRUE(rows[1].judged);
  EXPECT_EQ(rows[2].skipped, "began before version 2 at 100 %");
  EXPECT_EQ(rows[3].skipped, "began before version 2 at 100 %");
  EXPECT_TRUE(rows[4].judged);
  EXPECT_EQ(status().restart_cause, "version 2 at 100 %");
  EXPECT_EQ(status().blocks_since_restart, 2);
  EXPECT_EQ(rows[4].value, rows[0].value);
}

TEST_F(FollowerTest, AnUndeclaredBoundIsEstimatedFromSixtyBlocks) {
  make_monitor(R"({"endpoint": "late", "horizon": "0s"})");
  for (int i = 0; i < kBoundBlocksMin; ++i) day(i, i % 2 == 0 ? 0.6F : 0.7F);
  follow();
  EXPECT_FALSE(status().bound);
  EXPECT_EQ(status().reason, "its bound is being estimated: 59 of 60 blocks");
  day(60, 0.6F);
  day(61, 0.6F);
  follow();
  ASSERT_TRUE(status().bound);
  const double mean = (loss(0.6F) + loss(0.7F)) / 2;
  EXPECT_GT(*status().bound, mean * 1.1);
  EXPECT_LT(*status().bound, 1);
  EXPECT_EQ(status().blocks_judged, 1);
}

TEST_F(FollowerTest, BlocksMayBeHoursOrSingleRows) {
  make_monitor(R"({"endpoint": "late", "bound": 0.6, "block": "hour", "horizon": "1h"})");
  day(0, 0.5F);
  follow();
  EXPECT_EQ(blocks().size(), 4U);
  EXPECT_EQ(status().blocks_closed, 2);
  make_monitor(R"({"endpoint": "late", "bound": 0.6, "block": "none", "horizon": "1h"})");
  follow();
  EXPECT_EQ(blocks().size(), 4U);
  EXPECT_EQ(status().blocks_judged, 3);
  EXPECT_EQ(status().rows_predicted, 4);
}

TEST_F(FollowerTest, ANewBoundStartsAnewAndANewBudgetDoesNot) {
  make_monitor(kSpec);
  for (int i = 0; i < 4; ++i) day(i, 0.5F);
  follow();
  EXPECT_EQ(status().blocks_judged, 2);
  make_monitor(
      R"({"endpoint": "late", "bound": 0.6, "budget": 30, "horizon": "1d", "blind_after": "3d"})");
  EXPECT_EQ(status().blocks_judged, 2);
  EXPECT_EQ(status().threshold, 30);
  make_monitor(
      R"({"endpoint": "late", "bound": 0.7, "budget": 30, "horizon": "1d", "blind_after": "3d"})");
  EXPECT_EQ(status().blocks_judged, 0);
  follow();
  EXPECT_EQ(status().blocks_judged, 2);
}

TEST_F(FollowerTest, TheLogIsKeptFromTheOldestOpenBlockOn) {
  make_monitor(kSpec);
  for (int i = 0; i < 4; ++i) day(i, 0.5F);
  Follower follower(database_, clock_, *log_);
  while (follower.work_once()) {
  }
  EXPECT_FALSE(follower.work_once());
  write_void([](storage::Transaction& tx) { delete_monitor(tx, "m"); });
  EXPECT_FALSE(follower.work_once());
}

TEST_F(FollowerTest, AMonitorDeletedBetweenTwoProcessesIsLetGoOf) {
  make_monitor(kSpec);
  day(0, 0.5F);
  follow();
  EXPECT_EQ(log_->holders("monitor:"), std::vector<std::string>{"monitor:m"});
  write_void([](storage::Transaction& tx) { delete_monitor(tx, "m"); });
  follow();
  EXPECT_TRUE(log_->holders("monitor:").empty());
}

TEST_F(FollowerTest, AMonitorOutOfScopeIsLeftAloneAndKeepsItsLog) {
  make_monitor(kSpec);
  day(0, 0.5F);
  const auto elsewhere = [](const std::string& endpoint) { return endpoint == "other"; };
  Follower follower(database_, clock_, *log_);
  EXPECT_FALSE(follower.work_once(elsewhere));
  EXPECT_TRUE(blocks().empty());
  while (follower.work_once([](const std::string& endpoint) { return endpoint == "late"; })) {
  }
  EXPECT_EQ(blocks().size(), 1U);
  EXPECT_FALSE(follower.work_once(elsewhere));
  EXPECT_EQ(log_->holders("monitor:"), std::vector<std::string>{"monitor:m"});
}

TEST_F(FollowerTest, OneStepReadsLabelsAlsoWhilePredictionsKeepComing) {
  make_monitor(kSpec);
  Follower follower(database_, clock_, *log_);
  label(predict(kFirstDay + 1, 0.5F), "1");
  EXPECT_TRUE(follower.work_once());
  EXPECT_EQ(blocks()[0].predictions, 1);
  EXPECT_EQ(blocks()[0].labelled, 1);
}

class PinnedFollowerTest : public FollowerTest {
 protected:
  void SetUp() override {
    write_void([&](storage::Transaction& tx) {
      serving::EndpointRow row;
      row.name = "late";
      row.model = "late";
      row.version = 1;
      row.clock = serving::EndpointClock::kEvent;
      serving::put_endpoint(tx, clock_, row, {"user:a", "", 0});
    });
    make_monitor(kSpec);
  }
  void event(const std::string& type, std::int64_t version) {
    clock_.advance(1'000);
    write_void([&](storage::Transaction& tx) {
      ledger::Event event;
      event.type = type;
      event.subject = "endpoint:late";
      event.actor = "serving";
      event.body = {{"model", "late"}, {"version", version}};
      ledger::append(tx, clock_, event);
    });
    clock_.advance(1'000);
  }
  void days(int from, int to, float probability) {
    for (int i = from; i < to; ++i) {
      day(i, probability);
      follow();
    }
  }
};

TEST_F(PinnedFollowerTest, OnlyAnotherLoadedVersionStartsTheDetectorAnew) {
  event("endpoint.loaded", 1);
  days(0, 4, 0.5F);
  EXPECT_EQ(status().restart_cause, "version 1 at 100 %");
  const std::int64_t judged = status().blocks_since_restart;
  EXPECT_GT(judged, 0);
  event("endpoint.load_failed", 2);
  event("endpoint.updated", 2);
  event("endpoint.loaded", 1);
  days(4, 6, 0.5F);
  EXPECT_EQ(status().restart_cause, "version 1 at 100 %");
  EXPECT_EQ(status().blocks_since_restart, judged + 2);
  event("endpoint.loaded", 2);
  days(6, 10, 0.5F);
  EXPECT_EQ(status().restart_cause, "version 2 at 100 %");
}

TEST_F(PinnedFollowerTest, ARestartOfTheServerAfterAnAlarmIsNoNewVersion) {
  event("endpoint.loaded", 1);
  days(0, 8, 0.2F);
  ASSERT_FALSE(events("alarm.raised").empty());
  const std::string cause = status().restart_cause;
  EXPECT_EQ(cause.substr(0, 6), "alarm ");
  const std::size_t alarms = events("alarm.raised").size();
  event("endpoint.loaded", 1);
  days(8, 10, 0.9F);
  EXPECT_EQ(events("alarm.raised").size(), alarms);
  EXPECT_EQ(status().restart_cause, cause);
}

TEST(IndependenceTest, ClumpedDaysObjectAndMixedOnesDoNot) {
  std::vector<BlockRow> clumped;
  std::vector<BlockRow> mixed;
  for (int i = 0; i < 20; ++i) {
    BlockRow block;
    block.labelled = 100;
    const double share = i % 2 == 0 ? 0.1 : 0.4;
    block.loss_sum = block.loss_sum_squares = 100 * share;
    clumped.push_back(block);
    block.loss_sum = block.loss_sum_squares = 25 + (i % 3 - 1);
    mixed.push_back(block);
  }
  const IndependenceCheck found = check_independence(clumped);
  EXPECT_TRUE(found.objects);
  EXPECT_GT(found.ratio, 10);
  EXPECT_GT(found.sd_means, found.sd_independent);
  EXPECT_FALSE(check_independence(mixed).objects);
  EXPECT_TRUE(std::isnan(check_independence({}).ratio));
}

// One-way analysis of variance of (1,2,3), (2,4,6): F = 2.4 (scipy.stats.f_oneway), p = 0.19626.
TEST(IndependenceTest, IsTheAnalysisOfVariance) {
  BlockRow a;
  a.labelled = 3;
  a.loss_sum = 6;
  a.loss_sum_squares = 14;
  BlockRow b;
  b.labelled = 3;
  b.loss_sum = 12;
  b.loss_sum_squares = 56;
  const IndependenceCheck check = check_independence({a, b});
  EXPECT_NEAR(check.ratio, 2.4, 1e-12);
  EXPECT_NEAR(check.p, 0.19626117814926966, 1e-12);
}

TEST_F(FollowerTest, ASightedMonitorNamesTheHourInUtc) {
  make_monitor(R"({"endpoint": "late", "bound": 0.6, "block": "hour", "horizon": "1h"})");
  const std::string id = predict(kFirstDay + 5 * 3'600 * kMicrosPerSecond, 0.5F);
  label(id, "1", kFirstDay + 5 * 3'600 * kMicrosPerSecond);
  predict(kFirstDay + 9 * 3'600 * kMicrosPerSecond, 0.5F);
  follow();
  ASSERT_EQ(events("monitor.sighted").size(), 1U);
  EXPECT_EQ(events("monitor.sighted")[0].body.find("reason")->as_string(),
            "block 2013-03-01 05:00:00 UTC was judged");
}

TEST_F(FollowerTest, AnAlarmFromBeforeTheScaleWasKeptSaysThatItIsNotKnown) {
  Alarm old;
  old.bound = 0.2;
  old.mean_loss = 0.7;
  const json::Value shown = to_json(old);
  EXPECT_EQ(shown.find("bound_scaled")->as_double(), 0.2);
  EXPECT_EQ(shown.find("mean_loss")->as_double(), 0.7);
  for (const char* key : {"loss_scale", "bound_loss", "mean_loss_scaled"})
    EXPECT_TRUE(shown.find(key)->is_null()) << key;
}

}  // namespace
}  // namespace slipway::monitoring
