// SPDX-License-Identifier: Apache-2.0
#include "stats/crossed_design.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// Sum of squared deviations of some means from the grand mean; exactly 0 where they are equal to
// rounding.
double spread_of(const std::vector<double>& means, double grand, double magnitude) {
  const auto [low, high] = std::ranges::minmax(means);
  if (high - low <= kRoundingTolerance * magnitude) return 0;
  long double sum = 0;
  for (const double mean : means) sum += (static_cast<long double>(mean) - grand) * (mean - grand);
  return static_cast<double>(sum);
}

void set_test(double mean, double se, double df, double& t, double& p) {
  t = mean / se;
  p = student_t_p(t, df, Alternative::kTwoSided);
}

}  // namespace

CrossedDesign crossed_design(const std::vector<std::vector<double>>& d) {
  require(d.size() >= 2, "d", "hold at least 2 seeds");
  require(d[0].size() >= 2, "d", "hold at least 2 examples");
  const auto seeds = static_cast<double>(d.size());
  const auto examples = static_cast<double>(d[0].size());
  std::vector<double> all;
  std::vector<double> seed_means;
  std::vector<double> example_means(d[0].size(), 0.0);
  for (const std::vector<double>& row : d) {
    require(row.size() == d[0].size(), "d", "hold lists of one length");
    all.insert(all.end(), row.begin(), row.end());
    seed_means.push_back(summarize(row).mean);
    for (std::size_t i = 0; i < row.size(); ++i) example_means[i] += row[i] / seeds;
  }
  const Sample sample = summarize(all);
  CrossedDesign result;
  result.mean = sample.mean;
  result.ms_seed = examples * spread_of(seed_means, sample.mean, sample.magnitude) / (seeds - 1);
  result.ms_example =
      seeds * spread_of(example_means, sample.mean, sample.magnitude) / (examples - 1);
  long double residual = 0;
  double largest = 0;
  for (std::size_t s = 0; s < d.size(); ++s) {
    for (std::size_t i = 0; i < d[s].size(); ++i) {
      const double rest = d[s][i] - seed_means[s] - example_means[i] + sample.mean;
      residual += static_cast<long double>(rest) * rest;
      largest = std::max(largest, std::abs(rest));
    }
  }
  const bool no_rest = largest <= kRoundingTolerance * sample.magnitude;
  result.ms_residual = no_rest ? 0 : static_cast<double>(residual) / ((seeds - 1) * (examples - 1));
  result.dominant = result.ms_seed > result.ms_example ? "seeds" : "examples";

  const double cells = seeds * examples;
  const double sum = result.ms_seed + result.ms_example - result.ms_residual;
  const double larger_df = result.ms_seed > result.ms_example ? seeds - 1 : examples - 1;
  result.df = larger_df;
  if (sum > 0) {
    result.df_unfloored =
        sum * sum /
        (result.ms_seed * result.ms_seed / (seeds - 1) +
         result.ms_example * result.ms_example / (examples - 1) +
         result.ms_residual * result.ms_residual / ((seeds - 1) * (examples - 1)));
    result.se_unfloored = std::sqrt(sum / cells);
    set_test(result.mean, result.se_unfloored, result.df_unfloored, result.t_unfloored,
             result.p_unfloored);
    result.df = std::min(larger_df, result.df_unfloored);
  } else {
    result.se_unfloored = result.df_unfloored = result.t_unfloored = result.p_unfloored =
        kUndefined;
    result.note = "the unfloored variance is not above 0";
  }
  result.se = std::sqrt(std::max({sum, result.ms_seed, result.ms_example, 0.0}) / cells);
  if (result.se > 0) {
    set_test(result.mean, result.se, result.df, result.t, result.p);
    return result;
  }
  result.t = sample.zero ? 0 : kUndefined;
  result.p = sample.zero ? 1 : kUndefined;
  result.note = "no variation";
  return result;
}

}  // namespace slipway::stats
