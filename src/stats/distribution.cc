// SPDX-License-Identifier: Apache-2.0
#include "stats/distribution.h"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <limits>

namespace slipway::stats {
namespace {

namespace bm = boost::math;

// Values, not exceptions, at the ends of a range: callers have checked their arguments, and an
// overflow is an answer.
using Policy = bm::policies::policy<bm::policies::domain_error<bm::policies::ignore_error>,
                                    bm::policies::pole_error<bm::policies::ignore_error>,
                                    bm::policies::overflow_error<bm::policies::ignore_error>,
                                    bm::policies::underflow_error<bm::policies::ignore_error>,
                                    bm::policies::denorm_error<bm::policies::ignore_error>,
                                    bm::policies::evaluation_error<bm::policies::ignore_error>,
                                    bm::policies::discrete_quantile<bm::policies::real>>;

constexpr double kInf = std::numeric_limits<double>::infinity();

// ln n! - [(n + 1/2) ln n - n + ln(2 pi)/2], Loader's stirlerr: from 16 on by its series, below by
// definition. REQUIRES n >= 1.
double stirling_error(double n) {
  if (n < 16) {
    constexpr long double kHalfLogTwoPi = 0.918938533204672741780329736406L;
    const long double m = n;
    return static_cast<double>(std::lgamma(m + 1) - ((m + 0.5L) * std::log(m) - m + kHalfLogTwoPi));
  }
  const double square = n * n;
  return (1.0 / 12 -
          (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / square) / square) / square) /
              square) /
         n;
}

// Deviance part x ln(x/m) + m - x, by a series where the two nearly cancel.
double deviance_part(double x, double m) {
  if (std::abs(x - m) >= 0.1 * (x + m)) return x * std::log(x / m) + m - x;
  const double v = (x - m) / (x + m);
  double sum = (x - m) * v;
  double term = 2 * x * v;
  for (int j = 1; j < 1000; ++j) {
    term *= v * v;
    const double next = sum + term / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

}  // namespace

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

double normal_quantile(double p) {
  if (p <= 0) return -kInf;
  if (p >= 1) return kInf;
  return p <= 0.5 ? -std::sqrt(2.0) * bm::erfc_inv(2 * p, Policy())
                  : std::sqrt(2.0) * bm::erf_inv(2 * p - 1, Policy());
}

double student_t_cdf(double t, double df) {
  if (std::isinf(t)) return t < 0 ? 0 : 1;
  return bm::cdf(bm::students_t_distribution<double, Policy>(df), t);
}

double student_t_quantile(double p, double df) {
  if (p <= 0) return -kInf;
  if (p >= 1) return kInf;
  return bm::quantile(bm::students_t_distribution<double, Policy>(df), p);
}

double noncentral_t_cdf(double t, double df, double noncentrality) {
  return bm::cdf(bm::non_central_t_distribution<double, Policy>(df, noncentrality), t);
}

double chi_squared_sf(double x, double df) {
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  return bm::cdf(bm::complement(bm::chi_squared_distribution<double, Policy>(df), x));
}

double chi_squared_quantile(double p, double df) {
  if (p >= 1) return kInf;
  return bm::quantile(bm::chi_squared_distribution<double, Policy>(df), p);
}

double f_sf(double x, double df1, double df2) {
  if (x <= 0) return 1;
  if (std::isinf(x)) return 0;
  return bm::cdf(bm::complement(bm::fisher_f_distribution<double, Policy>(df1, df2), x));
}

double beta_quantile(double p, double a, double b) { return bm::ibeta_inv(a, b, p, Policy()); }

double beta_quantile_complement(double p, double a, double b) {
  return bm::ibetac_inv(a, b, p, Policy());
}

double binomial_cdf(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 0;
  if (k >= n) return 1;
  return bm::ibetac(static_cast<double>(k) + 1, static_cast<double>(n - k), p, Policy());
}

double binomial_sf(std::int64_t k, std::int64_t n, double p) {
  if (k < 0) return 1;
  if (k >= n) return 0;
  return bm::ibeta(static_cast<double>(k) + 1, static_cast<double>(n - k), p, Policy());
}

double log_binomial_pmf(std::int64_t k, std::int64_t n, double p) {
  const auto size = static_cast<double>(n);
  if (k == 0) return size * std::log1p(-p);
  if (k == n) return size * std::log(p);
  const auto hits = static_cast<double>(k);
  const auto misses = static_cast<double>(n - k);
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  return stirling_error(size) - stirling_error(hits) - stirling_error(misses) -
         deviance_part(hits, size * p) - deviance_part(misses, size * (1 - p)) +
         0.5 * std::log(size / (kTwoPi * hits * misses));
}

double student_t_p(double t, double df, Alternative alternative) {
  switch (alternative) {
    case Alternative::kGreater: return student_t_cdf(-t, df);
    case Alternative::kLess: return student_t_cdf(t, df);
    case Alternative::kTwoSided: break;
  }
  return 2 * student_t_cdf(-std::abs(t), df);
}

double normal_p(double z, Alternative alternative) {
  switch (alternative) {
    case Alternative::kGreater: return normal_cdf(-z);
    case Alternative::kLess: return normal_cdf(z);
    case Alternative::kTwoSided: break;
  }
  return 2 * normal_cdf(-std::abs(z));
}

}  // namespace slipway::stats
