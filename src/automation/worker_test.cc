// SPDX-License-Identifier: Apache-2.0
// The loop: alarm -> retraining -> gate -> rollout -> promoted or refused, and every way in which
// it stops short.
#include "automation/worker.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <stdexcept>
#include <utility>

#include "automation/invariants.h"
#include "automation/promotion.h"
#include "automation/retraining.h"
#include "automation/rollout_controller.h"
#include "automation/testing.h"
#include "base/error.h"
#include "base/file.h"
#include "ledger/evidence.h"
#include "registry/alias.h"

namespace slipway::automation {
namespace fs = std::filesystem;
namespace {

class Loop : public ::testing::Test {
 protected:
  void SetUp() override {
    world_.set_up_champion();
    world_.work();  // the trigger sees its first watermark
    world_.at("2013-03-05");
    from_ = world_.last_seq();
  }

  // An alarm and its retraining, up to a rollout at 25 %.
  void start_rollout() {
    world_.raise_alarm("A1");
    world_.work();
    ASSERT_EQ(world_.newest_rollout().state, serving::RolloutState::kActive);
  }

  std::vector<Retraining> retrainings() {
    return world_.database.read_returning<std::vector<Retraining>>(
        [](storage::Session& session) { return retrainings_of(session, "retrain", 100); });
  }

  TriggerState trigger() {
    return world_.database.read_returning<TriggerState>(
        [](storage::Session& session) { return get_trigger_state(session, "retrain"); });
  }

  std::string violations() {
    const InvariantReport report =
        world_.database.read_returning<InvariantReport>([&](storage::Session& session) {
          InvariantFacts facts;
          facts.recount = [&](const serving::RolloutRow& rollout)
              -> std::optional<std::vector<serving::StepCounters>> {
            std::vector<serving::StepCounters> steps;
            for (std::size_t i = 0; i < rollout.steps.size(); ++i) {
              steps.push_back(world_.counters[{rollout.id, static_cast<int>(i)}]);
            }
            return steps;
          };
          return check_invariants(session, facts);
        });
    EXPECT_GT(report.checked, 0);
    return json::write(to_json(report).find("broken")->as_array());
  }

