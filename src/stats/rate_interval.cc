// SPDX-License-Identifier: Apache-2.0
#include "stats/rate_interval.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

void check_counts(std::int64_t k, std::int64_t n) {
  require(n >= 0, "n", "be a count");
  require(k >= 0 && k <= n, "k", "be a count of at most `n`");
}

RateInterval without_trials() {
  RateInterval result;
  result.estimate = std::numeric_limits<double>::quiet_NaN();
  result.note = "no trials";
  return result;
}

}  // namespace

RateInterval wilson(std::int64_t k, std::int64_t n, double conf) {
  check_counts(k, n);
  require_open_unit(conf, "conf");
  if (n == 0) return without_trials();
  const double z = normal_quantile(0.5 + conf / 2);
  const auto size = static_cast<double>(n);
  RateInterval result;
  result.estimate = static_cast<double>(k) / size;
  const double q = static_cast<double>(n - k) / size;
  const double scale = 1 / (1 + z * z / size);
  const double center = scale * (result.estimate + z * z / (2 * size));
  const double half = scale * z * std::sqrt(result.estimate * q / size + z * z / (4 * size * size));
  result.lo = k == 0 ? 0 : std::max(0.0, center - half);
  result.hi = k == n ? 1 : std::min(1.0, center + half);
  return result;
}

RateInterval clopper_pearson(std::int64_t k, std::int64_t n, double conf) {
  check_counts(k, n);
  require_open_unit(conf, "conf");
  if (n == 0) return without_trials();
  const double tail = (1 - conf) / 2;
  const auto hits = static_cast<double>(k);
  const auto misses = static_cast<double>(n - k);
  RateInterval result;
  result.estimate = hits / static_cast<double>(n);
  result.lo = k == 0 ? 0 : beta_quantile(tail, hits, misses + 1);
  result.hi = k == n ? 1 : beta_quantile_complement(tail, hits + 1, misses);
  return result;
}

namespace {

// The largest m in [low, high] with holds(m), given that holds is true at low and, once false,
// stays false.
template <typename Holds>
std::int64_t last_true(std::int64_t low, std::int64_t high, const Holds& holds) {
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (holds(middle))
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

double two_sided_binomial_p(std::int64_t k, std::int64_t n, double p0) {
  const double expected = static_cast<double>(n) * p0;
  const auto at = static_cast<double>(k);
  if (at == expected) return 1;
  // Slack in logs: an outcome counts when its probability is at most (1 + 1e-7) times that of k.
  const double limit = log_binomial_pmf(k, n, p0) + std::log1p(1e-7);
  const auto counts = [&](std::int64_t m) { return log_binomial_pmf(m, n, p0) <= limit; };
  if (at < expected) {
    const auto first_right = static_cast<std::int64_t>(std::ceil(expected));
    const auto too_likely = [&](std::int64_t m) { return !counts(m); };
    if (first_right > n) return std::min(1.0, binomial_cdf(k, n, p0));
    const std::int64_t edge =
        too_likely(first_right) ? last_true(first_right, n, too_likely) : first_right - 1;
    return std::min(1.0, binomial_cdf(k, n, p0) + binomial_sf(edge, n, p0));
  }
  const auto last_left = static_cast<std::int64_t>(std::floor(expected));
  if (!counts(0)) return std::min(1.0, binomial_sf(k - 1, n, p0));
  const std::int64_t edge = last_true(0, last_left, counts);
  return std::min(1.0, binomial_cdf(edge, n, p0) + binomial_sf(k - 1, n, p0));
}

}  // namespace

BinomialTest binomial_test(std::int64_t k, std::int64_t n, double p0, Alternative alternative) {
  check_counts(k, n);
  require(n >= 1, "n", "be at least 1");
  require(p0 >= 0 && p0 <= 1, "p0", "lie between 0 and 1");
  BinomialTest result;
  result.estimate = static_cast<double>(k) / static_cast<double>(n);
  if (p0 == 0 || p0 == 1) {
    const std::int64_t certain = p0 == 0 ? 0 : n;
    const bool allowed = alternative == Alternative::kGreater ? certain >= k
                         : alternative == Alternative::kLess  ? certain <= k
                                                              : certain == k;
    result.p = allowed ? 1 : 0;
    return result;
  }
  switch (alternative) {
    case Alternative::kGreater: result.p = binomial_sf(k - 1, n, p0); break;
    case Alternative::kLess: result.p = binomial_cdf(k, n, p0); break;
    case Alternative::kTwoSided: result.p = two_sided_binomial_p(k, n, p0); break;
  }
  return result;
}

}  // namespace slipway::stats
