// SPDX-License-Identifier: Apache-2.0
#include "stats/tost.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/paired_t.h"
#include "stats/require.h"
#include "stats/welch_t.h"

namespace slipway::stats {
namespace {

void check_limits(double low, double high, double alpha) {
  require_finite(low, "low");
  require(std::isfinite(high) && low < high, "high", "be a finite number above `low`");
  require_open_unit(alpha, "alpha");
}

// Everything that follows from mean, se and df.
void decide(Tost& result, double low, double high, double alpha) {
  if (result.se == 0) {
    result.t_lower = result.t_upper = std::numeric_limits<double>::quiet_NaN();
    result.p_lower = result.p_upper = result.p = result.t_lower;
    result.lo = result.hi = result.mean;
    result.equivalent = low < result.mean && result.mean < high;
    result.note = "no variation";
    return;
  }
  result.t_lower = (result.mean - low) / result.se;
  result.t_upper = (result.mean - high) / result.se;
  result.p_lower = student_t_p(result.t_lower, result.df, Alternative::kGreater);
  result.p_upper = student_t_p(result.t_upper, result.df, Alternative::kLess);
  result.p = std::max(result.p_lower, result.p_upper);
  const double half_width = -student_t_quantile(alpha, result.df) * result.se;
  result.lo = result.mean - half_width;
  result.hi = result.mean + half_width;
  result.equivalent = result.p <= alpha;
}

}  // namespace

Tost tost_paired(std::span<const double> x, double low, double high, double alpha) {
  check_limits(low, high, alpha);
  const PairedT test = paired_t(x);
  Tost result;
  result.mean = test.mean;
  result.se = test.sd / std::sqrt(static_cast<double>(test.n));
  result.df = test.df;
  decide(result, low, high, alpha);
  return result;
}

Tost tost_independent(std::span<const double> a, std::span<const double> b, double low, double high,
                      double alpha) {
  check_limits(low, high, alpha);
  const WelchT test = welch_t(a, b);
  Tost result;
  result.mean = test.diff;
  result.se = test.se;
  result.df = test.df;
  decide(result, low, high, alpha);
  return result;
}

}  // namespace slipway::stats