  TestWorld world_;
  std::int64_t from_ = 0;
};

TEST_F(Loop, AnAlarmEndsInAPromotedVersion) {
  start_rollout();
  EXPECT_EQ(world_.types(from_),
            "alarm.raised trigger.fired retraining.started model.version_created "
            "retraining.finished gate.evaluated "
            "rollout.started");
  EXPECT_EQ(world_.champion(), 1);
  world_.at("2013-03-07");
  world_.requests(1'500, 2, 500, 1);
  world_.work();
  EXPECT_EQ(world_.newest_rollout().step, 1);
  EXPECT_DOUBLE_EQ(world_.newest_rollout().steps[1].c0[0], 2.0 / 1'500);
  world_.at("2013-03-08");
  world_.requests(450, 0, 450, 0);
  from_ = world_.last_seq();
  world_.work();
  EXPECT_EQ(world_.types(from_), "rollout.promoted alias.moved");
  EXPECT_EQ(world_.champion(), 2);
  EXPECT_EQ(retrainings().at(0).outcome, "promoted");
  const auto move = world_.events("alias.moved").back();
  EXPECT_EQ(move.body.find("rollout")->as_string(), world_.newest_rollout().id);
  EXPECT_GE(move.evidence.size(), 2U);
  EXPECT_EQ(move.event_time, world_.watermark);
  EXPECT_EQ(violations(), "[]");
  EXPECT_EQ(world_.retained.back(), (std::pair<std::string, std::int64_t>(
                                        "rollout:" + world_.newest_rollout().id, INT64_MAX)));
}

TEST_F(Loop, ARolloutIsCountedFromWhatACrashCannotTake) {
  // Positions that a crash took are given again: to requests of this rollout too.
  world_.log_position = 500;
  world_.unsynced = 7;
  start_rollout();
  EXPECT_EQ(world_.newest_rollout().log_position, 493);
}

TEST_F(Loop, ThePipelineGetsItsDataParametersCacheAndServer) {
  start_rollout();
  const Command& child = world_.processes.asked.at(world_.processes.asked.size() - 3);
  EXPECT_EQ(child.argv, (std::vector<std::string>{"/opt/slipway", "repro"}));
  EXPECT_EQ(child.environment.at("SLIPWAY_URL"), "http://127.0.0.1:5000");
  EXPECT_EQ(child.environment.at("SLIPWAY_TOKEN"), "slp_token");
  EXPECT_EQ(child.timeout_us, 600 * kMicrosPerSecond);
  EXPECT_EQ(world_.labelled_in_tree, world_.exported);
  EXPECT_EQ(world_.exports.at(0).until, parse_time("2013-03-05"));
  EXPECT_EQ(world_.exports.at(0).leave_out_days, 14);
  const Retraining done = retrainings().at(0);
  EXPECT_EQ(done.commit, "c0ffee0000000000000000000000000000000000");
  EXPECT_EQ(done.log, world_.folder + "/logs/retraining-" + done.id + ".log");
  EXPECT_TRUE(fs::exists(done.log));
  EXPECT_FALSE(fs::exists(done.folder));
  const auto evidence = world_.database.read_returning<std::optional<ledger::Evidence>>(
      [&](storage::Session& session) { return ledger::find_evidence(session, done.evidence); });
  EXPECT_EQ(evidence->body.find("dvc_lock")->as_string(), "schema: '2.0'\n");
}

TEST_F(Loop, TheGateRefusesAndProductionStays) {
  world_.verdict = "fail";
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(world_.types(from_),
            "alarm.raised trigger.fired retraining.started model.version_created "
            "retraining.finished gate.evaluated "
            "promotion.refused");
  EXPECT_EQ(world_.champion(), 1);
  EXPECT_EQ(retrainings().at(0).outcome, "refused");
  EXPECT_EQ(trigger().failures, 0);
  EXPECT_EQ(violations(), "[]");
}

TEST_F(Loop, AGateThatThrowsIsARefusalWithItsWords) {
  world_.gate_error = Error(Code::kFailedPrecondition, "version 2 is unservable: no .onnx file");
  world_.raise_alarm("A1");
  world_.work();
  const auto refused = world_.events("promotion.refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].body.find("reason")->as_string(), "version 2 is unservable: no .onnx file");
}

TEST_F(Loop, AGateThatIsBusyIsAskedAgain) {
  world_.gate_error = Error(Code::kResourceExhausted, "no memory");
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(retrainings().at(0).state, "trained");
  world_.gate_error.reset();
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "rollout");
}

TEST_F(Loop, AWorseChallengerIsTakenBack) {
  start_rollout();
  world_.requests(600, 3, 200, 40);
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kRolledBack);
  EXPECT_EQ(world_.champion(), 1);
  const auto refused = world_.events("promotion.refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].body.find("by")->as_string(), "rollout");
  EXPECT_EQ(refused[0].evidence.size(), 1U);
  EXPECT_EQ(retrainings().at(0).outcome, "refused");
  EXPECT_EQ(violations(), "[]");
}

TEST_F(Loop, UndecidedAfterTenDaysIsRefused) {
  start_rollout();
  world_.requests(75, 0, 25, 0);
  world_.at("2013-03-14");
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kActive);
  world_.at("2013-03-15");
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kExpired);
  EXPECT_EQ(world_.champion(), 1);
  EXPECT_EQ(violations(), "[]");
}

TEST_F(Loop, ARolloutFromBeforeTheFirstRequestIsTimedFromThatRequest) {
  // The wall clock says 2013-03-05; the year that is replayed is 2012.
  world_.watermark = 0;
  world_.register_version();
  PromotionRequest second;
  second.model = "late-arrival";
  second.version = 2;
  second.alias = "champion";
  second.actor = "user:test";
  second.reason = "before any request";
  promote(world_.deps, second);
  world_.work();
  EXPECT_EQ(world_.newest_rollout().started_event_time, 0);
  EXPECT_EQ(world_.events("rollout.started").at(0).event_time, 0);
  world_.requests(75, 0, 25, 0);
  world_.first_event = parse_time("2012-06-01T05:00:00Z").value();
  world_.watermark = parse_time("2012-06-02").value();
  world_.work();
  EXPECT_EQ(world_.newest_rollout().started_event_time, parse_time("2012-06-01T05:00:00Z"));
  world_.watermark = parse_time("2012-06-11T04:59:59Z").value();
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kActive);
  world_.watermark = parse_time("2012-06-11T05:00:00Z").value();
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kExpired);
  EXPECT_EQ(violations(), "[]");
}

