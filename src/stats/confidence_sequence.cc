// SPDX-License-Identifier: Apache-2.0
#include "stats/confidence_sequence.h"

#include <algorithm>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "stats/betting.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// ln of about 1e-307: below it m is no normal double, and 1/m overflows.
constexpr double kLogSmallest = -707;

// The root of a function that falls in m, with excess(1) < 0; 0 where the root is smaller than any
// normal double. Searched in ln m, so that small roots are as exact as others.
template <typename Excess>
double falling_root(const Excess& excess) {
  const auto of_log = [&](double log_m) { return excess(std::exp(log_m)); };
  double low = -1;
  while (low > kLogSmallest && of_log(low) < 0) low = std::max(2 * low, kLogSmallest);
  if (low == kLogSmallest && of_log(low) <= 0) return 0;
  std::uintmax_t iterations = 200;
  const boost::math::tools::eps_tolerance<double> tolerance(50);
  const auto [left, right] =
      boost::math::tools::toms748_solve(of_log, low, 0.0, tolerance, iterations);
  return std::exp((left + right) / 2);
}

// Running products of (1 - lambda) + lambda x/m over x, as logs per bet: the log of the largest
// mixture among all prefixes, or of the last.
class UpwardWealth {
 public:
  UpwardWealth(std::span<const double> x, bool mirrored) : x_(x), mirrored_(mirrored) {}

  double log_at_end(double m) const { return run(m, false); }
  double log_maximum(double m) const { return run(m, true); }

 private:
  // 16 factors of at least 0.1 and at most 0.1 + 0.9/m stay inside a double's range as long as m >
  // 1e-18.
  static constexpr int kFoldEvery = 16;

  double run(double m, bool maximum) const {
    const Lambdas& lambda = lambda_grid();
    Lambdas product;
    Lambdas logs{};
    product.fill(1);
    double best = 0;
    int open = 0;
    for (const double value : x_) {
      const double ratio = (mirrored_ ? 1 - value : value) / m;
      for (std::size_t j = 0; j < kLambdas; ++j) product[j] *= (1 - lambda[j]) + lambda[j] * ratio;
      if (++open == kFoldEvery || m < 1e-15) {
        fold(product, logs);
        open = 0;
      }
      if (maximum) best = std::max(best, log_mean(product, logs));
    }
    return maximum ? best : log_mean(product, logs);
  }

  static void fold(Lambdas& product, Lambdas& logs) {
    for (std::size_t j = 0; j < kLambdas; ++j) {
      logs[j] += std::log(product[j]);
      product[j] = 1;
    }
  }

  static double log_mean(const Lambdas& product, const Lambdas& logs) {
    Lambdas total;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < kLambdas; ++j) {
      total[j] = logs[j] + std::log(product[j]);
      largest = std::max(largest, total[j]);
    }
    double sum = 0;
    for (const double log : total) sum += std::exp(log - largest);
    return largest + std::log(sum / static_cast<double>(kLambdas));
  }

  std::span<const double> x_;
  bool mirrored_;
};

double lower_root(std::int64_t ones, std::int64_t zeros, double alpha) {
  if (ones == 0) return 0;
  return falling_root([&](double m) {
    // (1 - lambda) + lambda x/m = 1 + lambda (x/m - 1)
    const Payoff payoffs[] = {{1 / m - 1, static_cast<double>(ones)},
                              {-1, static_cast<double>(zeros)}};
    return log_mixture(payoffs) - std::log(2 / alpha);
  });
}

}  // namespace

AsymptoticCs asymptotic_cs(std::int64_t n, double mean, double sd, double alpha, double n_star,
                           bool one_sided) {
  require(n >= 1, "n", "be at least 1");
  require_finite(mean, "mean");
  require(sd >= 0 && std::isfinite(sd), "sd", "be a finite number of at least 0");
  require_open_unit(alpha, "alpha");
  require(!one_sided || alpha < 0.5, "alpha", "be below 0.5 when `sides` is 1");
  require(n_star > 0 && std::isfinite(n_star), "n_star", "be a finite number above 0");
  const double log_level = -2 * std::log(one_sided ? 2 * alpha : alpha);
  AsymptoticCs result;
  result.rho = std::sqrt((log_level + std::log1p(log_level)) / n_star);
  const auto size = static_cast<double>(n);
  const double spread = size * result.rho * result.rho;
  const double log_term = one_sided ? std::log1p(std::sqrt(spread + 1) / (2 * alpha))
                                    : std::log(std::sqrt(spread + 1) / alpha);
  result.half_width = sd * std::sqrt(2 * (spread + 1) / (size * spread) * log_term);
  result.lo = mean - result.half_width;
  result.hi = one_sided ? kUndefined : mean + result.half_width;
  return result;
}

BettingCs betting_cs(std::int64_t ones, std::int64_t zeros, double alpha) {
  require(ones >= 0, "ones", "be a count");
  require(zeros >= 0, "zeros", "be a count");
  require_open_unit(alpha, "alpha");
  BettingCs result;
  const double n = static_cast<double>(ones) + static_cast<double>(zeros);
  if (n == 0) {
    result.mean = kUndefined;
    result.note = "no values";
    return result;
  }
  result.mean = static_cast<double>(ones) / n;
  result.lo = result.lo_running = lower_root(ones, zeros, alpha);
  result.hi = result.hi_running = 1 - lower_root(zeros, ones, alpha);
  return result;
}

BettingCs betting_cs(std::span<const double> x, double alpha) {
  require_open_unit(alpha, "alpha");
  long double sum = 0;
  bool all_zero = true;
  bool all_one = true;
  for (const double value : x) {
    require(value >= 0 && value <= 1, "x", "hold values between 0 and 1");
    sum += value;
    all_zero = all_zero && value == 0;
    all_one = all_one && value == 1;
  }
  BettingCs result;
  if (x.empty()) {
    result.mean = kUndefined;
    result.note = "no values";
    return result;
  }
  result.mean = static_cast<double>(sum / static_cast<long double>(x.size()));
  const double log_limit = std::log(2 / alpha);
  const UpwardWealth up(x, false);
  const UpwardWealth down(x, true);
  if (!all_zero) {
    result.lo = falling_root([&](double m) { return up.log_at_end(m) - log_limit; });
    // The prefix with the highest lower bound is the one whose wealth is the first to reach the
    // limit as m falls.
    result.lo_running = falling_root([&](double m) { return up.log_maximum(m) - log_limit; });
  }
  if (!all_one) {
    result.hi = 1 - falling_root([&](double m) { return down.log_at_end(m) - log_limit; });
    result.hi_running = 1 - falling_root([&](double m) { return down.log_maximum(m) - log_limit; });
  }
  if (result.lo_running > result.hi_running) {
    result.lo_running = result.hi_running = kUndefined;
    result.note = "the intersection over all prefixes is empty: no constant mean fits";
  }
  return result;
}

}  // namespace slipway::stats
