// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace slipway::stats {

struct Ranks {
  std::vector<double>
      rank;             // in input order, from 1; equal values share the average of their ranks
  double tie_term = 0;  // sum over groups of equal values of t^3 - t; 0 without ties
};

// Ranks in ascending order; values are equal only when they are the same double. Values must not be
// NaN. Pure, O(n log n).
Ranks average_ranks(std::span<const double> values);

}  // namespace slipway::stats
