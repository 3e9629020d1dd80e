// SPDX-License-Identifier: Apache-2.0
#include "stats/mean_e_process.h"

#include <algorithm>
#include <cmath>

#include "stats/betting.h"
#include "stats/require.h"

namespace slipway::stats {

ShadowEProcess shadow_e_process(std::span<const double> z, double alpha, bool trace) {
  require_open_unit(alpha, "alpha");
  ShadowEProcess result;
  BettingMixture wealth;
  std::int64_t number = 0;
  for (const double value : z) {
    ++number;
    require(value >= -1 && value <= 1, "z", "hold values between -1 and 1");
    wealth.multiply(value);
    result.e = wealth.value();
    result.e_max = std::max(result.e_max, result.e);
    if (!result.at && result.e >= 1 / alpha) result.at = number;
    if (trace) result.path.push_back(result.e);
  }
  return result;
}

double shadow_e_process(std::int64_t plus, std::int64_t minus) {
  require(plus >= 0, "plus", "be a count");
  require(minus >= 0, "minus", "be a count");
  const Payoff payoffs[] = {{1, static_cast<double>(plus)}, {-1, static_cast<double>(minus)}};
  return std::exp(log_mixture(payoffs));
}

SloEProcess slo_e_process(std::int64_t bad, std::int64_t good, double slo, double alpha) {
  require(bad >= 0, "bad", "be a count");
  require(good >= 0, "good", "be a count");
  require_open_unit(slo, "slo");
  require_open_unit(alpha, "alpha");
  const Payoff payoffs[] = {{1 - slo, static_cast<double>(bad)}, {-slo, static_cast<double>(good)}};
  SloEProcess result;
  result.e = std::exp(log_mixture(payoffs));
  result.violated = result.e >= 1 / alpha;
  return result;
}

}  // namespace slipway::stats
