// SPDX-License-Identifier: Apache-2.0
#include "stats/mcnemar.h"

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

constexpr std::int64_t kExactBelow = 25;

}  // namespace

Mcnemar mcnemar(std::int64_t b, std::int64_t c) {
  require(b >= 0, "b", "be a count");
  require(c >= 0, "c", "be a count");
  Mcnemar result;
  result.n = b + c;
  result.method = result.n < kExactBelow ? "exact" : "mid-p";
  if (result.n == 0) {
    result.note = "models agree on every example";
    return result;
  }
  const std::int64_t smaller = std::min(b, c);
  const auto n = static_cast<double>(result.n);
  const auto difference = static_cast<double>(std::abs(b - c));
  if (b != c) {
    const double tail = 2 * binomial_cdf(smaller, result.n, 0.5);
    result.p_exact = std::min(1.0, tail);
    result.p_midp = std::min(1.0, tail - std::exp(log_binomial_pmf(smaller, result.n, 0.5)));
  }
  result.chi2 = difference * difference / n;
  result.p_chi2 = chi_squared_sf(result.chi2, 1);
  const double corrected = std::max(0.0, difference - 1);
  result.chi2_cc = corrected * corrected / n;
  result.p_chi2_cc = chi_squared_sf(result.chi2_cc, 1);
  result.p = result.n < kExactBelow ? result.p_exact : result.p_midp;
  return result;
}

}  // namespace slipway::stats
