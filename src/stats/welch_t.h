// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

struct WelchT {
  double diff = 0;  // mean of a - mean of b
  double se = 0;
  double t = 0;   // NaN when both samples are constant, 0 if every value is 0
  double df = 0;  // Welch–Satterthwaite; n_a + n_b - 2 when both are constant
  double p = 0;
  double lo = 0;  // always two-sided
  double hi = 0;
  std::string note;
};

// Welch's t test that two independent samples have the same mean; variances may differ.
//   a, b    finite, at least 2 values each; without variation in both (sample.h) the interval is
//   the point conf    in (0, 1) throws  kInvalidArgument naming `a`, `b` or `conf` source  Welch
//   1947; scipy.stats.ttest_ind(equal_var=False)
// Pure, thread-safe, O(n).
WelchT welch_t(std::span<const double> a, std::span<const double> b, double conf = 0.95,
               Alternative alternative = Alternative::kTwoSided);

}  // namespace slipway::stats
