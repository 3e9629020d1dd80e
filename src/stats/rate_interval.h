// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

struct RateInterval {
  double estimate = 0;  // k / n; NaN when n = 0
  double lo = 0;
  double hi = 1;
  std::string note;  // "no trials" when n = 0
};

// Interval for the rate behind k successes in n independent trials. For both:
//   k, n    0 <= k <= n; n = 0 gives [0, 1] with a note
//   conf    level, in (0, 1)
//   edges   lo is exactly 0 at k = 0, hi exactly 1 at k = n
//   throws  kInvalidArgument naming `k`, `n` or `conf`
// Pure, thread-safe.

// The score interval, without continuity correction: right on average, may fall short for single
// rates.
//   source  Wilson 1927; statsmodels proportion_confint(method='wilson')
RateInterval wilson(std::int64_t k, std::int64_t n, double conf = 0.95);

// The exact interval: covers at least `conf` for every rate, hence wide.
//   source  Clopper & Pearson 1934; scipy.stats.binomtest(k, n).proportion_ci('exact')
RateInterval clopper_pearson(std::int64_t k, std::int64_t n, double conf = 0.95);

struct BinomialTest {
  double estimate = 0;
  double p = 0;
};

// Exact test that the rate is p0. Two-sided: the sum over all outcomes that are not more likely
// than k, with a relative slack of 1e-7 so that equally likely outcomes count as equal.
//   k, n    0 <= k <= n, n >= 1; p0 in [0, 1]
//   throws  kInvalidArgument naming `k`, `n` or `p0`
//   source  scipy.stats.binomtest
// Pure, thread-safe, O(log n) probabilities.
BinomialTest binomial_test(std::int64_t k, std::int64_t n, double p0,
                           Alternative alternative = Alternative::kTwoSided);

}  // namespace slipway::stats
