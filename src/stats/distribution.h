// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "stats/alternative.h"

namespace slipway::stats {

// Distribution functions, quantiles and tails; the only place that knows which library computes
// them (Boost.Math).
//   accuracy   relative 1e-12 or better, also in the tails: every tail is computed as a tail, never
//   as 1 - cdf arguments  df > 0 and finite, p in [0, 1]; the random variable may be infinite.
//   REQUIRES these: no checks, no exceptions limits     below 1e-300 a tail may be 0
// Pure, thread-safe. Checked against scipy.stats and mpmath in distribution_test.cc.

double normal_cdf(double x);
double normal_quantile(double p);  // -inf at 0, +inf at 1

double student_t_cdf(double t, double df);
double student_t_quantile(double p, double df);
double noncentral_t_cdf(double t, double df, double noncentrality);

double chi_squared_sf(double x, double df);  // P(X > x)
double chi_squared_quantile(double p, double df);
double f_sf(double x, double df1, double df2);  // P(X > x)

// Beta(a, b), a and b > 0: the quantile, and the one with P(X > x) = p.
double beta_quantile(double p, double a, double b);
double beta_quantile_complement(double p, double a, double b);

// Binomial(n, p), 0 <= n.
double binomial_cdf(std::int64_t k, std::int64_t n, double p);  // P(X <= k); 0 below 0, 1 from n
double binomial_sf(std::int64_t k, std::int64_t n, double p);   // P(X > k)
// ln P(X = k) by Loader's saddle-point form ("Fast and accurate computation of binomial
// probabilities", 2000): no cancellation, so that it is good to 1e-12 also for counts of 1e12.
// REQUIRES 0 <= k <= n, 0 < p < 1.
double log_binomial_pmf(std::int64_t k, std::int64_t n, double p);

// The p-value of a statistic with a symmetric null distribution: Student's t with `df`, or normal.
double student_t_p(double t, double df, Alternative alternative);
double normal_p(double z, Alternative alternative);

}  // namespace slipway::stats
