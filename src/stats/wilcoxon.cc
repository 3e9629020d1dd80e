// SPDX-License-Identifier: Apache-2.0
#include "stats/wilcoxon.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stats/distribution.h"
#include "stats/ranks.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

// P(W+ <= w) for n values without ties: each rank counts with probability 1/2.
double exact_cdf(std::size_t n, double w) {
  const auto sums = static_cast<std::size_t>(w) + 1;
  std::vector<double> probability(sums, 0.0);
  probability[0] = 1;
  for (std::size_t rank = 1; rank <= n; ++rank) {
    for (std::size_t s = sums; s-- > 0;) {
      const double without = probability[s];
      const double with = s >= rank ? probability[s - rank] : 0;
      probability[s] = 0.5 * without + 0.5 * with;
    }
  }
  double sum = 0;
  for (const double share : probability) sum += share;
  return std::min(1.0, sum);
}

double exact_p(const Wilcoxon& result, std::size_t n, Alternative alternative) {
  // The distribution is symmetric: P(W+ >= w_plus) = P(W+ <= w_minus).
  switch (alternative) {
    case Alternative::kGreater: return exact_cdf(n, result.w_minus);
    case Alternative::kLess: return exact_cdf(n, result.w_plus);
    case Alternative::kTwoSided: break;
  }
  return std::min(1.0, 2 * exact_cdf(n, result.statistic));
}

// n (n + 1) (2n + 1), the variance of a signed-rank sum times 24.
double square_sum(double n) { return n * (n + 1) * (2 * n + 1); }

}  // namespace

Wilcoxon wilcoxon(std::span<const double> x, Zeros zeros, RankMethod method,
                  Alternative alternative) {
  require(!x.empty(), "x", "hold at least one value");
  std::vector<double> kept;
  std::vector<double> sizes;
  double zero_count = 0;
  for (const double value : x) {
    require_finite(value, "x");
    zero_count += value == 0 ? 1 : 0;
    if (value == 0 && zeros == Zeros::kWilcox) continue;
    kept.push_back(value);
    sizes.push_back(std::abs(value));
  }
  const Ranks ranks = average_ranks(sizes);
  Wilcoxon result;
  result.n = static_cast<std::int64_t>(kept.size());
  double zero_ranks = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] > 0)
      result.w_plus += ranks.rank[i];
    else if (kept[i] < 0)
      result.w_minus += ranks.rank[i];
    else
      zero_ranks += ranks.rank[i];
  }
  if (zeros == Zeros::kZsplit) {
    result.w_plus += zero_ranks / 2;
    result.w_minus += zero_ranks / 2;
  }
  result.statistic = std::min(result.w_plus, result.w_minus);

  const bool clean = zero_count == 0 && ranks.tie_term == 0;
  require(method != RankMethod::kExact || clean, "method", "not be exact with zeros or ties");
  require(method != RankMethod::kExact || kept.size() <= kWilcoxonExactMax, "method",
          "not be exact for more than " + std::to_string(kWilcoxonExactMax) + " values");
  const bool exact = method == RankMethod::kExact ||
                     (method == RankMethod::kAuto && clean && kept.size() <= kWilcoxonExactAuto);
  result.method = exact ? "exact" : "approx";
  if (exact) {
    result.z = std::numeric_limits<double>::quiet_NaN();
    result.p = exact_p(result, kept.size(), alternative);
    return result;
  }
  if (zero_count == static_cast<double>(x.size())) {
    result.note = "every difference is 0";
    return result;
  }
  const auto n = static_cast<double>(kept.size());
  double mean = n * (n + 1) / 4;
  double variance = square_sum(n);
  double ties = ranks.tie_term;
  if (zeros == Zeros::kPratt) {
    mean -= zero_count * (zero_count + 1) / 4;
    variance -= square_sum(zero_count);
    ties -= zero_count * zero_count * zero_count - zero_count;
  }
  result.z = (result.w_plus - mean) / std::sqrt((variance - ties / 2) / 24);
  result.p = std::min(1.0, normal_p(result.z, alternative));
  return result;
}

}  // namespace slipway::stats
