// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

enum class Zeros { kWilcox, kPratt, kZsplit };  // dropped; ranked, then dropped; ranked and shared
enum class RankMethod { kAuto, kExact, kApprox };

inline constexpr std::size_t kWilcoxonExactAuto = 50;   // up to here kAuto is exact
inline constexpr std::size_t kWilcoxonExactMax = 1000;  // up to here kExact works at all

struct Wilcoxon {
  double w_plus = 0;  // sum of the ranks of positive differences
  double w_minus = 0;
  double statistic = 0;  // the smaller of both
  std::int64_t n = 0;    // values that were kept: all but the zeros for kWilcox
  double z = 0;          // (w_plus - mean)/sd; NaN when exact
  double p = 1;
  std::string method;  // "exact" or "approx"
  std::string note;    // set when every difference is 0
};

// Wilcoxon's signed-rank test that differences are symmetric around 0.
//   x       differences a - b, finite, n >= 1; ties (equal doubles) get average ranks
//   kAuto   exact iff there is no zero, no tie among |x| and n <= kWilcoxonExactAuto
//   kExact  with zeros or ties, or beyond kWilcoxonExactMax, throws kInvalidArgument naming
//   `method`:
//           never a silent approximation (scipy <= 1.10 gave one)
//   approx  normal, variance corrected for ties, no continuity correction; for kPratt with the mean
//   and
//           variance of Cureton 1967
//   throws  kInvalidArgument naming `x` or `method`
//   source  Wilcoxon 1945, Pratt 1959; scipy.stats.wilcoxon(correction=False)
// Pure, thread-safe, O(n^3) exact, else O(n log n).
Wilcoxon wilcoxon(std::span<const double> x, Zeros zeros = Zeros::kWilcox,
                  RankMethod method = RankMethod::kAuto,
                  Alternative alternative = Alternative::kTwoSided);

}  // namespace slipway::stats