TEST_F(Loop, ATimeThatWasPostedWithoutARequestBeginsARolloutToo) {
  world_.watermark = 0;
  world_.register_version();
  PromotionRequest second;
  second.model = "late-arrival";
  second.version = 2;
  second.alias = "champion";
  second.actor = "user:test";
  second.reason = "before any request";
  promote(world_.deps, second);
  world_.watermark = parse_time("2012-06-02").value();
  world_.work();
  EXPECT_EQ(world_.newest_rollout().started_event_time, parse_time("2012-06-02"));
}

TEST_F(Loop, ANewerAliasMoveVoidsTheRollout) {
  start_rollout();
  const std::int64_t third = world_.register_version();
  world_.database.write([&](storage::Transaction& transaction) {
    registry::clear_alias_rule(transaction, "late-arrival", "champion");
    registry::move_alias(transaction, world_.clock,
                         {.model = "late-arrival",
                          .alias = "champion",
                          .version = third,
                          .actor = "mlflow-client",
                          .direct = true});
  });
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kVoided);
  EXPECT_EQ(world_.champion(), third);
}

TEST_F(Loop, ThreeFailuresPauseTheTriggerAndResumeStartsAnew) {
  world_.exit_code = 1;
  for (int i = 1; i <= 3; ++i) {
    world_.raise_alarm("A" + std::to_string(i));
    world_.work();
  }
  EXPECT_TRUE(trigger().paused);
  EXPECT_EQ(trigger().paused_reason,
            "3 trainings failed in a row, the last one: the pipeline ended with exit code 1: "
            "ValueError: no rows");
  EXPECT_EQ(world_.events("trigger.paused").size(), 1U);
  EXPECT_EQ(world_.events("retraining.failed").size(), 3U);
  world_.raise_alarm("A4");
  world_.work();
  EXPECT_EQ(world_.events("trigger.skipped").size(), 1U);
  EXPECT_EQ(retrainings().size(), 3U);
  world_.database.write([&](storage::Transaction& transaction) {
    resume_trigger(transaction, world_.clock, "retrain", "user:test", world_.watermark);
  });
  world_.exit_code = 0;
  world_.raise_alarm("A5");
  world_.work();
  EXPECT_EQ(retrainings().size(), 4U);
  EXPECT_EQ(trigger().failures, 0);
}

TEST_F(Loop, ATimeoutIsAFailureAndASuccessClearsTheCount) {
  world_.timed_out = true;
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "timeout");
  EXPECT_EQ(retrainings().at(0).reason, "the pipeline ran longer than 10m");
  EXPECT_EQ(trigger().failures, 1);
  world_.timed_out = false;
  world_.verdict = "insufficient";
  world_.raise_alarm("A2");
  world_.work();
  EXPECT_EQ(trigger().failures, 0);
  EXPECT_FALSE(trigger().paused);
}

TEST_F(Loop, APipelineThatMakesNothingNewComparesNothing) {
  world_.registers = false;
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "nothing_new");
  EXPECT_TRUE(world_.evaluated.empty() || world_.evaluated.back() == 1);
}

TEST_F(Loop, SomebodyElsesVersionIsNotTakenForTheChallenger) {
  world_.during_training = [this] { world_.register_version(); };
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(retrainings().at(0).version, 3);
  EXPECT_EQ(world_.newest_rollout().challenger, 3);
}

TEST_F(Loop, TheScheduleCountsFromTheFirstWatermarkAndFiresOnce) {
  world_.verdict = "fail";
  world_.at("2013-03-14T23:59:59Z");
  world_.work();
  EXPECT_TRUE(world_.events("trigger.fired").empty());
  world_.at("2013-03-15");
  world_.work();
  world_.work();
  ASSERT_EQ(world_.events("trigger.fired").size(), 1U);
  EXPECT_EQ(world_.events("trigger.fired")[0].body.find("dedup_key")->as_string(),
            "every:2013-03-15T00:00:00.000000Z");
  // Two periods went by unseen: the newest alone counts.
  world_.at("2013-04-13");
  world_.work();
  ASSERT_EQ(world_.events("trigger.fired").size(), 2U);
  EXPECT_EQ(world_.events("trigger.fired")[1].body.find("dedup_key")->as_string(),
            "every:2013-04-12T00:00:00.000000Z");
}

