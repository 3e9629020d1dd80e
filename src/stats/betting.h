// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace slipway::stats {

// The bets of every betting e-process here: lambda_j = 0.9 * 2^(-j/2), j = 0 … 19, from bold to
// timid. Averaging over them costs at most a factor of 20 against the best one and needs no tuning.
inline constexpr std::size_t kLambdas = 20;
using Lambdas = std::array<double, kLambdas>;
const Lambdas& lambda_grid();

// Outcomes that came `count` times and multiply the wealth of bet lambda by 1 + lambda * z each.
struct Payoff {
  double z = 0;      // > -1/0.9
  double count = 0;  // >= 0
};

// ln of the mixture: mean over the bets of product over payoffs of (1 + lambda z)^count. The order
// of payoffs does not matter, so that whoever has the counters can recompute it. Empty: 0. Never
// overflows. Pure, O(20 * payoffs).
double log_mixture(std::span<const Payoff> payoffs);

// The same mixture, fed one outcome at a time: the wealth of 20 gamblers who never look back.
//   z           each in [-1, 1.5] (what the e-processes here feed it); its expectation must be <= 0
//   given the past, for the
//               wealth to be an e-process of that hypothesis
//   value()     mean of the 20 products; +inf when it exceeds the largest double, and the products
//   go on behind it accuracy    relative 1e-13 per thousand outcomes; no overflow or underflow of a
//   single bet at any length
// A value type: copy it to branch. Not thread-safe. About 20 ns an outcome.
class BettingMixture {
 public:
  BettingMixture();
  void multiply(double z);
  double value() const;

 private:
  void rescale();

  Lambdas product_;  // product of the factors since the start, over 2^exponent_
  Lambdas scale_;    // 2^exponent_ as a double: 0 or inf where it does not fit
  std::array<std::int64_t, kLambdas> exponent_;
  int since_rescale_ = 0;
};

}  // namespace slipway::stats
