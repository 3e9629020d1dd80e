// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

namespace slipway::stats {

struct Tost {
  double mean = 0;  // of the differences, or the difference of the means
  double se = 0;
  double df = 0;
  double t_lower = 0;  // (mean - low)/se: evidence that the mean is above low
  double t_upper = 0;  // (mean - high)/se: evidence that it is below high
  double p_lower = 0;
  double p_upper = 0;
  double p = 0;   // the larger of both; NaN without variation
  double lo = 0;  // interval with level 1 - 2 alpha
  double hi = 0;
  bool equivalent = false;  // p <= alpha; without variation: low < mean < high
  std::string note;
};

// Two one-sided t tests: is a mean difference surely between low and high?
//   x           paired differences, at least 2, finite
//   low, high   finite, low < high; alpha in (0, 1)
//   throws      kInvalidArgument naming `x`, `a`, `b`, `high` or `alpha`
//   source      Schuirmann 1987; statsmodels ttost_paired, ttost_ind(usevar='unequal')
// Pure, thread-safe, O(n).
Tost tost_paired(std::span<const double> x, double low, double high, double alpha = 0.05);
// The same for independent samples, with Welch's standard error and degrees of freedom.
Tost tost_independent(std::span<const double> a, std::span<const double> b, double low, double high,
                      double alpha = 0.05);

}  // namespace slipway::stats
