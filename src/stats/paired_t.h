// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

struct PairedT {
  std::int64_t n = 0;
  double mean = 0;
  double sd = 0;  // with n - 1
  double t = 0;   // NaN without variation, 0 if every x is 0
  double df = 0;
  double p = 0;   // NaN without variation, 1 if every x is 0
  double lo = 0;  // always two-sided
  double hi = 0;
  std::string note;  // "no variation", or empty
};

// Student's t test that the mean of independent differences is 0.
//   x       differences a - b, finite, n >= 2; without variation (see sample.h) the interval is the
//   point conf    level of the interval, in (0, 1) throws  kInvalidArgument naming `x` or `conf`
//   source  Student 1908; agrees with scipy.stats.ttest_rel within 1e-9 on testdata/paired-t.json
// Pure, thread-safe, O(n).
PairedT paired_t(std::span<const double> x, double conf = 0.95,
                 Alternative alternative = Alternative::kTwoSided);

}  // namespace slipway::stats
