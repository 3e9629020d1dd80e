// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

// Tests over folds or repeated splits of one data set. Their training sets overlap, so the plain
// paired t test is wrong too often; these correct for it.

struct CorrectedResampledT {
  double mean = 0;
  double s2 = 0;  // variance of the differences, with J - 1
  double t = 0;   // mean / sqrt(s2 (1/J + ratio)); NaN without variation, 0 if every x is 0
  double df = 0;  // J - 1
  double p = 0;
  double lo = 0;  // always two-sided
  double hi = 0;
  double t_naive = 0;  // the plain paired t test, for comparison
  double p_naive = 0;
  std::string note;
};

// Nadeau & Bengio's corrected resampled t test.
//   x                 differences per fold or split, J >= 2, finite
//   test_train_ratio  test size / training size, > 0; for k folds 1/(k - 1)
//   throws            kInvalidArgument naming `x`, `test_train_ratio` or `conf`
//   source            Nadeau & Bengio, Machine Learning 52 (2003)
// Pure, thread-safe, O(J).
CorrectedResampledT corrected_resampled_t(std::span<const double> x, double test_train_ratio,
                                          double conf = 0.95,
                                          Alternative alternative = Alternative::kTwoSided);

struct CorrelatedTBayes {
  double p_left = 0;   // posterior probability that the mean is below -rope
  double p_rope = 0;   // within [-rope, rope]
  double p_right = 0;  // above rope
};

// Bayesian correlated t test: the posterior of the mean is Student's t with J - 1 degrees of
// freedom, location mean, scale sqrt(s2 (1/J + 1/(J/runs - 1))).
//   x        differences, J >= 2, finite; rope >= 0; runs >= 1 divides J, J/runs >= 2
//   no variation  all mass where the mean is (on or within the rope: rope); rope 0 and mean 0: 1/2,
//   0, 1/2 throws   kInvalidArgument naming `x`, `rope` or `runs` source   Benavoli, Corani, Demšar
//   & Zaffalon, JMLR 18 (2017); baycomp CorrelatedTTest
// Pure, thread-safe, O(J).
CorrelatedTBayes correlated_t_bayes(std::span<const double> x, double rope = 0,
                                    std::int64_t runs = 1);

struct FiveByTwoCv {
  double t = 0;  // first difference / sqrt(sum of variances / 5), 5 df; NaN without variation
  double p_t = 0;
  double f = 0;  // sum of squared differences / (2 sum of variances), (10, 5) df
  double p_f = 0;
  std::string note;
};

// Five times two-fold cross-validation.
//   pairs   the two differences of each repetition, finite; throws naming `pairs`
//   source  Dietterich 1998 (t); Alpaydın 1999 (F)
FiveByTwoCv five_by_two_cv(const std::array<std::array<double, 2>, 5>& pairs);

}  // namespace slipway::stats
