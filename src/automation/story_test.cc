// SPDX-License-Identifier: Apache-2.0
#include "automation/story.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "automation/invariants.h"
#include "automation/promotion.h"
#include "automation/testing.h"
#include "base/error.h"
#include "registry/alias.h"

namespace slipway::automation {
namespace {

json::Object told(TestWorld& world, const std::string& endpoint = "late-arrival") {
  return world.database.read_returning<json::Object>(
      [&](storage::Session& session) { return story(session, endpoint); });
}

std::string words(const json::Object& story) {
  std::string text;
  for (const json::Value& line : story.find("lines")->as_array()) {
    text += (text.empty() ? "" : " ") + line.find("word")->as_string();
  }
  return text;
}

// The whole loop once, promoted three days after the alarm, and once more, refused.
void play(TestWorld& world) {
  world.set_up_champion();
  world.work();
  world.at("2013-03-05");
  world.raise_alarm("A1");
  world.work();
  world.requests(1'500, 2, 500, 1);
  world.work();
  world.at("2013-03-08");
  world.requests(450, 0, 450, 0);
  world.work();
  world.at("2013-03-15");
  world.verdict = "fail";
  world.gate_reason = "0.002 worse (-0.010 to 0.006), p = 0.7, 14 days";
  world.work();
}

TEST(Story, EachStepIsALineWithItsNumbersItsGroundsAndTheCommandThatShowsThem) {
  TestWorld world;
  play(world);
  const json::Object story = told(world);
  EXPECT_EQ(words(story),
            "gate deployed alarm trigger retraining trained gate rollout rollout rollout deployed "
            "trigger retraining trained gate refused");
  const json::Array& lines = story.find("lines")->as_array();
  EXPECT_EQ(lines[0].find("sentence")->as_string(),
            "gate late, version 1, with no champion to compare with: pass: there is no champion to "
            "compare with");
  EXPECT_EQ(lines[1].find("text")->as_string(),
            "2013-03-01  deployed    alias champion moved to version 1: first version; there is no "
            "champion to compare with");
  EXPECT_EQ(lines[2].find("sentence")->as_string(),
            "monitor late: mean loss 0.623 since its restart against a bound of 0.5721 (divided by "
            "3, as the detector sees them: 0.2077 and 0.1907); the detector reached 104.5 of 100 "
            "(at most one false alarm in 100 blocks)");
  EXPECT_EQ(lines[3].find("sentence")->as_string(), "trigger retrain fired on alarm A1");
  EXPECT_EQ(lines[5].find("sentence")->as_string(),
            "trained version 2 in 12 s (1 stages run, 0 cached)");
  EXPECT_EQ(lines[7].find("command")->as_string().substr(0, 21), "slipway rollout show ");
  EXPECT_EQ(lines[9].find("evidence")->as_array().size(), 1U);
  EXPECT_EQ(lines[11].find("sentence")->as_string(),
            "trigger retrain fired by its schedule, due 2013-03-15");
  EXPECT_EQ(lines[15].find("sentence")->as_string(),
            "version 3 refused by the gate; version 2 stays");
}

TEST(Story, TheSummaryCountsAndMeasuresTheLeadTime) {
  TestWorld world;
  play(world);
  const json::Object summary = told(world).find("summary")->as_object();
  EXPECT_EQ(
      json::write(summary),
      R"({"alarms":1,"retrainings":2,"retrainings_failed":0,"comparisons":3,"deployments":2,"refused":1,"refused_by_gate":1,)"
      R"("refused_by_rollout":0,"skipped":0,"lead_times_days":[3.0],"lead_time_days_median":3.0})");
  const std::string text = story_text(told(world));
  EXPECT_NE(text.find("1 alarms, 2 retrainings (0 failed), 3 comparisons, 2 deployments, 1 refused "
                      "(1 by the gate, 0 by a rollout)"),
            std::string::npos);
  EXPECT_NE(text.find("lead time from the trigger to 100 % of the traffic: 3 days (median of 1)"),
            std::string::npos);
}

std::vector<std::string> days(const json::Object& story) {
  std::vector<std::string> days;
  for (const json::Value& line : story.find("lines")->as_array()) {
    const json::Value& time = *line.find("event_time");
    days.push_back((time.is_null() ? "null" : time.as_string().substr(0, 10)) + " " +
                   line.find("word")->as_string());
  }
  return days;
}

void move_by_client(TestWorld& world, std::int64_t version) {
  world.database.write([&](storage::Transaction& transaction) {
    registry::AliasChange change;
    change.model = "late-arrival";
    change.alias = "champion";
    change.version = version;
    change.actor = "mlflow-client";
    change.reason = "by a client, which knows no event time";
    change.rollback = true;
    registry::move_alias(transaction, world.clock, change);
  });
}

TEST(Story, WhatCameBeforeTheFirstRequestHasNoTimeAndComesFirst) {
  TestWorld early;
  std::filesystem::create_directories(early.folder + "/repository/.dvc");
  early.apply_text(TestWorld::kObjects);
  early.register_version();
  early.clock.advance(kMicrosPerSecond);
  PromotionRequest first;
  first.model = "late-arrival";
  first.version = 1;
  first.alias = "champion";
  first.actor = "user:test";
  first.reason = "first version";
  promote(early.deps, first);
  EXPECT_EQ(days(told(early)), (std::vector<std::string>{"null gate", "null deployed"}));
  EXPECT_EQ(told(early).find("lines")->as_array()[1].find("text")->as_string().substr(0, 35),
            "before the first request  deployed ");
  // Of a year long before the wall clock's.
  early.watermark = parse_time("2012-06-01").value();
  early.raise_alarm("A1");
  early.work();
  early.requests(1'500, 2, 500, 1);
  early.work();
  early.watermark = parse_time("2012-06-04").value();
  early.requests(450, 0, 450, 0);
  early.work();
  move_by_client(early, 1);
  const std::vector<std::string> told_days = days(told(early));
  EXPECT_EQ(told_days.front(), "null gate");
  EXPECT_EQ(told_days[2], "2012-06-01 alarm");
  EXPECT_EQ(told_days.back(), "2012-06-04 deployed");
  // The story of all endpoints has the same times.
  EXPECT_EQ(days(told(early, "")), told_days);
  EXPECT_EQ(json::write(*told(early).find("summary")->find("lead_times_days")), "[3.0]");
}

TEST(Story, OnTheWallClockAnEventWithoutATimeHappenedWhenItWasRecorded) {
  TestWorld world;
  std::string objects = TestWorld::kObjects;
  objects.replace(objects.find("clock: event"), 12, "clock: wall");
  world.apply_text(objects);
  world.register_version();
  world.clock.advance(kMicrosPerSecond);
  PromotionRequest first;
  first.model = "late-arrival";
  first.version = 1;
  first.alias = "champion";
  first.actor = "user:test";
  first.reason = "first version";
  promote(world.deps, first);
  const std::string today = format_time(world.clock.now()).substr(0, 10);
  EXPECT_EQ(days(told(world)), (std::vector<std::string>{today + " gate", today + " deployed"}));
}

TEST(Story, OneEndpointsStoryIsNotAnothers) {
  TestWorld world;
  play(world);
  world.apply_text(std::string(TestWorld::kObjects) +
                   "---\n{kind: Endpoint, name: other, spec: {model: other-model, version: 1}}\n"
                   "---\n{kind: Model, name: other-model}\n");
  EXPECT_EQ(words(told(world, "other")), "");
  EXPECT_EQ(words(told(world, "")), words(told(world)));
  EXPECT_THROW(told(world, "nowhere"), Error);
}

std::string broken(TestWorld& world) {
  return world.database.read_returning<std::string>([](storage::Session& session) {
    return json::write(*to_json(check_invariants(session, {})).find("broken"));
  });
}

TEST(Invariants, ATrueStoryHasNone) {
  TestWorld world;
  play(world);
  EXPECT_EQ(broken(world), "[]");
}

TEST(Invariants, APromotionWithoutEvidenceIsFound) {
  TestWorld world;
  play(world);
  world.database.write([&](storage::Transaction& transaction) {
    ledger::Event event;
    event.type = "alias.moved";
    event.subject = "model:late-arrival";
    event.actor = "somebody";
    event.body = {{"alias", "champion"}, {"from", 2}, {"to", 3}};
    ledger::append(transaction, world.clock, event);
  });
  EXPECT_NE(broken(world).find(
                "alias `champion` moved to version 3 without passing evidence of gate `late`"),
            std::string::npos);
}

TEST(Invariants, ARefusalWithoutReasonAndLostEvidenceAreFound) {
  TestWorld world;
  play(world);
  world.database.write([&](storage::Transaction& transaction) {
    ledger::Event event;
    event.type = "promotion.refused";
    event.subject = "model:late-arrival";
    event.body = {{"challenger", 3}};
    event.evidence = {"00ff"};
    ledger::append(transaction, world.clock, event);
  });
  const std::string found = broken(world);
  EXPECT_NE(found.find("refusal-reason"), std::string::npos);
  EXPECT_NE(found.find("evidence 00ff is not in the store"), std::string::npos);
}

TEST(Invariants, CountersThatTheLogDoesNotHaveAreFound) {
  TestWorld world;
  play(world);
  const InvariantReport report =
      world.database.read_returning<InvariantReport>([&](storage::Session& session) {
        InvariantFacts facts;
        facts.recount = [](const serving::RolloutRow& rollout) {
          return std::optional<std::vector<serving::StepCounters>>(
              std::vector<serving::StepCounters>(rollout.steps.size()));
        };
        return check_invariants(session, facts);
      });
  ASSERT_FALSE(report.violations.empty());
  EXPECT_EQ(report.violations[0].rule, "counters-recompute");
  EXPECT_EQ(report.violations[0].detail,
            "step 1, champion, error: stored 2/1498, the log counts 0/0");
}

TEST(Invariants, AChangedEvidenceDocumentIsFound) {
  TestWorld world;
  play(world);
  world.database.write([](storage::Transaction& transaction) {
    transaction.execute(
        "UPDATE evidence SET body = replace(body, '1498', '1400') WHERE kind = 'rollout'");
  });
  const std::string found = broken(world);
  EXPECT_NE(found.find("is not what was stored"), std::string::npos);
  EXPECT_NE(found.find("the e-values of `error` do not come out again"), std::string::npos);
}

}  // namespace
}  // namespace slipway::automation
