// SPDX-License-Identifier: Apache-2.0
#include "stats/paired_t.h"

#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {

PairedT paired_t(std::span<const double> x, double conf, Alternative alternative) {
  require(x.size() >= 2, "x", "hold at least 2 values");
  require_open_unit(conf, "conf");
  const Sample sample = summarize(x);
  PairedT result;
  result.n = sample.n;
  result.mean = sample.mean;
  result.sd = sample.sd;
  result.df = static_cast<double>(sample.n - 1);
  if (sample.constant) {
    result.lo = result.hi = sample.mean;
    result.t = sample.zero ? 0 : std::numeric_limits<double>::quiet_NaN();
    result.p = sample.zero ? 1 : std::numeric_limits<double>::quiet_NaN();
    result.note = "no variation";
    return result;
  }
  const double se = sample.sd / std::sqrt(static_cast<double>(sample.n));
  result.t = sample.mean / se;
  result.p = student_t_p(result.t, result.df, alternative);
  const double half_width = student_t_quantile(0.5 + conf / 2, result.df) * se;
  result.lo = sample.mean - half_width;
  result.hi = sample.mean + half_width;
  return result;
}

}  // namespace slipway::stats