TEST_F(Loop, AlarmAndScheduleTogetherAreOneRetraining) {
  world_.verdict = "fail";
  world_.at("2013-03-15");
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(retrainings().size(), 1U);
  ASSERT_EQ(world_.events("trigger.skipped").size(), 1U);
  EXPECT_EQ(world_.events("trigger.skipped")[0].body.find("skipped")->as_string(),
            "another retraining of this trigger waits or runs");
}

TEST_F(Loop, AnAlarmDuringARolloutWaitsAndIsMootOnceTheChallengerServes) {
  start_rollout();
  world_.raise_alarm("A2");
  world_.work();
  EXPECT_EQ(retrainings().size(), 1U);
  world_.requests(1'500, 0, 500, 0);
  world_.work();
  world_.requests(100, 0, 100, 0);
  world_.work();
  EXPECT_EQ(world_.champion(), 2);
  EXPECT_EQ(retrainings().size(), 1U);
  EXPECT_EQ(world_.events("trigger.skipped").back().body.find("skipped")->as_string(),
            "the version that the alarm spoke about has been replaced");
}

TEST_F(Loop, AHoldKeepsAutomationOff) {
  start_rollout();
  world_.database.write([&](storage::Transaction& transaction) {
    serving::HoldRow hold;
    hold.endpoint = "late-arrival";
    hold.reason = "incident 7";
    hold.actor = "user:test";
    serving::set_hold(transaction, world_.clock, hold, {"user:test", "", world_.watermark});
  });
  world_.requests(600, 3, 200, 40);
  world_.raise_alarm("A2");
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kActive);
  EXPECT_EQ(world_.events("trigger.skipped").back().body.find("skipped")->as_string(),
            "endpoint `late-arrival` is on hold: incident 7");
}

TEST_F(Loop, APausedRolloutIsNotJudged) {
  start_rollout();
  const std::string id = world_.newest_rollout().id;
  world_.database.write([&](storage::Transaction& transaction) {
    serving::pause_rollout(transaction, world_.clock, id, {"user:test", "", world_.watermark});
  });
  world_.requests(600, 3, 200, 40);
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kPaused);
  world_.database.write([&](storage::Transaction& transaction) {
    serving::resume_rollout(transaction, world_.clock, id, {"user:test", "", world_.watermark});
  });
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kRolledBack);
}

TEST_F(Loop, APersonCanPromoteOrAbort) {
  start_rollout();
  const std::string id = world_.newest_rollout().id;
  EXPECT_THROW(abort_rollout(world_.deps, id, "user:test", ""), Error);
  EXPECT_EQ(promote_rollout(world_.deps, id, "user:test", "looks good to me").state,
            serving::RolloutState::kPromoted);
  EXPECT_EQ(world_.champion(), 2);
  try {
    abort_rollout(world_.deps, id, "user:test", "too late");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_EQ(std::string(error.what()), "rollout " + id + " is over: promoted, looks good to me");
  }
  EXPECT_EQ(violations(), "[]");
}

TEST_F(Loop, WithoutAPolicyTheAliasMovesAtOnce) {
  std::string pinned(TestWorld::kObjects);
  const std::string rollout =
      "  rollout: {steps: [{weight: 0.25, requests: 2000}, {weight: 0.5}], max_duration: 10d}\n";
  pinned.erase(pinned.find(rollout), rollout.size());
  world_.apply_text(pinned);
  world_.raise_alarm("A1");
  world_.work();
  EXPECT_EQ(world_.champion(), 2);
  EXPECT_EQ(retrainings().at(0).outcome, "promoted");
}

// A server that dies in each state, and another one that goes on.
TEST_F(Loop, ARestartAfterTheAlarmGoesOn) {
  world_.raise_alarm("A1");
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(retrainings().size(), 1U);
}

TEST_F(Loop, ARestartWhileTrainingFailsItAndBeginsAgain) {
  world_.raise_alarm("A1");
  struct Died {};
  world_.during_training = [] { throw Died(); };
  EXPECT_THROW(world_.work(), Died);
  EXPECT_EQ(retrainings().at(0).state, "running");
  world_.during_training = nullptr;
  Trainer after_restart(world_.deps, [] { return false; });
  EXPECT_EQ(after_restart.recover(), 1);
  EXPECT_EQ(after_restart.recover(), 0);
  EXPECT_EQ(retrainings().at(0).outcome, "interrupted");
  EXPECT_EQ(world_.events("retraining.failed").at(0).body.find("reason")->as_string(),
            "the server ended while it ran");
  EXPECT_EQ(trigger().failures, 0);
  EXPECT_FALSE(fs::exists(retrainings().at(0).folder));
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(retrainings().size(), 2U);
  EXPECT_EQ(retrainings().at(0).outcome, "rollout");
}

