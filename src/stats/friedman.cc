// SPDX-License-Identifier: Apache-2.0
#include "stats/friedman.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/ranks.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

double normal_density(double z) {
  return std::exp(-0.5 * z * z) / std::sqrt(2 * 3.14159265358979323846);
}

}  // namespace

double studentized_range_sf(double q, std::int64_t k) {
  if (q <= 0) return 1;
  // k times the integral of phi(z) (Phi(z)^(k-1) - (Phi(z) - Phi(z-q))^(k-1)): the second power
  // taken off the first inside the integral, so that a small tail is a sum of small terms. The
  // integrand is analytic and vanishes at both ends, so the plain trapezoid rule converges
  // geometrically.
  constexpr double kStep = 1.0 / 32;
  constexpr double kMargin = 12;
  constexpr double kDensityEnd = 40;  // the density is 0 in a double from 38.6 on
  const auto others = static_cast<double>(k - 1);
  double sum = 0;
  const double end = std::min(q + kMargin, kDensityEnd);
  for (double z = -kMargin; z <= end; z += kStep) {
    const double below = normal_cdf(z);
    const double outside = normal_cdf(z - q) / below;
    sum += normal_density(z) * std::pow(below, others) * -std::expm1(others * std::log1p(-outside));
  }
  return std::min(1.0, static_cast<double>(k) * sum * kStep);
}

double studentized_range_quantile_upper(double p, std::int64_t k) {
  const auto excess = [&](double q) { return std::log(studentized_range_sf(q, k) / p); };
  double high = 4;
  while (excess(high) > 0) high *= 2;
  std::uintmax_t iterations = 200;
  const boost::math::tools::eps_tolerance<double> tolerance(48);
  const auto [left, right] =
      boost::math::tools::toms748_solve(excess, 0.0, high, tolerance, iterations);
  return (left + right) / 2;
}

Friedman friedman(const std::vector<std::vector<double>>& scores, bool lower_is_better) {
  require(scores.size() >= 2, "scores", "hold at least 2 data sets");
  require(scores[0].size() >= 2, "scores", "hold at least 2 models");
  const std::size_t models = scores[0].size();
  const auto n = static_cast<double>(scores.size());
  const auto k = static_cast<double>(models);
  Friedman result;
  result.ranks.assign(models, 0.0);
  double ties = 0;
  for (const std::vector<double>& row : scores) {
    require(row.size() == models, "scores", "hold lists of one length");
    std::vector<double> ordered;
    for (const double score : row) {
      require_finite(score, "scores");
      ordered.push_back(lower_is_better ? score : -score);
    }
    const Ranks ranks = average_ranks(ordered);
    ties += ranks.tie_term;
    for (std::size_t j = 0; j < models; ++j) result.ranks[j] += ranks.rank[j];
  }
  double squares = 0;  // deviations from the middle rank: nothing large to cancel
  for (double& rank : result.ranks) {
    rank /= n;
    squares += (rank - (k + 1) / 2) * (rank - (k + 1) / 2);
  }
  result.chi2 = 12 * n / (k * (k + 1)) * squares;
  result.p_chi2 = chi_squared_sf(result.chi2, k - 1);
  const double correction = 1 - ties / (n * k * (k * k - 1));
  if (ties >= n * k * (k * k - 1)) {
    result.chi2_ties = result.p_chi2_ties = kUndefined;
    result.note = "every row is all ties";
  } else {
    result.chi2_ties = result.chi2 / correction;
    result.p_chi2_ties = chi_squared_sf(result.chi2_ties, k - 1);
  }
  result.df1 = k - 1;
  result.df2 = (k - 1) * (n - 1);
  const double rest = n * (k - 1) - result.chi2;
  const bool unanimous = rest <= kRoundingTolerance * n * (k - 1);
  result.f = unanimous ? std::numeric_limits<double>::infinity() : (n - 1) * result.chi2 / rest;
  result.p_f = f_sf(result.f, result.df1, result.df2);
  return result;
}

Nemenyi nemenyi(std::int64_t k, std::int64_t n, std::span<const double> ranks, double alpha) {
  require(k >= 2, "k", "be at least 2");
  require(n >= 2, "n", "be at least 2");
  require(ranks.empty() || std::ssize(ranks) == k, "ranks", "hold `k` values");
  require_open_unit(alpha, "alpha");
  const auto models = static_cast<double>(k);
  const double unit = std::sqrt(models * (models + 1) / (6 * static_cast<double>(n)));
  Nemenyi result;
  result.q = studentized_range_quantile_upper(alpha, k) / std::sqrt(2.0);
  result.cd = result.q * unit;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    require_finite(ranks[i], "ranks");
    std::vector<double>& row = result.p.emplace_back();
    for (std::size_t j = 0; j < ranks.size(); ++j) {
      const double distance = std::abs(ranks[i] - ranks[j]);
      row.push_back(i == j ? 1 : studentized_range_sf(std::sqrt(2.0) * distance / unit, k));
      if (i < j && distance >= result.cd) result.different.emplace_back(i, j);
    }
  }
  return result;
}

}  // namespace slipway::stats
