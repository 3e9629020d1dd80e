// SPDX-License-Identifier: Apache-2.0
#include "stats/multiple_testing.h"

#include <algorithm>
#include <numeric>

#include "stats/require.h"

namespace slipway::stats {
namespace {

// All of these take p-values in ascending order and leave adjusted ones there.
using Values = std::vector<double>;

double size_of(const Values& p) { return static_cast<double>(p.size()); }

void bonferroni(Values& p) {
  const double n = size_of(p);
  for (double& value : p) value *= n;
}

void holm(Values& p) {
  const double n = size_of(p);
  double largest = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    largest = std::max(largest, (n - static_cast<double>(i)) * p[i]);
    p[i] = largest;
  }
}

void step_up(Values& p, double factor) {
  const double n = size_of(p);
  double smallest = 1;
  for (std::size_t i = p.size(); i-- > 0;) {
    smallest = std::min(smallest, factor * n / static_cast<double>(i + 1) * p[i]);
    p[i] = smallest;
  }
}

// Wright's algorithm: the adjusted value is the largest Simes value over all intersections that
// contain the hypothesis.
void hommel(Values& p) {
  const std::size_t n = p.size();
  double simes = 1;
  for (std::size_t i = 0; i < n; ++i)
    simes = std::min(simes, size_of(p) * p[i] / static_cast<double>(i + 1));
  Values best(n, simes);
  for (std::size_t m = n - 1; m >= 2; --m) {
    const auto size = static_cast<double>(m);
    const std::size_t split = n - m + 1;  // the first `split` hypotheses, then the m - 1 largest
    double c = 1;
    for (std::size_t j = split; j < n; ++j)
      c = std::min(c, size * p[j] / static_cast<double>(j - split + 2));
    for (std::size_t i = 0; i < split; ++i) best[i] = std::max(best[i], std::min(c, size * p[i]));
    for (std::size_t i = split; i < n; ++i) best[i] = std::max(best[i], best[split - 1]);
  }
  for (std::size_t i = 0; i < n; ++i) p[i] = std::max(p[i], best[i]);
}

double harmonic_sum(std::size_t n) {
  double sum = 0;
  for (std::size_t i = n; i >= 1; --i) sum += 1 / static_cast<double>(i);
  return sum;
}

}  // namespace

Adjusted adjust_p(std::span<const double> p, Correction correction, double alpha) {
  require_open_unit(alpha, "alpha");
  for (const double value : p)
    require(value >= 0 && value <= 1, "p", "hold values between 0 and 1");
  Adjusted result;
  if (p.empty()) return result;
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  Values sorted;
  for (const std::size_t i : order) sorted.push_back(p[i]);
  switch (correction) {
    case Correction::kBonferroni: bonferroni(sorted); break;
    case Correction::kHolm: holm(sorted); break;
    case Correction::kHommel: hommel(sorted); break;
    case Correction::kBenjaminiHochberg: step_up(sorted, 1); break;
    case Correction::kBenjaminiYekutieli: step_up(sorted, harmonic_sum(p.size())); break;
  }
  result.adjusted.resize(p.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    result.adjusted[order[i]] = std::min(1.0, sorted[i]);
  for (const double value : result.adjusted) result.reject.push_back(value <= alpha);
  return result;
}

}  // namespace slipway::stats
