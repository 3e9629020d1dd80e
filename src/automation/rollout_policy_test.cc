// SPDX-License-Identifier: Apache-2.0
#include "automation/rollout_policy.h"

#include <gtest/gtest.h>

#include "automation/spec.h"

namespace slipway::automation {
namespace {

using serving::Arm;
using serving::Loss;

RolloutPolicy policy(
    const std::string& rollout = R"({"steps":[{"weight":0.25,"requests":2000},{"weight":0.5}]})") {
  const json::Object spec =
      normalise(*find_kind("Endpoint"), "e",
                {{"model", "m"}, {"alias", "a"}, {"rollout", json::parse(rollout)}});
  return rollout_policy(spec.find("rollout")->as_object());
}

JudgedStep step(double weight, std::int64_t challenger, std::int64_t challenger_bad,
                std::int64_t champion, std::int64_t champion_bad) {
  JudgedStep judged;
  judged.weight = weight;
  for (const Loss loss : serving::kAllLosses) {
    const bool errors = loss == Loss::kError;
    judged.counters.at(loss, Arm::kChallenger) = {errors ? challenger_bad : 0,
                                                  challenger - (errors ? challenger_bad : 0)};
    judged.counters.at(loss, Arm::kChampion) = {errors ? champion_bad : 0,
                                                champion - (errors ? champion_bad : 0)};
  }
  return judged;
}

TEST(RolloutPolicy, AForecastSaysWhatEachStepNeeds) {
  const Forecast expected = forecast(policy(), 900.0);
  ASSERT_EQ(expected.steps.size(), 2U);
  EXPECT_EQ(expected.steps[0].requests, 2000);
  // The product over both steps is past 1/alpha after the first one: the last judges its least.
  EXPECT_EQ(expected.steps[1].requests, kLastStepRequestsMin);
  EXPECT_NEAR(expected.days.value(), 2100.0 / 900.0, 1e-12);
  EXPECT_EQ(expected.refusal, "");
  EXPECT_EQ(forecast_text(expected),
            "25 % for 2000 requests (2.22 days), 50 % for 100 requests (0.111 days)");
  EXPECT_EQ(forecast_text(forecast(policy(), std::nullopt)),
            "25 % for 2000 requests, 50 % for 100 requests");
}

TEST(RolloutPolicy, OneStepAloneNeedsItsEvidence) {
  const Forecast expected = forecast(policy(R"({"steps":[{"weight":0.5}]})"), std::nullopt);
  // The forecast is where the judge turns: one request fewer is not enough.
  const RolloutPolicy one = policy(R"({"steps":[{"weight":0.5}]})");
  const std::int64_t needed = expected.requests;
  EXPECT_GT(needed, kLastStepRequestsMin);
  const auto decide = [&](std::int64_t requests) {
    const std::vector<JudgedStep> steps = {step(0.5, requests / 2, 0, requests - requests / 2, 0)};
    return judge(one, steps, 0, 1).decision;
  };
  EXPECT_EQ(decide(needed + 2), Decision::kPromote);
  EXPECT_EQ(decide(needed - 4), Decision::kWait);
}

TEST(RolloutPolicy, WhatCannotDecideInItsTimeIsRefused) {
  const Forecast slow = forecast(policy(), 100.0);
  EXPECT_EQ(slow.refusal,
            "this rollout cannot decide: even a flawless challenger needs 2100 requests, 21 days "
            "at 100 requests a day, and "
            "max_duration is 10d; ask for fewer requests, a larger weight or delta, or more time");
  const Forecast never =
      forecast(policy(R"({"steps":[{"weight":0.0001}],"delta":0.000001})"), std::nullopt);
  EXPECT_EQ(never.refusal,
            "this rollout cannot decide: even a flawless challenger needs more than 1000000000 "
            "requests; raise delta or alpha_promote");
}

TEST(RolloutPolicy, AGoodChallengerGoesThroughTheSteps) {
  const RolloutPolicy two = policy();
  std::vector<JudgedStep> steps = {step(0.25, 400, 0, 1200, 0)};
  EXPECT_EQ(judge(two, steps, 0, kMicrosPerDay).decision, Decision::kWait);
  steps = {step(0.25, 500, 0, 1500, 0)};
  const Judgement next = judge(two, steps, 0, kMicrosPerDay);
  EXPECT_EQ(next.decision, Decision::kNextStep);
  EXPECT_EQ(next.reason,
            "no sign that the challenger is worse after 2000 requests at 25 %: error 0/500 against "
            "0/1500, slow 0/500 against "
            "0/1500, nan 0/500 against 0/1500");
  steps.push_back(step(0.5, 45, 0, 44, 0));
  EXPECT_EQ(judge(two, steps, 0, kMicrosPerDay).decision, Decision::kWait);
  steps.back() = step(0.5, 50, 0, 50, 0);
  const Judgement promoted = judge(two, steps, 0, kMicrosPerDay);
  EXPECT_EQ(promoted.decision, Decision::kPromote);
  EXPECT_EQ(promoted.numbers.find("requests")->as_int(), 2100);
}

TEST(RolloutPolicy, ABadOneIsTakenBackInTheFirstStep) {
  const std::vector<JudgedStep> steps = {step(0.25, 200, 40, 600, 3)};
  const Judgement judgement = judge(policy(), steps, 0, 1);
  EXPECT_EQ(judgement.decision, Decision::kRollback);
  EXPECT_NE(judgement.reason.find("error 40/200 against 3/600"), std::string::npos);
}

TEST(RolloutPolicy, ABrokenSplitIsNeverPromoted) {
  const std::vector<JudgedStep> steps = {step(0.25, 500, 0, 1500, 0), step(0.5, 500, 0, 100, 0)};
  const Judgement judgement = judge(policy(), steps, 0, 1);
  EXPECT_EQ(judgement.decision, Decision::kRollback);
  EXPECT_NE(judgement.reason.find("the split of requests is not the one that was set"),
            std::string::npos);
}

TEST(RolloutPolicy, UndecidedAtTheEndOfItsTimeExpires) {
  const std::vector<JudgedStep> steps = {step(0.25, 30, 0, 70, 0)};
  EXPECT_EQ(judge(policy(), steps, 5, 5 + 10 * kMicrosPerDay - 1).decision, Decision::kWait);
  EXPECT_EQ(judge(policy(), steps, 5, 5 + 10 * kMicrosPerDay).decision, Decision::kExpire);
  // Before the endpoint's first request its time has not begun.
  EXPECT_EQ(judge(policy(), steps, 0, 5 + 10 * kMicrosPerDay).decision, Decision::kWait);
}

TEST(RolloutPolicy, RatesOfNothingAreZero) {
  serving::StepCounters counters;
  counters.at(Loss::kSlow, Arm::kChampion) = {1, 3};
  EXPECT_EQ(rates(counters, Arm::kChampion), (std::array<double, 3>{0, 0.25, 0}));
  EXPECT_EQ(sum(counters, counters).at(Loss::kSlow, Arm::kChampion),
            (serving::StepCounters::Cell{2, 6}));
}

}  // namespace
}  // namespace slipway::automation
