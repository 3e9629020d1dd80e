// SPDX-License-Identifier: Apache-2.0
#include "stats/welch_t.h"

#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {

WelchT welch_t(std::span<const double> a, std::span<const double> b, double conf,
               Alternative alternative) {
  require(a.size() >= 2, "a", "hold at least 2 values");
  require(b.size() >= 2, "b", "hold at least 2 values");
  require_open_unit(conf, "conf");
  const Sample sample_a = summarize(a);
  const Sample sample_b = summarize(b);
  WelchT result;
  result.diff = sample_a.mean - sample_b.mean;
  if (sample_a.constant && sample_b.constant) {
    const bool zero = sample_a.zero && sample_b.zero;
    result.df = static_cast<double>(a.size() + b.size() - 2);
    result.t = zero ? 0 : std::numeric_limits<double>::quiet_NaN();
    result.p = zero ? 1 : std::numeric_limits<double>::quiet_NaN();
    result.lo = result.hi = result.diff;
    result.note = "no variation";
    return result;
  }
  const double part_a = sample_a.sd * sample_a.sd / static_cast<double>(sample_a.n);
  const double part_b = sample_b.sd * sample_b.sd / static_cast<double>(sample_b.n);
  const double share = part_a / (part_a + part_b);  // squares of the parts themselves may underflow
  result.se = std::hypot(sample_a.sd / std::sqrt(static_cast<double>(sample_a.n)),
                         sample_b.sd / std::sqrt(static_cast<double>(sample_b.n)));
  result.df = 1 / (share * share / static_cast<double>(sample_a.n - 1) +
                   (1 - share) * (1 - share) / static_cast<double>(sample_b.n - 1));
  result.t = result.diff / result.se;
  result.p = student_t_p(result.t, result.df, alternative);
  const double half_width = student_t_quantile(0.5 + conf / 2, result.df) * result.se;
  result.lo = result.diff - half_width;
  result.hi = result.diff + half_width;
  return result;
}

}  // namespace slipway::stats
