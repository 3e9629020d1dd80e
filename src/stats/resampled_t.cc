// SPDX-License-Identifier: Apache-2.0
#include "stats/resampled_t.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/paired_t.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {

CorrectedResampledT corrected_resampled_t(std::span<const double> x, double test_train_ratio,
                                          double conf, Alternative alternative) {
  require(test_train_ratio > 0 && std::isfinite(test_train_ratio), "test_train_ratio",
          "be a finite number above 0");
  const PairedT naive = paired_t(x, conf, alternative);
  CorrectedResampledT result;
  result.mean = naive.mean;
  result.s2 = naive.sd * naive.sd;
  result.df = naive.df;
  result.t_naive = result.t = naive.t;
  result.p_naive = result.p = naive.p;
  result.lo = naive.lo;
  result.hi = naive.hi;
  result.note = naive.note;
  if (naive.sd == 0) return result;
  const double se = naive.sd * std::sqrt(1 / static_cast<double>(naive.n) + test_train_ratio);
  result.t = naive.mean / se;
  result.p = student_t_p(result.t, result.df, alternative);
  const double half_width = student_t_quantile(0.5 + conf / 2, result.df) * se;
  result.lo = naive.mean - half_width;
  result.hi = naive.mean + half_width;
  return result;
}

CorrelatedTBayes correlated_t_bayes(std::span<const double> x, double rope, std::int64_t runs) {
  require(x.size() >= 2, "x", "hold at least 2 values");
  require(rope >= 0 && std::isfinite(rope), "rope", "be a finite number of at least 0");
  const auto n = static_cast<std::int64_t>(x.size());
  require(runs >= 1 && n % runs == 0 && n / runs >= 2, "runs",
          "divide the number of values into parts of at least 2");
  const Sample sample = summarize(x);
  if (sample.constant) {
    if (sample.mean < -rope) return {1, 0, 0};
    if (sample.mean > rope) return {0, 0, 1};
    return rope == 0 ? CorrelatedTBayes{.5, 0, .5} : CorrelatedTBayes{0, 1, 0};
  }
  const auto size = static_cast<double>(n);
  const double scale = sample.sd * std::sqrt(1 / size + 1 / (size / static_cast<double>(runs) - 1));
  CorrelatedTBayes result;
  result.p_left = student_t_cdf((-rope - sample.mean) / scale, size - 1);
  result.p_right = student_t_cdf((sample.mean - rope) / scale, size - 1);
  result.p_rope = rope == 0 ? 0 : std::max(0.0, 1 - result.p_left - result.p_right);
  return result;
}

FiveByTwoCv five_by_two_cv(const std::array<std::array<double, 2>, 5>& pairs) {
  double variances = 0;
  double squares = 0;
  double magnitude = 0;
  double spread = 0;
  for (const auto& [first, second] : pairs) {
    require_finite(first, "pairs");
    require_finite(second, "pairs");
    variances += (first - second) * (first - second) / 2;
    squares += first * first + second * second;
    magnitude = std::max({magnitude, std::abs(first), std::abs(second)});
    spread = std::max(spread, std::abs(first - second));
  }
  FiveByTwoCv result;
  if (spread <= kRoundingTolerance * magnitude) {
    result.t = result.p_t = result.f = result.p_f = std::numeric_limits<double>::quiet_NaN();
    result.note = "no variation";
    return result;
  }
  result.t = pairs[0][0] / std::sqrt(variances / 5);
  result.p_t = student_t_p(result.t, 5, Alternative::kTwoSided);
  result.f = squares / (2 * variances);
  result.p_f = f_sf(result.f, 10, 5);
  return result;
}

}  // namespace slipway::stats
