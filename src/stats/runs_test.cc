// SPDX-License-Identifier: Apache-2.0
// Published numbers and edges of rank tests, sample sizes, folds, seeds and many models; the tables
// of other tools' values are read by calc/reference_test.cc.
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.h"
#include "stats/crossed_design.h"
#include "stats/delong.h"
#include "stats/friedman.h"
#include "stats/mann_whitney.h"
#include "stats/multiple_testing.h"
#include "stats/paired_proportion.h"
#include "stats/resampled_t.h"
#include "stats/run_scores.h"
#include "stats/tost.h"
#include "stats/welch_t.h"
#include "stats/wilcoxon.h"

namespace slipway::stats {
namespace {

const std::vector<double> kDifferences = {.012, .004, -.003, .015,  .009,
                                          .001, .007, .011,  -.002, .006};

TEST(PairedProportion, MatchesPublishedIntervals) {
  const PairedProportionCi small = paired_proportion_ci({36, 12, 2, 0});
  EXPECT_NEAR(small.wald.lo, .0642097, 5e-8);
  EXPECT_NEAR(small.wald.hi, .3357903, 5e-8);
  EXPECT_NEAR(small.tango.lo, .0611124, 5e-8);
  EXPECT_NEAR(small.tango.hi, .3447087, 5e-8);
  EXPECT_NEAR(small.bonett_price.lo, .0508917, 5e-8);
  EXPECT_NEAR(small.bonett_price.hi, .3337237, 5e-8);
  const PairedProportionCi large = paired_proportion_ci({900, 25, 12, 63});
  EXPECT_NEAR(large.wald.lo, .0011053, 5e-8);
  EXPECT_NEAR(large.tango.lo, .0011354, 5e-8);
  EXPECT_NEAR(large.tango.hi, .0259538, 5e-8);
  EXPECT_NEAR(large.bonett_price.hi, .0251632, 1e-7);
  EXPECT_THROW(paired_proportion_ci({0, 0, 0, 0}), Error);
  EXPECT_THROW(paired_proportion_ci({1, -1, 3, 0}), Error);
}

TEST(SampleSize, MatchesPublishedNumbers) {
  EXPECT_EQ(mcnemar_sample_size(.03, .01).n_ceil,
            2353);  // published as 2352, rounded down from 2352.3
  EXPECT_NEAR(mcnemar_sample_size(.03, .01).n, 2352, .5);
  EXPECT_NEAR(mcnemar_sample_size(.06, .01).n, 4707, .5);
  EXPECT_NEAR(mcnemar_sample_size(.10, .02).n, 1960, .5);
  EXPECT_NEAR(two_proportion_sample_size(.90, .91).n, 13495, .5);
  EXPECT_NEAR(noether_sample_size(.75, .05, .95).n, 28.86, .005);
  EXPECT_EQ(noether_sample_size(.75, .05, .95).n_ceil, 29);
  EXPECT_NEAR(noether_sample_size(.75).n, 16.5, .05);
  EXPECT_NEAR(noether_sample_size(.9, .05, .95).n, 11.3, .05);
  EXPECT_THROW(mcnemar_sample_size(.03, .03), Error);
  EXPECT_THROW(two_proportion_sample_size(.5, .5), Error);
  EXPECT_THROW(noether_sample_size(.5), Error);
}

TEST(Wilcoxon, MatchesPublishedNumbers) {
  const double x[] = {3, -1, 4, 1.5, 5, -9, 2, 6.5};
  EXPECT_EQ(wilcoxon(x).statistic, 9);
  EXPECT_EQ(wilcoxon(x).p, .25);
  EXPECT_EQ(wilcoxon(kDifferences).statistic, 5);
  EXPECT_EQ(wilcoxon(kDifferences).p, .01953125);
}

TEST(Wilcoxon, ExactIsNeverSilentlyApproximate) {
  const double tied[] = {1, -1, 2};
  const double with_zero[] = {0, 1, 2};
  for (const std::span<const double> x :
       {std::span<const double>(tied), std::span<const double>(with_zero)}) {
    EXPECT_EQ(wilcoxon(x).method, "approx");
    try {
      wilcoxon(x, Zeros::kWilcox, RankMethod::kExact);
      FAIL();
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "`method` must not be exact with zeros or ties");
    }
  }
  std::vector<double> many;
  for (std::size_t i = 1; i <= kWilcoxonExactMax + 1; ++i) many.push_back(static_cast<double>(i));
  EXPECT_THROW(wilcoxon(many, Zeros::kWilcox, RankMethod::kExact), Error);
  many.pop_back();
  EXPECT_EQ(wilcoxon(many, Zeros::kWilcox, RankMethod::kExact).p, std::exp2(-999.0));
  many.resize(kWilcoxonExactAuto + 1);
  EXPECT_EQ(wilcoxon(many).method, "approx");
}

TEST(MannWhitney, MatchesPublishedNumbers) {
  const double a[] = {.81, .83, .79, .86, .84};
  const double b[] = {.78, .80, .82, .77, .76};
  const MannWhitney exact = mann_whitney(a, b);
  EXPECT_EQ(exact.u, 22);
  EXPECT_NEAR(exact.p, .0555555556, 5e-11);
  EXPECT_NEAR(mann_whitney(a, b, Alternative::kTwoSided, RankMethod::kApprox).p, .0601028, 5e-8);
}

TEST(MannWhitney, BothExactWaysAgree) {
  // 8 against 30 goes by the series, 9 against 30 by the recursion; dropping the smallest value of
  // a changes U by nothing here.
  std::vector<double> a;
  std::vector<double> b;
  for (int i = 0; i < 9; ++i) a.push_back(4.5 * i + .25);
  for (int i = 0; i < 30; ++i) b.push_back(i);
  const double p_nine = mann_whitney(a, b, Alternative::kGreater, RankMethod::kExact).p;
  const double p_less = mann_whitney(a, b, Alternative::kLess, RankMethod::kExact).p;
  const double p_swapped = mann_whitney(b, a, Alternative::kLess, RankMethod::kExact).p;
  EXPECT_NEAR(p_nine, p_swapped, 1e-14);
  EXPECT_GT(p_nine + p_less, 1);  // the observed value counts on both sides
  std::vector<double> large(kMannWhitneyExactMax / 9, 0.0);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<double>(i) + .5;
  a = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  EXPECT_THROW(mann_whitney(a, large, Alternative::kGreater, RankMethod::kExact), Error);
}

TEST(Delong, MatchesPublishedNumbers) {
  const std::vector<bool> y = {1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1};
  const double a[] = {.9, .4, .7, .6, .5, .2, .8, .55, .35, .3, .1, .65};
  const double b[] = {.8, .45, .75, .4, .5, .3, .7, .6, .5, .2, .35, .55};
  const AucDifference result = delong_difference(y, a, b);
  EXPECT_NEAR(result.a.auc, .9166666667, 5e-11);
  EXPECT_NEAR(result.b.auc, .8472222222, 5e-11);
  EXPECT_NEAR(result.a.var, .0083333333, 5e-11);
  EXPECT_NEAR(result.b.var, .0133487654, 5e-11);
  EXPECT_NEAR(result.cov, .0041666667, 5e-11);
  EXPECT_NEAR(result.z, .6010587960, 5e-11);
  EXPECT_NEAR(result.p, .5478008259, 5e-11);
  EXPECT_THROW(delong(std::vector<bool>(12, true), a), Error);
}

TEST(CorrectedResampledT, TurnsThePublishedVerdict) {
  const CorrectedResampledT result = corrected_resampled_t(kDifferences, 1.0 / 9);
  EXPECT_NEAR(result.t_naive, 3.15256249847, 5e-12);
  EXPECT_NEAR(result.p_naive, .0116892491, 5e-11);
  EXPECT_NEAR(result.t, 2.16974231748, 5e-12);
  EXPECT_NEAR(result.p, .0581378783, 5e-11);
  EXPECT_NEAR(result.lo, -.000255555, 5e-10);
  EXPECT_NEAR(result.hi, .012255555, 5e-10);
  EXPECT_NEAR(result.s2, 3.62222222e-05, 5e-14);
}

TEST(CorrelatedTBayes, MatchesPublishedNumbers) {
  const CorrelatedTBayes none = correlated_t_bayes(kDifferences);
  EXPECT_NEAR(none.p_left, .0290689391, 5e-11);
  EXPECT_NEAR(none.p_right, .9709310609, 5e-11);
  const CorrelatedTBayes rope = correlated_t_bayes(kDifferences, .005);
  EXPECT_NEAR(rope.p_left, .0016080905, 5e-11);
  EXPECT_NEAR(rope.p_rope, .3613807005, 5e-11);
  EXPECT_NEAR(rope.p_right, .637011209, 5e-10);
  const CorrelatedTBayes runs = correlated_t_bayes(kDifferences, .005, 2);
  EXPECT_NEAR(runs.p_left, .0064712262, 5e-11);
  EXPECT_NEAR(runs.p_rope, .386115301, 5e-10);
  EXPECT_NEAR(runs.p_right, .6074134728, 5e-11);
  EXPECT_THROW(correlated_t_bayes(kDifferences, 0, 3), Error);
  EXPECT_THROW(correlated_t_bayes(kDifferences, 0, 10), Error);
}

TEST(FiveByTwoCv, MatchesPublishedNumbers) {
  const FiveByTwoCv result =
      five_by_two_cv({{{.012, .008}, {.004, .015}, {-.003, .010}, {.009, .002}, {.011, .006}}});
  EXPECT_NEAR(result.t, 1.94665705357, 5e-12);
  EXPECT_NEAR(result.p_t, .1091363326, 5e-11);
  EXPECT_NEAR(result.f, 2.10526315789, 5e-12);
  EXPECT_NEAR(result.p_f, .2127938014, 5e-11);
}

TEST(CrossedDesign, MatchesPublishedNumbers) {
  const CrossedDesign result = crossed_design({{.1, 0, .2, -.1, 0, .3},
                                               {0, .1, .2, 0, .1, .2},
                                               {.2, 0, .1, -.1, .1, .4},
                                               {.1, .1, .3, 0, -.1, .2}});
  EXPECT_NEAR(result.mean, .1, 1e-15);
  EXPECT_NEAR(result.ms_seed, .0011111, 5e-8);
  EXPECT_NEAR(result.ms_example, .057, 1e-14);
  EXPECT_NEAR(result.ms_residual, .0074444, 5e-8);
  EXPECT_NEAR(result.se_unfloored, .0459468292, 5e-11);
  EXPECT_NEAR(result.t_unfloored, 2.17642875, 5e-9);
  EXPECT_NEAR(result.p_unfloored, .0964124189, 5e-11);
  EXPECT_NEAR(result.se, .0487340, 5e-8);
  EXPECT_NEAR(result.df, 3.9258096, 5e-8);
  EXPECT_NEAR(result.t, 2.0519567, 5e-8);
  EXPECT_NEAR(result.p, .1107678, 5e-8);
  EXPECT_EQ(result.dominant, "examples");
}

TEST(RunScores, MatchesPublishedNumbers) {
  const Scores s = {{.1, .9, .4}, {.3, .7, .8}, {.2, 1.2, .5}, {.6, 1, .3}, {.5, .8, .9}};
  const Scores t = {{.2, .8, .3}, {.1, .9, .7}, {.4, 1.1, .2}, {.3, .6, .1}};
  const AggregateScores result = aggregate_scores(s);
  EXPECT_NEAR(result.mean, .6133333333, 5e-11);
  EXPECT_NEAR(result.median, .58, 1e-15);
  EXPECT_NEAR(result.iqm, .6111111111, 5e-11);
  EXPECT_NEAR(result.optimality_gap, .4, 1e-15);
  EXPECT_NEAR(probability_of_improvement(s, t).estimate, .6833333333, 5e-11);
}

TEST(StochasticOrder, CompleteOrderIsZeroOrOne) {
  const double high[] = {3, 4};
  const double low[] = {1, 2, 2.5};
  EXPECT_EQ(stochastic_order(high, low).violation_ratio, 0);
  EXPECT_EQ(stochastic_order(low, high).violation_ratio, 1);
  EXPECT_EQ(stochastic_order(high, high).violation_ratio, .5);
}

// Found with mutated input: the sum once went on to the distance itself, forever.
TEST(Nemenyi, EndsForRanksFarApart) {
  const std::vector<double> ranks{1e300, 0.05};
  const Nemenyi result = nemenyi(2, 2, ranks);
  EXPECT_EQ(result.p[0][1], 0);
  EXPECT_EQ(result.different.size(), 1U);
  EXPECT_EQ(studentized_range_sf(1e300, 3), 0);
}

TEST(Nemenyi, MatchesPublishedQuantiles) {
  const double published[] = {1.959963984540, 2.343700586, 2.569031772546, 2.727774371, 2.849705420,
                              2.948320018,    3.030878450, 3.101730341,    3.163683577};
  for (std::int64_t k = 2; k <= 10; ++k) {
    EXPECT_NEAR(nemenyi(k, 14, {}).q, published[static_cast<std::size_t>(k - 2)], 5e-10);
  }
  // Demšar's example: 4 models, 14 data sets, critical difference 1.25 at .05.
  EXPECT_NEAR(nemenyi(4, 14, {}).cd, 1.25, .005);
  // Two models: the range of two normals is that of one difference, so its tail is the normal's.
  EXPECT_NEAR(studentized_range_sf(std::sqrt(2.0) * 6, 2) / 1.9731752900753963e-09, 1, 1e-10);
}

TEST(Friedman, ReproducesDemsarsExample) {
  // Mean ranks 3.143, 2.000, 2.893 and 1.964 over 14 data sets: chi2 9.28, F 3.69. Any scores with
  // those rank sums (44, 28, 40.5, 27.5) do.
  std::vector<std::vector<double>> scores;
  const auto add = [&](int times, std::vector<double> ranks) {
    for (int i = 0; i < times; ++i) scores.push_back(ranks);
  };
  add(5, {4, 2, 3, 1});
  add(1, {4, 2, 1, 3});
  add(2, {3, 2, 4, 1});
  add(1, {2, 3, 1, 4});
  add(1, {2, 1, 3.5, 3.5});
  add(2, {3, 1, 2, 4});
  add(2, {2, 3, 4, 1});
  const Friedman result = friedman(scores, true);
  EXPECT_NEAR(result.ranks[0], 44.0 / 14, 1e-12);
  EXPECT_NEAR(result.ranks[1], 28.0 / 14, 1e-12);
  EXPECT_NEAR(result.ranks[2], 40.5 / 14, 1e-12);
  EXPECT_NEAR(result.ranks[3], 27.5 / 14, 1e-12);
  EXPECT_NEAR(result.chi2, 9.278571, 5e-7);
  EXPECT_NEAR(result.f, 3.686313, 5e-7);
  EXPECT_GT(result.chi2_ties, result.chi2);
}

TEST(MultipleTesting, BenjaminiAndHochbergsExample) {
  const double p[] = {.001, .008, .039, .041, .042, .06,  .074, .205, .212, .216, .222, .251, .269,
                      .275, .34,  .341, .384, .569, .594, .696, .762, .94,  .942, .975, .986};
  const auto first_six = [&](Correction correction) {
    std::vector<double> adjusted = adjust_p(p, correction).adjusted;
    adjusted.resize(6);
    return adjusted;
  };
  const double bh[] = {.025, .1, .21, .21, .21, .25};
  const double by[] = {.0954, .3816, .8014};
  const double hommel[] = {.025, .192, .682, .697, .714, .84};
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(first_six(Correction::kBenjaminiHochberg)[i], bh[i], 1e-12);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(first_six(Correction::kBenjaminiYekutieli)[i], by[i], 5e-5);
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(first_six(Correction::kHommel)[i], hommel[i], 1e-12);
}

TEST(Tost, NoVariationIsDecidedByThePoint) {
  const double x[] = {.1, .1, .1};
  EXPECT_TRUE(tost_paired(x, -.2, .2).equivalent);
  EXPECT_FALSE(tost_paired(x, -.2, .1).equivalent);
  EXPECT_TRUE(std::isnan(tost_paired(x, -.2, .2).p));
  EXPECT_THROW(tost_paired(x, .2, .2), Error);
}

TEST(WelchT, OneConstantSampleIsStillATest) {
  const double a[] = {1, 1, 1};
  const double b[] = {0, 1, 2, 4};
  const WelchT result = welch_t(a, b);
  EXPECT_EQ(result.df, 3);
  EXPECT_TRUE(result.note.empty());
}

}  // namespace
}  // namespace slipway::stats
