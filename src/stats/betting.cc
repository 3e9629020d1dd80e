// SPDX-License-Identifier: Apache-2.0
#include "stats/betting.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace slipway::stats {
namespace {

// A factor lies in [0.1, 2.35], so this many of them stay far inside a double's range.
constexpr int kRescaleEvery = 64;

Lambdas make_lambda_grid() {
  Lambdas grid;
  for (std::size_t j = 0; j < kLambdas; ++j)
    grid[j] = 0.9 * std::exp2(-0.5 * static_cast<double>(j));
  return grid;
}

}  // namespace

const Lambdas& lambda_grid() {
  static const Lambdas grid = make_lambda_grid();
  return grid;
}

double log_mixture(std::span<const Payoff> payoffs) {
  Lambdas logs{};
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t j = 0; j < kLambdas; ++j) {
    long double sum = 0;
    for (const Payoff& payoff : payoffs) {
      if (payoff.count > 0)
        sum += static_cast<long double>(payoff.count) * std::log1p(lambda_grid()[j] * payoff.z);
    }
    logs[j] = static_cast<double>(sum);
    largest = std::max(largest, logs[j]);
  }
  double total = 0;
  for (const double log : logs) total += std::exp(log - largest);
  return largest + std::log(total / static_cast<double>(kLambdas));
}

BettingMixture::BettingMixture() {
  product_.fill(1);
  scale_.fill(1);
  exponent_.fill(0);
}

void BettingMixture::multiply(double z) {
  assert(z >= -1 - 1e-9 && z <= 1.5 + 1e-9);
  const Lambdas& lambda = lambda_grid();
  for (std::size_t j = 0; j < kLambdas; ++j) product_[j] *= 1 + lambda[j] * z;
  if (++since_rescale_ == kRescaleEvery) rescale();
}

void BettingMixture::rescale() {
  since_rescale_ = 0;
  for (std::size_t j = 0; j < kLambdas; ++j) {
    int shift = 0;
    product_[j] = std::frexp(product_[j], &shift);
    exponent_[j] += shift;
    const auto clipped = static_cast<int>(std::clamp<std::int64_t>(exponent_[j], -1200, 1200));
    scale_[j] = std::ldexp(1.0, clipped);
  }
}

double BettingMixture::value() const {
  double sum = 0;
  for (std::size_t j = 0; j < kLambdas; ++j) {
    if (scale_[j] > 0) sum += product_[j] * scale_[j];
  }
  return sum / static_cast<double>(kLambdas);
}

}  // namespace slipway::stats
