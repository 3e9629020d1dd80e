// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace slipway::stats {

// Intervals that cover the mean at all moments at once, with probability 1 - alpha: look as often
// as you like.

struct AsymptoticCs {
  double rho = 0;  // tuned so that the interval is tightest around n_star
  double half_width = 0;
  double lo = 0;
  double hi = 0;  // NaN for a lower bound alone
};

// Asymptotic confidence sequence for a mean: sd sqrt(2 (n rho^2 + 1)/(n^2 rho^2) ln(sqrt(n rho^2 +
// 1)/alpha)), rho = sqrt((-2 ln alpha + ln(-2 ln alpha + 1)) / n_star). One-sided: a lower bound,
// rho with 2 alpha, ln(1 + sqrt(n rho^2 + 1)/(2 alpha)).
//   n >= 1, mean finite, sd >= 0, n_star > 0; alpha in (0, 1), one-sided in (0, 1/2)
//   throws  kInvalidArgument naming the argument
//   source  Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (AoS 2024), Theorem 2.2 and Proposition
//   B.1
AsymptoticCs asymptotic_cs(std::int64_t n, double mean, double sd, double alpha = 0.05,
                           double n_star = 5000, bool one_sided = false);

struct BettingCs {
  double mean = 0;  // NaN for n = 0
  double lo = 0;    // exact for this sample size alone
  double hi = 1;
  double lo_running = 0;  // intersection over all prefixes; both NaN where it is empty (the data
                          // contradict one constant mean)
  double hi_running = 1;
  std::string note;
};

// Betting confidence sequence for the mean of values in [0, 1]: m is excluded from below when the
// mixture over lambda (betting.h) of product of ((1 - lambda) + lambda x/m) reaches 2/alpha; lo is
// the m where it does, hi is 1 - lo of 1 - x.
//   x       each in [0, 1]; may be empty
//   alpha   in (0, 1)
//   lo      0 if every x is 0, or there is none; likewise hi and 1
//   throws  kInvalidArgument naming `x` or `alpha`
//   source  Waudby-Smith & Ramdas (JRSS-B 2024), diversified Kelly betting on a fixed grid, so that
//   order does not matter to lo and hi
// Pure, thread-safe, about 40 passes over x. Roots are good to 1e-14 relative.
BettingCs betting_cs(std::span<const double> x, double alpha = 0.05);

// The same from counters of 0/1 values; no running interval (lo_running and hi_running equal lo and
// hi).
//   throws  kInvalidArgument naming `ones`, `zeros` or `alpha`
BettingCs betting_cs(std::int64_t ones, std::int64_t zeros, double alpha = 0.05);

}  // namespace slipway::stats