TEST_F(Loop, ATrainingThatIsAlwaysInterruptedIsGivenUp) {
  world_.raise_alarm("A1");
  struct Died {};
  world_.during_training = [] { throw Died(); };
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    world_.worker = world_.new_worker();
    EXPECT_THROW(world_.work(), Died);
    Trainer(world_.deps, [] { return false; }).recover();
  }
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(retrainings().size(), static_cast<std::size_t>(kAttemptsMax));
}

TEST_F(Loop, ARestartAfterTheGateSpokeDoesNotAskItAgain) {
  world_.gate_error = Error(Code::kUnavailable, "the server stops");
  world_.raise_alarm("A1");
  world_.work();
  world_.gate_error.reset();
  // The evaluation is stored, and the server dies before anything follows from it.
  world_.clock.advance(kMicrosPerSecond);
  world_.deps.evaluate_gate({"late", 2, "automation:trigger/retrain", "", world_.watermark});
  world_.evaluated.clear();
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_TRUE(world_.evaluated.empty());
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kActive);
}

TEST_F(Loop, ARestartDuringARolloutGoesOn) {
  start_rollout();
  world_.requests(1'500, 0, 500, 0);
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(world_.newest_rollout().step, 1);
  world_.requests(100, 0, 100, 0);
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(world_.champion(), 2);
}

TEST_F(Loop, SettleWorksUntilNothingIsLeft) {
  world_.verdict = "fail";
  world_.raise_alarm("A1");
  const Worker::Settled settled = world_.worker->settle("late-arrival", 60 * kMicrosPerSecond);
  EXPECT_TRUE(settled.settled);
  EXPECT_EQ(settled.events, 6);
  EXPECT_EQ(world_.worker->settle("late-arrival", kMicrosPerSecond).events, 0);
  EXPECT_THROW(world_.worker->settle("elsewhere", kMicrosPerSecond), Error);
}

TEST_F(Loop, SettleSaysWhenItsTimeRanOut) {
  world_.raise_alarm("A1");
  world_.during_training = [this] { world_.clock.advance(61 * kMicrosPerSecond); };
  EXPECT_FALSE(world_.worker->settle("late-arrival", 60 * kMicrosPerSecond).settled);
}

TEST_F(Loop, TheThreadsLeaveAReplayedEndpointAloneUntilItIsSettled) {
  world_.raise_alarm("A1");
  world_.worker->start();
  world_.worker->wake();
  world_.worker->stop();
  EXPECT_TRUE(retrainings().empty());
}

TEST_F(Loop, APauseBetweenTheLookAndTheWriteKeepsTheChampion) {
  start_rollout();
  world_.requests(1'500, 2, 500, 1);
  world_.work();
  world_.requests(450, 0, 450, 0);
  const std::string id = world_.newest_rollout().id;
  bool paused = false;
  world_.deps.flush_log = [&] {
    if (std::exchange(paused, true)) return;
    world_.database.write([&](storage::Transaction& transaction) {
      serving::pause_rollout(transaction, world_.clock, id, {"user:test", "", world_.watermark});
    });
  };
  world_.work();
  EXPECT_TRUE(paused);
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kPaused);
  EXPECT_EQ(world_.champion(), 1);
}

TEST_F(Loop, AnAliasMoveBetweenTheLookAndTheWriteVoidsInsteadOfPromoting) {
  start_rollout();
  world_.requests(1'500, 2, 500, 1);
  world_.work();
  world_.requests(450, 0, 450, 0);
  const std::int64_t third = world_.register_version();
  bool moved = false;
  world_.deps.flush_log = [&] {
    if (std::exchange(moved, true)) return;
    world_.database.write([&](storage::Transaction& transaction) {
      registry::clear_alias_rule(transaction, "late-arrival", "champion");
      registry::move_alias(transaction, world_.clock,
                           {.model = "late-arrival",
                            .alias = "champion",
                            .version = third,
                            .actor = "mlflow-client",
                            .direct = true});
    });
  };
  world_.work();
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kVoided);
  EXPECT_EQ(world_.champion(), third);
}

TEST_F(Loop, ARollbackRecordsTheRefusalAndTheRetrainingsOutcome) {
  start_rollout();
  const serving::RolloutRow rollout = world_.newest_rollout();
  serving::StepCounters counters;
  counters.add(serving::Arm::kChallenger, true, false, false, 3);
  world_.database.write([&](storage::Transaction& transaction) {
    abort_in_rollback(transaction, world_.clock, rollout,
                      {counters, "user:test", "rolled back by hand: incident 8", world_.watermark});
  });
  EXPECT_EQ(world_.newest_rollout().state, serving::RolloutState::kAborted);
  EXPECT_EQ(world_.newest_rollout().steps[0].counters, counters);
  const auto refused = world_.events("promotion.refused");
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].body.find("by")->as_string(), "rollback");
  EXPECT_EQ(refused[0].evidence.size(), 1U);
  EXPECT_EQ(retrainings().at(0).outcome, "refused");
  EXPECT_EQ(retrainings().at(0).reason, "rolled back by hand: incident 8");
}

