// SPDX-License-Identifier: Apache-2.0
#include "stats/canary.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"
#include "stats/mean_e_process.h"

namespace slipway::stats {
namespace {

TEST(CanaryEProcess, MatchesPublishedNumbers) {
  // From an independent implementation of the same definition (six digits).
  struct Row {
    std::vector<CanaryStep> steps;
    double rollback_e;
    double promote_e;
  };
  const Row rows[] = {
      {{{.1, .02, 35, 965, 180, 8820}}, 10.81, .624096},
      {{{.1, .02, 20, 980, 180, 8820}}, .786676, 1.90885},
      {{{.05, .02, 12, 488, 190, 9310}, {.25, .02, 60, 2440, 150, 7350}}, 1.20646, 1.75493},
      {{{.5, .01, 0, 500, 0, 500}}, .996004, 7.24515},
      {{{.5, .02, 40, 1960, 40, 1960}}, .683064, 2.87247},
  };
  for (const Row& row : rows) {
    const CanaryEProcess result = canary_e_process(row.steps, {.delta = .01});
    EXPECT_NEAR(result.rollback_e / row.rollback_e, 1, 1e-5);
    EXPECT_NEAR(result.promote_e / row.promote_e, 1, 1e-5);
    EXPECT_EQ(result.verdict, CanaryVerdict::kContinue);
  }
}

TEST(CanaryEProcess, StreamMatchesThePublishedRunningForm) {
  const int arm[] = {1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0};
  const int y[] = {1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0};
  std::vector<CanaryRequest> requests;
  double sum = .02;
  for (std::size_t i = 0; i < 12; ++i) {
    requests.push_back(
        {arm[i] == 1, static_cast<double>(y[i]), .25, sum / static_cast<double>(1 + i)});
    sum += y[i];
  }
  const CanaryStream stream = canary_e_process_stream(requests, {.delta = .01}, true);
  EXPECT_NEAR(stream.rollback_e, 2.420909, 5e-7);
  EXPECT_EQ(stream.rollback_path.size(), 12U);
  EXPECT_EQ(stream.rollback_path.back(), stream.rollback_e);
  EXPECT_FALSE(stream.rollback_at);
}

TEST(CanaryEProcess, StreamEndsWhereTheCountersEnd) {
  // 60,000 requests: every single bet leaves a double's range on the way.
  std::vector<CanaryRequest> requests;
  CanaryStep step{.5, .02, 0, 0, 0, 0};
  for (int i = 0; i < 60'000; ++i) {
    const bool canary = i % 2 == 0;
    const bool bad = canary ? i % 16 == 0 : i % 48 == 1;
    requests.push_back({canary, bad ? 1.0 : 0.0, step.w, step.c0});
    std::int64_t& cell = canary ? (bad ? step.canary_bad : step.canary_good)
                                : (bad ? step.stable_bad : step.stable_good);
    ++cell;
  }
  const CanaryPolicy policy{.delta = .2};
  const CanaryStream stream = canary_e_process_stream(requests, policy);
  const CanaryEProcess counters = canary_e_process({&step, 1}, policy);
  EXPECT_GT(counters.log_rollback_e, 500);
  EXPECT_NEAR(std::log(stream.rollback_e), counters.log_rollback_e, 1e-9 * counters.log_rollback_e);
  EXPECT_TRUE(std::isinf(stream.promote_e));  // e^900 and more
  EXPECT_GT(counters.log_promote_e, 710);
}

TEST(CanaryEProcess, VerdictsComeInTheirOrder) {
  const auto verdict = [](const CanaryStep& step, double delta) {
    return canary_e_process({&step, 1}, {.delta = delta}).verdict;
  };
  EXPECT_EQ(verdict({.5, .02, 10, 490, 10, 490}, .01), CanaryVerdict::kContinue);
  EXPECT_EQ(verdict({.5, .02, 100, 900, 10, 990}, .02), CanaryVerdict::kRollback);
  EXPECT_EQ(verdict({.5, .02, 20, 1980, 20, 1980}, .05), CanaryVerdict::kPromote);
  // The same terrible canary, but it got 2,000 of 3,000 requests: nothing can be believed.
  EXPECT_EQ(verdict({.5, .02, 200, 1800, 10, 990}, .02), CanaryVerdict::kInvalid);
  EXPECT_EQ(verdict_name(CanaryVerdict::kInvalid), "invalid");
}

TEST(CanaryEProcess, NoRequestsAreNoEvidence) {
  const CanaryStep step{.25, .02, 0, 0, 0, 0};
  const CanaryEProcess result = canary_e_process({&step, 1}, {.delta = .02});
  EXPECT_EQ(result.rollback_e, 1);
  EXPECT_EQ(result.promote_e, 1);
  EXPECT_EQ(result.srm_e, 1);
  EXPECT_EQ(result.requests, 0);
}

TEST(CanaryEProcess, RefusesWhatItsHeaderRefuses) {
  const CanaryStep good{.25, .02, 1, 2, 3, 4};
  const auto message = [](const std::vector<CanaryStep>& steps,
                          const CanaryPolicy& policy) -> std::string {
    try {
      canary_e_process(steps, policy);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(message({good}, {.delta = .02}), "accepted");
  EXPECT_EQ(message({}, {.delta = .02}), "`steps` must hold at least one step");
  EXPECT_EQ(message({good}, {.delta = 0}), "`delta` must lie between 0 and 1, both excluded");
  EXPECT_EQ(message({{0, .02, 1, 2, 3, 4}}, {.delta = .02}),
            "`w` must lie between 0 and 1, both excluded");
  EXPECT_EQ(message({{.5, 1.1, 1, 2, 3, 4}}, {.delta = .02}), "`c0` must lie between 0 and 1");
  EXPECT_EQ(message({{.5, 1, -1, 2, 3, 4}}, {.delta = .02}),
            "`canary` must hold two counts of at most 2^53");
}

TEST(SampleRatio, MatchesPublishedNumbers) {
  EXPECT_NEAR(sample_ratio_mismatch(60, 1000, .05).e, .0507889314, 5e-11);
  EXPECT_NEAR(sample_ratio_mismatch(80, 1000, .05).e, 69.37982552, 5e-9);
  EXPECT_NEAR(sample_ratio_mismatch(560, 1000, .5).e, 53.58649339, 5e-9);
  EXPECT_FALSE(sample_ratio_mismatch(560, 1000, .5).mismatch);
  EXPECT_TRUE(sample_ratio_mismatch(560, 1000, .5, .05).mismatch);
  EXPECT_EQ(sample_ratio_mismatch(0, 0, .5).e, 1);
}

TEST(Guardrail, OneBadMetricOfManyNeedsMoreEvidence) {
  const double two_good[] = {20, 25};
  const double low[] = {1, 1};
  EXPECT_EQ(guardrail_verdict(low, two_good).verdict, CanaryVerdict::kPromote);
  EXPECT_EQ(guardrail_verdict(two_good, two_good).verdict, CanaryVerdict::kRollback);
  const double one_high[] = {39, 0};
  EXPECT_EQ(guardrail_verdict(one_high, low).verdict, CanaryVerdict::kContinue);
  const double one_higher[] = {40, 0};
  EXPECT_EQ(guardrail_verdict(one_higher, low).verdict, CanaryVerdict::kRollback);
  EXPECT_THROW(guardrail_verdict(one_high, {}), Error);
  EXPECT_THROW(guardrail_verdict({}, {}), Error);
}

TEST(ShadowEProcess, MatchesThePublishedSequence) {
  const double z[] = {1, 0, 0, 1, 0, -1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1, 1};
  const ShadowEProcess result = shadow_e_process(z, .05, true);
  EXPECT_NEAR(result.e, 13.805561, 5e-7);
  EXPECT_NEAR(shadow_e_process(11, 1), result.e, 1e-12 * result.e);
  EXPECT_EQ(result.path.size(), 20U);
  EXPECT_FALSE(result.at);
  EXPECT_EQ(shadow_e_process(std::span<const double>{}).e, 1);
}

}  // namespace
}  // namespace slipway::stats
