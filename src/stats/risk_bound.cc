// SPDX-License-Identifier: Apache-2.0
#include "stats/risk_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/require.h"

namespace slipway::stats {
namespace {

double hoeffding_bound(double mean, double n, double alpha) {
  return mean + std::sqrt(std::log(1 / alpha) / (2 * n));
}

double empirical_bernstein_bound(double mean, double n, double sd, double alpha) {
  const double log_term = std::log(2 / alpha);
  return mean + std::sqrt(2 * sd * sd * log_term / n) + 7 * log_term / (3 * (n - 1));
}

}  // namespace

RiskUpperBound risk_upper_bound(double mean, std::int64_t n, std::optional<double> sd, double alpha,
                                double tolerance) {
  require(mean >= 0 && mean <= 1, "mean", "lie between 0 and 1");
  require(n >= 2, "n", "be at least 2");
  require(!sd || (*sd >= 0 && std::isfinite(*sd)), "sd", "be a finite number of at least 0");
  require_open_unit(alpha, "alpha");
  require(tolerance >= 0 && std::isfinite(tolerance), "tolerance",
          "be a finite number of at least 0");
  const auto size = static_cast<double>(n);
  RiskUpperBound result;
  result.hoeffding = hoeffding_bound(mean, size, alpha);
  if (sd) {
    result.empirical_bernstein = empirical_bernstein_bound(mean, size, *sd, alpha);
    result.bound = std::min(hoeffding_bound(mean, size, alpha / 2),
                            empirical_bernstein_bound(mean, size, *sd, alpha / 2));
  } else {
    result.empirical_bernstein = std::numeric_limits<double>::quiet_NaN();
    result.bound = result.hoeffding;
  }
  result.m = std::min(result.bound * (1 + tolerance), 1.0);
  return result;
}

}  // namespace slipway::stats
