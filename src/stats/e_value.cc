// SPDX-License-Identifier: Apache-2.0
#include "stats/e_value.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void require_positive(double value, const char* name) {
  require(value > 0 && std::isfinite(value), name, "be a finite number above 0");
}

// From t^2 / v directly, which stays defined where t is large.
double t_test_e_value_of(double t, double n, double g) {
  const double v = n - 1;
  const double ratio = t * t / v;
  const double shrunk = ratio / (1 + n * g);
  // (1 + shrunk)/(1 + ratio), by the difference of logs so that a huge t neither overflows nor
  // cancels.
  const double log_e =
      -0.5 * std::log1p(n * g) + 0.5 * n * (std::log1p(ratio) - std::log1p(shrunk));
  return std::exp(log_e);
}

}  // namespace

std::vector<double> always_valid_p(std::span<const double> e) {
  require(!e.empty(), "e", "hold at least one value");
  std::vector<double> p;
  p.reserve(e.size());
  double largest = 0;
  for (const double value : e) {
    require(value >= 0, "e", "hold values of at least 0");
    largest = std::max(largest, value);
    p.push_back(std::min(1.0, 1 / largest));
  }
  return p;
}

double t_test_e_value(double t, std::int64_t n, double g) {
  require_finite(t, "t");
  require(n >= 2, "n", "be at least 2");
  require_positive(g, "g");
  return t_test_e_value_of(t, static_cast<double>(n), g);
}

TTestEProcess t_test_e_process(std::span<const double> x, double g, double alpha) {
  require(!x.empty(), "x", "hold at least one value");
  require_positive(g, "g");
  require_open_unit(alpha, "alpha");
  TTestEProcess result;
  result.e.reserve(x.size());
  long double mean = 0;
  long double squares = 0;  // Welford's sum of squared deviations, in extended precision
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const double value : x) {
    require_finite(value, "x");
    const auto n = static_cast<double>(result.e.size() + 1);
    const long double step = value - mean;
    mean += step / n;
    squares += step * (value - mean);
    low = std::min(low, value);
    high = std::max(high, value);
    const double magnitude = std::max(std::abs(low), std::abs(high));
    double e = kUndefined;
    if (n < 2) {
      result.note = "undefined for fewer than 2 values";
    } else if (magnitude == 0) {
      e = t_test_e_value_of(0, n, g);
    } else if (high - low <= kRoundingTolerance * magnitude) {
      result.note = "undefined for fewer than 2 values and for prefixes without variation";
    } else {
      e = t_test_e_value_of(static_cast<double>(mean / std::sqrt(squares / ((n - 1) * n))), n, g);
    }
    result.e.push_back(e);
    if (std::isnan(e)) continue;
    result.e_max = std::max(result.e_max, e);
    if (!result.reject_at && e >= 1 / alpha)
      result.reject_at = static_cast<std::int64_t>(result.e.size());
  }
  result.p_always = std::min(1.0, 1 / result.e_max);
  return result;
}

Msprt msprt_normal(double theta, double v, double tau2) {
  require_finite(theta, "theta");
  require_positive(v, "v");
  require_positive(tau2, "tau2");
  Msprt result;
  result.e = std::sqrt(v / (v + tau2)) * std::exp(theta / v * theta * (tau2 / (v + tau2)) / 2);
  result.p = std::min(1.0, 1 / result.e);
  return result;
}

EBh e_bh(std::span<const double> e, double alpha) {
  require_open_unit(alpha, "alpha");
  for (const double value : e) require(value >= 0, "e", "hold values of at least 0");
  std::vector<double> sorted(e.begin(), e.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const auto n = static_cast<double>(e.size());
  EBh result;
  result.threshold = kUndefined;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double threshold = n / (static_cast<double>(i + 1) * alpha);
    if (sorted[i] >= threshold) {
      result.k = static_cast<std::int64_t>(i + 1);
      result.threshold = threshold;
    }
  }
  for (const double value : e) result.reject.push_back(result.k > 0 && value >= result.threshold);
  return result;
}

}  // namespace slipway::stats
