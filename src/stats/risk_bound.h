// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

namespace slipway::stats {

struct RiskUpperBound {
  double hoeffding = 0;  // mean + sqrt(ln(1/alpha) / 2n)
  double empirical_bernstein =
      0;  // mean + sqrt(2 sd^2 ln(2/alpha) / n) + 7 ln(2/alpha) / (3 (n - 1)); NaN without sd
  double bound = 0;  // without sd Hoeffding's, else the smaller of both, each taken at alpha/2
  double m = 0;      // min(bound (1 + tolerance), 1): the bound a monitor holds the model to
};

// How large the true risk may be, with confidence 1 - alpha, given n validation losses in [0, 1].
//   mean       in [0, 1];  n >= 2;  sd with n - 1, >= 0, where known
//   alpha      in (0, 1);  tolerance >= 0, relative to the bound
//   throws     kInvalidArgument naming `mean`, `n`, `sd`, `alpha` or `tolerance`
//   assumes    independent losses: for clumped ones hand over block means and their number
//   source     Hoeffding 1963; Maurer & Pontil, COLT 2009, Theorem 4
// Pure, thread-safe.
RiskUpperBound risk_upper_bound(double mean, std::int64_t n, std::optional<double> sd,
                                double alpha = 0.01, double tolerance = 0.1);

}  // namespace slipway::stats
