// SPDX-License-Identifier: Apache-2.0
#include "stats/sample.h"

#include <algorithm>
#include <cmath>

#include "stats/require.h"

namespace slipway::stats {

Sample summarize(std::span<const double> x) {
  require(!x.empty(), "x", "hold at least one value");
  Sample sample;
  sample.n = static_cast<std::int64_t>(x.size());
  double low = x[0];
  double high = x[0];
  long double sum = 0;
  for (const double value : x) {
    require_finite(value, "x");
    low = std::min(low, value);
    high = std::max(high, value);
    sum += value;
  }
  sample.magnitude = std::max(std::abs(low), std::abs(high));
  sample.zero = sample.magnitude == 0;
  sample.constant = high - low <= kRoundingTolerance * sample.magnitude;
  if (sample.constant) {
    sample.mean = x[0];
    return sample;
  }
  const long double mean = sum / static_cast<long double>(sample.n);
  long double squares = 0;
  for (const double value : x) squares += (value - mean) * (value - mean);
  sample.mean = static_cast<double>(mean);
  sample.sd = static_cast<double>(std::sqrt(squares / static_cast<long double>(sample.n - 1)));
  return sample;
}

}  // namespace slipway::stats
