// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "stats/alternative.h"

namespace slipway::stats {

inline constexpr std::int64_t kResamplesMax = 100'000'000;  // of permutations and bootstraps
inline constexpr std::size_t kExactFlipsMax =
    20;  // up to so many values all 2^n sign patterns are tried

struct PairedPermutation {
  double statistic = 0;  // the mean
  double p = 1;
  bool exact = true;
  std::int64_t resamples = 0;  // 2^n when exact
};

// Are differences symmetric around 0? Each keeps its size and gets a random sign.
//   x          differences a - b, finite, n >= 1; zeros stay in
//   n <= 20    exact: the share of all 2^n patterns with |T*| >= |T| (kGreater: T* >= T; kLess: T*
//   <= T), T the mean; 1 if every x is 0 n > 20     (1 + number of such) / (resamples + 1) over
//   random patterns; the same for the same seed, on any machine ties       T* counts as equal to T
//   within 1e-12 max|x| resamples  1 … kResamplesMax throws     kInvalidArgument naming `x` or
//   `resamples` source     Fisher 1935; Phipson & Smyth 2010 for the +1;
//   scipy.stats.permutation_test(permutation_type='samples')
// Pure, thread-safe, O(resamples n).
PairedPermutation paired_permutation(std::span<const double> x,
                                     Alternative alternative = Alternative::kTwoSided,
                                     std::int64_t resamples = 100'000, std::uint64_t seed = 0);

}  // namespace slipway::stats
