// SPDX-License-Identifier: Apache-2.0
// Published numbers of e-values, confidence sequences and bounds, the random numbers, and the
// distributions under them.
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.h"
#include "stats/betting.h"
#include "stats/confidence_sequence.h"
#include "stats/distribution.h"
#include "stats/e_value.h"
#include "stats/philox.h"
#include "stats/risk_bound.h"

namespace slipway::stats {
namespace {

TEST(TTestEValue, MatchesPublishedNumbers) {
  EXPECT_NEAR(t_test_e_value(3.15256249847, 10), 7.71085004148, 5e-11);
  EXPECT_NEAR(t_test_e_value(2, 5), 1.57084158512, 5e-12);
  EXPECT_NEAR(t_test_e_value(5, 5), 9.70079429409, 5e-11);
  EXPECT_NEAR(t_test_e_value(0, 10), .301511344578, 5e-13);
}

TEST(Msprt, MatchesPublishedNumbers) {
  EXPECT_NEAR(msprt_normal(.01, 1e-5, 1e-4).e, 28.4033446914, 5e-11);
  EXPECT_NEAR(msprt_normal(.005, 1e-5, 1e-4).e, .939334155397, 5e-13);
  EXPECT_EQ(msprt_normal(.005, 1e-5, 1e-4).p, 1);
}

TEST(AsymptoticCs, MatchesPublishedNumbers) {
  EXPECT_NEAR(asymptotic_cs(1000, 0, 1).rho, .0398400667714, 5e-14);
  EXPECT_NEAR(asymptotic_cs(1000, 0, 1).half_width, .106375470065, 1e-12);
  EXPECT_NEAR(asymptotic_cs(5000, 0, 1).half_width, .0429243371883, 5e-14);
  EXPECT_NEAR(asymptotic_cs(50000, 0, 1).half_width, .0144974266346, 2e-13);
  EXPECT_THROW(asymptotic_cs(10, 0, 1, .5, 5000, true), Error);
}

TEST(BettingCs, ValuesAndCountersAgree) {
  std::vector<double> x;
  for (int i = 0; i < 1000; ++i) x.push_back(i % 10 < 7 ? 1 : 0);
  const BettingCs values = betting_cs(x);
  const BettingCs counters = betting_cs(700, 300);
  EXPECT_NEAR(values.lo, counters.lo, 1e-13);
  EXPECT_NEAR(values.hi, counters.hi, 1e-13);
  EXPECT_GE(values.lo_running, values.lo);
  EXPECT_LE(values.hi_running, values.hi);
  EXPECT_LT(counters.lo, .7);
  EXPECT_GT(counters.lo, .64);
}

TEST(BettingCs, TinyAndContradictoryValues) {
  const double tiny[] = {1e-300, 0};
  EXPECT_GT(betting_cs(tiny).lo, 0);
  EXPECT_LT(betting_cs(tiny).lo, 1e-300);
  std::vector<double> turned(500, 0.0);
  turned.insert(turned.end(), 5000, 1.0);
  const BettingCs result = betting_cs(turned);
  EXPECT_TRUE(std::isnan(result.lo_running));
  EXPECT_TRUE(std::isnan(result.hi_running));
  EXPECT_EQ(result.note, "the intersection over all prefixes is empty: no constant mean fits");
}

TEST(RiskUpperBound, FollowsItsFormulas) {
  const RiskUpperBound plain = risk_upper_bound(.1, 1000, std::nullopt);
  EXPECT_NEAR(plain.hoeffding, .1 + std::sqrt(std::log(100.0) / 2000), 1e-15);
  EXPECT_TRUE(std::isnan(plain.empirical_bernstein));
  EXPECT_EQ(plain.bound, plain.hoeffding);
  EXPECT_NEAR(plain.m, 1.1 * plain.bound, 1e-15);
  EXPECT_EQ(risk_upper_bound(1, 2, 0.0).m, 1);
  EXPECT_THROW(risk_upper_bound(1.1, 2, 0.0), Error);
  EXPECT_THROW(risk_upper_bound(.5, 1, 0.0), Error);
}

TEST(BettingMixture, MultiplicationAndLogarithmAgree) {
  BettingMixture wealth;
  std::vector<Payoff> payoffs = {{.5, 0}, {-.25, 0}, {-1, 0}};
  for (int i = 0; i < 5000; ++i) {
    Payoff& payoff = payoffs[static_cast<std::size_t>(i % 7 == 6 ? 2 : i % 2)];
    wealth.multiply(payoff.z);
    payoff.count += 1;
  }
  EXPECT_NEAR(std::log(wealth.value()), log_mixture(payoffs), 1e-10);
  EXPECT_EQ(log_mixture({}), 0);
}

TEST(Philox, KnownAnswers) {
  // The vectors of Random123's kat_vectors for philox4x32-10.
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, BelowIsUniform) {
  PhiloxStream stream(1, 2);
  std::array<int, 7> counts{};
  for (int i = 0; i < 70'000; ++i) ++counts[stream.below(7)];
  double chi2 = 0;
  for (const int count : counts) chi2 += (count - 10'000.0) * (count - 10'000.0) / 10'000;
  EXPECT_LT(chi2, 22.5);  // 0.1 % point of 6 degrees of freedom
  EXPECT_EQ(stream.below(1), 0U);
  const double uniform = stream.uniform();
  EXPECT_GE(uniform, 0);
  EXPECT_LT(uniform, 1);
}

TEST(Distribution, MatchesScipy) {
  // mpmath 1.4.1 with 30 digits; scipy 1.17.1 agrees to 1e-14
  EXPECT_NEAR(normal_quantile(.975), 1.959963984540054, 1e-15);
  EXPECT_NEAR(normal_quantile(1e-300), -37.0470962993612, 1e-12);
  EXPECT_NEAR(normal_cdf(-20) / 2.7536241186062337e-89, 1, 1e-13);
  EXPECT_NEAR(student_t_quantile(.975, 3), 3.1824463052837096, 1e-14);
  EXPECT_NEAR(student_t_p(-2, 5, Alternative::kTwoSided), 0.10193947882985836, 1e-15);
  EXPECT_NEAR(student_t_p(-2, 5, Alternative::kLess), 0.05096973941492918, 1e-15);
  EXPECT_NEAR(normal_p(2, Alternative::kGreater), 0.022750131948179195, 1e-16);
  EXPECT_NEAR(chi_squared_sf(3.841458820694124, 1), .05, 1e-14);
  EXPECT_NEAR(f_sf(3, 2, 10), 0.09536743164062503, 1e-15);
  EXPECT_NEAR(binomial_cdf(3, 10, .5), 0.171875, 1e-15);
  EXPECT_NEAR(binomial_sf(3, 10, .5), 0.828125, 1e-15);
  EXPECT_NEAR(std::exp(log_binomial_pmf(3, 10, .5)), 0.1171875, 1e-15);
  EXPECT_EQ(binomial_cdf(-1, 10, .5), 0);
  EXPECT_EQ(binomial_sf(10, 10, .5), 0);
  EXPECT_TRUE(std::isinf(normal_quantile(0)));
}

}  // namespace
}  // namespace slipway::stats
