// SPDX-License-Identifier: Apache-2.0
#include "stats/cluster_se.h"

#include <cmath>
#include <limits>
#include <map>

#include "stats/distribution.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

void set_no_variation(ClusterSe& result, bool all_zero) {
  result.lo = result.hi = result.mean;
  result.t = all_zero ? 0 : kUndefined;
  result.p = all_zero ? 1 : kUndefined;
  result.note = "no variation";
}

}  // namespace

ClusterSe cluster_se(std::span<const double> x, std::span<const std::int64_t> cluster, double conf,
                     Alternative alternative) {
  require(x.size() >= 2, "x", "hold at least 2 values");
  require(cluster.size() == x.size(), "cluster", "be as long as the values");
  require_open_unit(conf, "conf");
  const Sample sample = summarize(x);
  const long double mean = sample.mean;
  std::map<std::int64_t, long double> sums;
  long double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double residual = x[i] - mean;
    sums[cluster[i]] += residual;
    squares += residual * residual;
  }
  require(sums.size() >= 2, "cluster", "hold at least 2 different clusters");

  ClusterSe result;
  result.mean = sample.mean;
  result.clusters = static_cast<std::int64_t>(sums.size());
  result.df = static_cast<double>(result.clusters - 1);
  if (sample.constant) {
    result.design_effect = kUndefined;
    set_no_variation(result, sample.zero);
    return result;
  }
  const auto n = static_cast<long double>(x.size());
  long double cluster_squares = 0;
  long double largest = 0;
  for (const auto& [key, sum] : sums) {
    cluster_squares += sum * sum;
    largest = std::max(largest, std::abs(sum));
  }
  result.se_naive = static_cast<double>(std::sqrt(squares) / n);
  if (largest <= static_cast<long double>(kRoundingTolerance * sample.magnitude)) {
    result.design_effect = 0;
    set_no_variation(result, false);
    return result;
  }
  result.se_cluster = static_cast<double>(std::sqrt(cluster_squares) / n);
  result.design_effect = static_cast<double>(cluster_squares / squares);
  result.t = result.mean / result.se_cluster;
  result.p = student_t_p(result.t, result.df, alternative);
  const double half_width = student_t_quantile(0.5 + conf / 2, result.df) * result.se_cluster;
  result.lo = result.mean - half_width;
  result.hi = result.mean + half_width;
  return result;
}

}  // namespace slipway::stats
