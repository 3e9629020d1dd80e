// SPDX-License-Identifier: Apache-2.0
#include "stats/run_scores.h"

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"
#include "stats/mann_whitney.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

void check_scores(const Scores& scores, const char* name) {
  require(!scores.empty() && !scores[0].empty(), name, "hold at least one run and one task");
  for (const std::vector<double>& run : scores)
    require(run.size() == scores[0].size(), name, "hold lists of one length");
}

std::vector<double> task(const Scores& scores, std::size_t index) {
  std::vector<double> column;
  for (const std::vector<double>& run : scores) column.push_back(run[index]);
  return column;
}

double mean_of(std::span<const double> values) {
  long double sum = 0;
  for (const double value : values) sum += value;
  return static_cast<double>(sum / static_cast<long double>(values.size()));
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

}  // namespace

SampleSize noether_sample_size(double gamma, double alpha, double power) {
  require_open_unit(gamma, "gamma");
  require(gamma != 0.5, "gamma", "not be 0.5");
  require_open_unit(alpha, "alpha");
  require_open_unit(power, "power");
  const double root =
      (normal_quantile(power) - normal_quantile(alpha)) / (std::sqrt(6.0) * (0.5 - gamma));
  return sample_size(root * root);
}

Outperforming probability_of_outperforming(std::span<const double> x) {
  require(!x.empty(), "x", "hold at least one value");
  Outperforming result;
  for (const double value : x) {
    require_finite(value, "x");
    if (value > 0)
      ++result.wins;
    else if (value < 0)
      ++result.losses;
    else
      ++result.ties;
  }
  result.estimate = (static_cast<double>(result.wins) + 0.5 * static_cast<double>(result.ties)) /
                    static_cast<double>(x.size());
  return result;
}

AggregateScores aggregate_scores(const Scores& s, double gamma) {
  check_scores(s, "s");
  std::vector<double> task_means;
  std::vector<double> cells;
  std::vector<double> capped;
  for (std::size_t index = 0; index < s[0].size(); ++index)
    task_means.push_back(mean_of(task(s, index)));
  for (const std::vector<double>& run : s) {
    for (const double score : run) {
      require_finite(score, "s");
      cells.push_back(score);
      capped.push_back(std::min(score, gamma));
    }
  }
  std::sort(cells.begin(), cells.end());
  const std::size_t cut = cells.size() / 4;
  AggregateScores result;
  result.mean = mean_of(task_means);
  result.median = median_of(task_means);
  result.iqm = mean_of(std::span(cells).subspan(cut, cells.size() - 2 * cut));
  result.optimality_gap = gamma - mean_of(capped);
  return result;
}

ProbabilityOfImprovement probability_of_improvement(const Scores& x, const Scores& y) {
  check_scores(x, "x");
  check_scores(y, "y");
  require(y[0].size() == x[0].size(), "y", "have as many tasks as `x`");
  const double pairs = static_cast<double>(x.size()) * static_cast<double>(y.size());
  ProbabilityOfImprovement result;
  for (std::size_t index = 0; index < x[0].size(); ++index) {
    result.per_task.push_back(mann_whitney_u(task(x, index), task(y, index)) / pairs);
  }
  result.estimate = mean_of(result.per_task);
  return result;
}

StochasticOrder stochastic_order(std::span<const double> a, std::span<const double> b) {
  require(!a.empty(), "a", "hold at least one value");
  require(!b.empty(), "b", "hold at least one value");
  std::vector<double> sorted_a(a.begin(), a.end());
  std::vector<double> sorted_b(b.begin(), b.end());
  for (const double value : sorted_a) require_finite(value, "a");
  for (const double value : sorted_b) require_finite(value, "b");
  std::sort(sorted_a.begin(), sorted_a.end());
  std::sort(sorted_b.begin(), sorted_b.end());
  // Steps of both quantile functions on a scale where they end at integers: n_a n_b stands for 1.
  const std::size_t step_a = b.size();
  const std::size_t step_b = a.size();
  std::size_t at = 0;
  long double violated = 0;
  long double whole = 0;
  for (std::size_t i = 0, j = 0; i < sorted_a.size() && j < sorted_b.size();) {
    const std::size_t end = std::min((i + 1) * step_a, (j + 1) * step_b);
    const long double distance = static_cast<long double>(sorted_a[i]) - sorted_b[j];
    const long double part = distance * distance * static_cast<long double>(end - at);
    whole += part;
    if (distance < 0) violated += part;
    at = end;
    if (end == (i + 1) * step_a) ++i;
    if (end == (j + 1) * step_b) ++j;
  }
  if (whole == 0) return {0.5, "the samples are equal"};
  return {static_cast<double>(violated / whole), ""};
}

}  // namespace slipway::stats
