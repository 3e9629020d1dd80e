// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

inline constexpr std::int64_t kBootstrapResamplesMin = 100;
inline constexpr double kExhaustiveMax = 1e6;  // n^n up to here is enumerated by default: n <= 7
inline constexpr std::size_t kJackknifeMax = 5000;  // above, the jackknife leaves out blocks
inline constexpr std::size_t kJackknifeBlocks = 200;

enum class BootstrapStatistic { kMean, kMedian };
enum class BootstrapMethod { kBca, kPercentile };
enum class Exhaustive { kAuto, kYes, kNo };

struct BootstrapPolicy {
  BootstrapMethod method = BootstrapMethod::kBca;
  double conf = 0.95;               // in (0, 1)
  std::int64_t resamples = 10'000;  // kBootstrapResamplesMin … kResamplesMax (permutation.h)
  std::uint64_t seed = 0;
  Exhaustive exhaustive = Exhaustive::kAuto;
  Alternative alternative = Alternative::kTwoSided;  // of p alone; the interval is always two-sided
};

struct Bootstrap {
  double estimate = 0;
  double lo = 0;
  double hi = 0;
  double z0 = 0;  // bias correction, BCa alone; NaN for the other methods
  double a = 0;   // acceleration, likewise
  double alpha_lo =
      0;  // which quantiles of the resampled statistics lo and hi are; NaN when degenerate
  double alpha_hi = 0;
  double p = 1;        // of "the statistic is 0", by inverting the interval; in [1/(B + 1), 1]
  std::string method;  // "bca", "percentile" or "degenerate": what was used in the end
  std::int64_t resamples = 0;  // B; n^n when exhaustive
  bool exhaustive = false;
  std::int64_t clusters = 0;  // of cluster_bootstrap
  std::string note;           // why the method is not the one that was asked for
};

// Interval for the mean or median of paired differences, by drawing examples with replacement.
// With G(t) = share of resampled statistics below t, plus half of those equal to t (within 1e-12
// max|x|):
//   bca         z0 = normal quantile of G(estimate); a from the jackknife, sum d^3 / (6 (sum
//   d^2)^1.5) with d = mean of the leave-out
//               statistics - each, 0 if they are all equal (above kJackknifeMax values:
//               kJackknifeBlocks contiguous blocks are left out); quantiles at normal_cdf(z0 + (z0
//               + z)/(1 - a (z0 + z))), z = the normal quantiles at (1 -+ conf)/2
//   percentile  quantiles at (1 -+ conf)/2
//   quantiles   linear between order statistics, position (B - 1) alpha
//   p           q = normal quantile of G(0); percentile 2 min(normal_cdf(q), normal_cdf(-q)); bca
//   the same of u/(1 + a u) - z0, u = q - z0
//               (kGreater: normal_cdf(q) alone, kLess: normal_cdf(-q))
//   fallback    z0 infinite, or 1 - a (z0 + z) <= 0: percentile, with a note. All resampled
//   statistics equal: "degenerate", the interval is
//               the point, p is 1 if that is 0, else 1/(B + 1)
//   exhaustive  all n^n resamples, each once; kAuto: if n^n <= kExhaustiveMax; kYes beyond that
//   throws x           differences, finite, n >= 2 throws      kInvalidArgument naming `x`, `conf`,
//   `resamples` or `exhaustive` source      Efron 1987; Efron & Tibshirani 1993 §14.3;
//   scipy.stats.bootstrap (which gives NaN where this is degenerate)
// The same for the same seed on any machine. Pure, thread-safe, O(B n).
Bootstrap paired_bootstrap(std::span<const double> x, BootstrapStatistic statistic,
                           const BootstrapPolicy& policy);

// The same for the mean of values that come in clusters: whole clusters are drawn, statistic = sum
// of x / number of x over the drawn ones, the jackknife leaves out one cluster.
//   cluster  key of each value, same length, at least 2 different; throws naming `cluster`
//   source   Davison & Hinkley 1997 §3.8
Bootstrap cluster_bootstrap(std::span<const double> x, std::span<const std::int64_t> cluster,
                            const BootstrapPolicy& policy);

}  // namespace slipway::stats
