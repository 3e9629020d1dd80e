// SPDX-License-Identifier: Apache-2.0
// Published numbers and edges of the comparisons of two models; the tables of other tools' values
// are read by calc/reference_test.cc.
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "base/error.h"
#include "stats/bootstrap.h"
#include "stats/cluster_se.h"
#include "stats/mcnemar.h"
#include "stats/multiple_testing.h"
#include "stats/paired_t.h"
#include "stats/permutation.h"
#include "stats/rate_interval.h"

namespace slipway::stats {
namespace {

const std::vector<double> kDifferences = {.012, .004, -.003, .015,  .009,
                                          .001, .007, .011,  -.002, .006};

TEST(ClusterSe, MatchesPublishedNumbers) {
  const double x[] = {1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0};
  const std::int64_t cluster[] = {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3};
  const ClusterSe result = cluster_se(x, cluster);
  EXPECT_NEAR(result.se_naive, .142318761, 5e-10);
  EXPECT_NEAR(result.se_cluster, .216506351, 5e-10);
  EXPECT_EQ(result.clusters, 4);
  EXPECT_EQ(result.df, 3);
}

TEST(ClusterSe, OneSidedIsHalfOfTwoSidedOnTheRightSide) {
  const double x[] = {.1, .3, .2, .5, .1, .2};
  const std::int64_t day[] = {1, 1, 2, 2, 3, 3};
  const ClusterSe two = cluster_se(x, day);
  const ClusterSe greater = cluster_se(x, day, .95, Alternative::kGreater);
  const ClusterSe less = cluster_se(x, day, .95, Alternative::kLess);
  EXPECT_NEAR(greater.p, two.p / 2, 1e-15);
  EXPECT_NEAR(less.p, 1 - greater.p, 1e-12);
  EXPECT_EQ(greater.lo, two.lo);
}

TEST(ClusterSe, ConstantIsNoEvidence) {
  const double same[] = {.1, .3 - .2, .1};  // equal within rounding
  const std::int64_t day[] = {1, 1, 2};
  const ClusterSe result = cluster_se(same, day);
  EXPECT_TRUE(std::isnan(result.p));
  EXPECT_TRUE(std::isnan(result.design_effect));
  EXPECT_EQ(result.lo, .1);
  EXPECT_EQ(result.hi, .1);
  EXPECT_EQ(result.note, "no variation");
  const double zeros[] = {0, 0, 0};
  EXPECT_EQ(cluster_se(zeros, day).p, 1);
}

TEST(ClusterSe, RefusesTooLittle) {
  const double x[] = {1, 2};
  const std::int64_t same[] = {1, 1};
  EXPECT_THROW(cluster_se(x, same), Error);
  EXPECT_THROW(cluster_se(x, std::span(same).first(1)), Error);
  EXPECT_THROW(cluster_se(std::span(x).first(1), std::span(same).first(1)), Error);
  const std::int64_t different[] = {1, 2};
  EXPECT_THROW(cluster_se(x, different, 1.0), Error);
  const double bad[] = {1, std::nan("")};
  EXPECT_THROW(cluster_se(bad, different), Error);
}

TEST(Mcnemar, MatchesPublishedNumbers) {
  const Mcnemar big = mcnemar(12, 25);
  EXPECT_NEAR(big.p_exact, 0.0470310274395, 5e-14);
  EXPECT_NEAR(big.p_midp, 0.0335524396796, 5e-14);
  EXPECT_NEAR(big.p_chi2, 0.0325827983856, 5e-14);
  EXPECT_NEAR(big.p_chi2_cc, 0.0485197382803, 5e-14);
  EXPECT_EQ(big.method, "mid-p");
  EXPECT_EQ(big.p, big.p_midp);
  EXPECT_EQ(mcnemar(1, 9).p_exact, 0.021484375);
  EXPECT_NEAR(mcnemar(1, 9).p_midp, 0.01171875, 1e-16);
  EXPECT_EQ(mcnemar(0, 6).p_exact, 0.03125);
  EXPECT_EQ(mcnemar(0, 6).method, "exact");
  EXPECT_NEAR(mcnemar(59, 121).p_exact, 4.43444926376e-06, 5e-18);
  EXPECT_EQ(mcnemar(7, 7).p_chi2_cc, 1);
  EXPECT_EQ(mcnemar(0, 0).p, 1);
  EXPECT_THROW(mcnemar(-1, 0), Error);
}

TEST(PairedT, MatchesPublishedNumbers) {
  const PairedT result = paired_t(kDifferences);
  EXPECT_NEAR(result.t, 3.15256249847, 5e-12);
  EXPECT_NEAR(result.p, 0.0116892491, 5e-11);
  EXPECT_NEAR(result.mean, .006, 1e-17);
}

TEST(Permutation, MatchesPublishedNumbers) {
  EXPECT_EQ(paired_permutation(kDifferences).p, .017578125);
  EXPECT_EQ(paired_permutation(kDifferences, Alternative::kGreater).p, .0087890625);
  const double zero[] = {0};
  EXPECT_EQ(paired_permutation(zero).p, 1);
}

TEST(Permutation, RandomAgreesWithExactWithinItsError) {
  // 21 values: just too many to enumerate. The exact p comes from the normal cousin: it must lie
  // within 5 standard errors of B = 100,000.
  std::vector<double> x;
  for (int i = 0; i < 21; ++i) x.push_back(i % 3 == 0 ? -1 : 1);  // 14 up, 7 down
  const PairedPermutation result = paired_permutation(x);
  EXPECT_FALSE(result.exact);
  EXPECT_EQ(result.resamples, 100'000);
  const double exact =
      2 * 198440.0 / 2097152;  // 2 P(Bin(21, 1/2) >= 14): sum of C(21, k), k = 14 … 21, is 198440
  EXPECT_NEAR(result.p, exact, 5 * std::sqrt(exact * (1 - exact) / 100'000));
  EXPECT_EQ(result.p, paired_permutation(x).p);
  EXPECT_NE(result.p, paired_permutation(x, Alternative::kTwoSided, 100'000, 1).p);
}

TEST(Permutation, LimitsItsWork) {
  EXPECT_THROW(paired_permutation(kDifferences, Alternative::kTwoSided, kResamplesMax + 1), Error);
  EXPECT_THROW(paired_permutation(kDifferences, Alternative::kTwoSided, 0), Error);
}

TEST(Bootstrap, MatchesThePublishedExhaustiveRun) {
  const Bootstrap result =
      paired_bootstrap(std::span(kDifferences).first(6), BootstrapStatistic::kMean, {});
  EXPECT_EQ(result.resamples, 46'656);
  EXPECT_TRUE(result.exhaustive);
  EXPECT_EQ(result.method, "bca");
  EXPECT_NEAR(result.z0, -.00416375712888, 5e-15);
  EXPECT_NEAR(result.a, -.00579641556739, 5e-15);
  EXPECT_NEAR(result.alpha_lo, .023245368659, 5e-13);
  EXPECT_NEAR(result.alpha_hi, .973178785022, 5e-13);
  EXPECT_NEAR(result.lo, .0013333333, 5e-11);
  EXPECT_NEAR(result.hi, .0111666667, 5e-11);
}

TEST(Bootstrap, RandomAgreesWithExhaustiveWithinItsError) {
  const std::span<const double> x = std::span(kDifferences).first(6);
  BootstrapPolicy policy;
  policy.exhaustive = Exhaustive::kNo;
  policy.resamples = 200'000;
  const Bootstrap exact = paired_bootstrap(x, BootstrapStatistic::kMean, {});
  const Bootstrap random = paired_bootstrap(x, BootstrapStatistic::kMean, policy);
  EXPECT_FALSE(random.exhaustive);
  EXPECT_NEAR(
      random.z0, exact.z0,
      5 * 1.2533 /
          std::sqrt(200'000.0));  // sd of a normal quantile near the median: sqrt(pi/2)/sqrt(B)
  EXPECT_NEAR(random.lo, exact.lo, .0003);  // the resampled means lie on a lattice of 1/6000
  EXPECT_NEAR(random.hi, exact.hi, .0003);
  EXPECT_EQ(paired_bootstrap(x, BootstrapStatistic::kMean, policy).lo, random.lo);
}

TEST(Bootstrap, FallsBackAndSaysSo) {
  const double constant[] = {.1, .1, .1};
  const Bootstrap point = paired_bootstrap(constant, BootstrapStatistic::kMean, {});
  EXPECT_EQ(point.method, "degenerate");
  EXPECT_EQ(point.lo, .1);
  EXPECT_EQ(point.p, 1.0 / 28);
  // Two values, mostly one of them: the median of nearly every resample is the observed one, none
  // lies above it.
  std::vector<double> edge(30, 1.0);
  edge[0] = edge[1] = 0;
  edge.insert(edge.end(), 400, 2.0);
  const Bootstrap median = paired_bootstrap(edge, BootstrapStatistic::kMedian, {});
  EXPECT_EQ(median.method, "degenerate");
  EXPECT_EQ(median.estimate, 2);
}

TEST(Bootstrap, LimitsItsWork) {
  BootstrapPolicy policy;
  policy.resamples = kBootstrapResamplesMin - 1;
  EXPECT_THROW(paired_bootstrap(kDifferences, BootstrapStatistic::kMean, policy), Error);
  policy.resamples = kResamplesMax + 1;
  EXPECT_THROW(paired_bootstrap(kDifferences, BootstrapStatistic::kMean, policy), Error);
  policy.resamples = kBootstrapResamplesMin;
  EXPECT_EQ(paired_bootstrap(kDifferences, BootstrapStatistic::kMean, policy).resamples, 100);
  policy.exhaustive = Exhaustive::kYes;
  EXPECT_THROW(paired_bootstrap(kDifferences, BootstrapStatistic::kMean, policy), Error);  // 10^10
}

TEST(Bootstrap, JackknifeOfManyValuesLeavesOutBlocks) {
  std::vector<double> x;
  for (std::size_t i = 0; i < kJackknifeMax + 1; ++i)
    x.push_back(std::fmod(static_cast<double>(i) * .618034, 1.0) * 2 - .3);
  BootstrapPolicy policy;
  policy.resamples = 200;
  const Bootstrap blocks = paired_bootstrap(x, BootstrapStatistic::kMean, policy);
  // Of 200 block means of a near-uniform sequence: nearly no skewness, and not the value of 5,001
  // single leave-outs.
  EXPECT_LT(std::abs(blocks.a), .05);
  x.resize(kJackknifeMax);
  EXPECT_NE(paired_bootstrap(x, BootstrapStatistic::kMean, policy).a, blocks.a);
}

TEST(ClusterBootstrap, SingletonClustersAreThePlainOne) {
  const std::span<const double> x = std::span(kDifferences).first(6);
  const std::int64_t own[] = {5, 4, 3, 2, 1, 0};
  const Bootstrap plain = paired_bootstrap(x, BootstrapStatistic::kMean, {});
  const Bootstrap clustered = cluster_bootstrap(x, own, {});
  EXPECT_EQ(clustered.lo, plain.lo);
  EXPECT_EQ(clustered.hi, plain.hi);
  EXPECT_EQ(clustered.clusters, 6);
  const std::int64_t one[] = {1, 1, 1, 1, 1, 1};
  EXPECT_THROW(cluster_bootstrap(x, one, {}), Error);
}

TEST(MultipleTesting, MatchesPublishedNumbers) {
  const double p[] = {.01, .04, .03, .005};
  const double holm[] = {.03, .06, .06, .02};
  const double benjamini_hochberg[] = {.02, .04, .04, .02};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(adjust_p(p, Correction::kHolm).adjusted[i], holm[i]);
    EXPECT_DOUBLE_EQ(adjust_p(p, Correction::kBenjaminiHochberg).adjusted[i],
                     benjamini_hochberg[i]);
  }
  EXPECT_EQ(adjust_p(p, Correction::kHolm).reject, (std::vector<bool>{true, false, false, true}));
  EXPECT_TRUE(adjust_p({}, Correction::kHommel).adjusted.empty());
}

TEST(RateInterval, MatchesPublishedNumbers) {
  EXPECT_NEAR(wilson(0, 20).hi, .161125158, 5e-10);
  EXPECT_EQ(wilson(0, 20).lo, 0);
  EXPECT_NEAR(wilson(90, 100).lo, .825634338, 5e-10);
  EXPECT_NEAR(wilson(90, 100).hi, .944770863, 5e-10);
  EXPECT_EQ(wilson(20, 20).hi, 1);
  EXPECT_EQ(clopper_pearson(20, 20).hi, 1);
  EXPECT_EQ(clopper_pearson(0, 0).note, "no trials");
}

}  // namespace
}  // namespace slipway::stats
