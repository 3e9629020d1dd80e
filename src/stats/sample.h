// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

namespace slipway::stats {

// What one sample looks like, and whether it varies at all.
// A sample counts as constant when max - min <= 1e-12 max|x|: a variance of exactly 0 is a matter
// of rounding, so it decides nothing.
struct Sample {
  std::int64_t n = 0;
  double mean = 0;       // of a constant sample: its first value, without rounding
  double sd = 0;         // with n - 1; 0 when constant or n < 2
  double magnitude = 0;  // max|x|: the scale for "equal within rounding"
  bool constant = true;  // n >= 1 assumed
  bool zero = true;      // every value is exactly 0
};

inline constexpr double kRoundingTolerance = 1e-12;  // relative to max|x|

// Two passes in extended precision, so that a large common offset costs nothing. Throws
// kInvalidArgument naming `x` when it is empty or a value is not finite. O(n).
Sample summarize(std::span<const double> x);

}  // namespace slipway::stats