TEST_F(Loop, ATrainingWhoseEndCouldNotBeWrittenIsEndedByTheNextLook) {
  world_.raise_alarm("A1");
  struct Died {};
  world_.during_training = [] { throw Died(); };
  EXPECT_THROW(world_.work(), Died);
  EXPECT_EQ(retrainings().at(0).state, "running");
  world_.during_training = nullptr;
  world_.work();
  ASSERT_EQ(retrainings().size(), 2U);
  EXPECT_EQ(retrainings().at(1).outcome, "interrupted");
  EXPECT_EQ(retrainings().at(0).outcome, "rollout");
}

TEST_F(Loop, WhateverATrainingThrowsIsItsFailure) {
  world_.raise_alarm("A1");
  world_.during_training = [] { throw std::length_error("too long"); };
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "error");
  EXPECT_EQ(retrainings().at(0).reason, "too long");
}

TEST_F(Loop, ATriggerDeletedWhileItTrainsLosesNoVersion) {
  world_.raise_alarm("A1");
  world_.during_training = [this] {
    const std::string all(TestWorld::kObjects);
    world_.apply_text(all.substr(0, all.find("---\nkind: Trigger")), true, 1);
  };
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "rollout");
}

TEST_F(Loop, ATrainingThatEndsWithTheServerIsInterruptedNotFailed) {
  world_.raise_alarm("A1");
  world_.exit_code = 1;
  world_.during_training = [this] { world_.worker->request_stop(); };
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "interrupted");
  EXPECT_EQ(trigger().failures, 0);
  world_.exit_code = 0;
  world_.during_training = nullptr;
  world_.worker = world_.new_worker();
  world_.work();
  EXPECT_EQ(retrainings().at(0).outcome, "rollout");
}

TEST_F(Loop, ItFollowsTheMonitorsInScope) {
  bool raised = false;
  world_.deps.follow_labels = [&](const Deps::Scope& in_scope) {
    if (raised || !in_scope("late-arrival")) return false;
    raised = true;
    world_.raise_alarm("A1");
    return true;
  };
  world_.worker->work_once("elsewhere");
  EXPECT_FALSE(raised);
  world_.worker->work_once("late-arrival");
  EXPECT_EQ(world_.events("trigger.fired").size(), 1U);
}

TEST_F(Loop, FiringByHandIsRefusedWhilePaused) {
  const TriggerSpec spec =
      world_.database.read_returning<TriggerSpec>([](storage::Session& session) {
        return trigger_spec(find_object(session, "Trigger", "retrain")->spec);
      });
  world_.database.write([&](storage::Transaction& transaction) {
    EXPECT_TRUE(pause_trigger(transaction, world_.clock, "retrain", "user:test", "holidays",
                              world_.watermark, ""));
    EXPECT_FALSE(pause_trigger(transaction, world_.clock, "retrain", "user:test", "again",
                               world_.watermark, ""));
  });
  const auto fire = [&] {
    world_.database.write([&](storage::Transaction& transaction) {
      fire_trigger(transaction, world_.clock, "retrain", spec, world_.watermark, "user:test",
                   "new labels");
    });
  };
  try {
    fire();
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "trigger `retrain` cannot fire: the trigger is paused: holidays");
  }
  world_.database.write([&](storage::Transaction& transaction) {
    resume_trigger(transaction, world_.clock, "retrain", "user:test", world_.watermark);
  });
  fire();
  world_.work();
  EXPECT_EQ(retrainings().size(), 1U);
}

}  // namespace
}  // namespace slipway::automation
