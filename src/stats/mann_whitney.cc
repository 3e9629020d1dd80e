// SPDX-License-Identifier: Apache-2.0
#include "stats/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/distribution.h"
#include "stats/ranks.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

Ranks pooled_ranks(std::span<const double> a, std::span<const double> b) {
  std::vector<double> pooled(a.begin(), a.end());
  pooled.insert(pooled.end(), b.begin(), b.end());
  return average_ranks(pooled);
}

double u_of(const Ranks& ranks, std::size_t size_a) {
  double sum = 0;
  for (std::size_t i = 0; i < size_a; ++i) sum += ranks.rank[i];
  const auto n = static_cast<double>(size_a);
  return sum - n * (n + 1) / 2;
}

// P(U <= u) by the recursion over who holds the largest value: all terms positive, nothing cancels.
double exact_cdf_by_recursion(std::size_t m, std::size_t n, std::size_t u) {
  std::vector<std::vector<double>> row(m + 1, std::vector<double>(u + 1, 0.0));
  for (auto& probabilities : row) probabilities[0] = 1;  // n = 0: U is 0
  for (std::size_t j = 1; j <= n; ++j) {
    for (std::size_t i = 1; i <= m; ++i) {
      const double from_a = static_cast<double>(i) / static_cast<double>(i + j);
      for (std::size_t v = u + 1; v-- > 0;) {
        const double before = v >= j ? row[i - 1][v - j] : 0;
        row[i][v] = from_a * before + (1 - from_a) * row[i][v];
      }
    }
  }
  double sum = 0;
  for (const double probability : row[m]) sum += probability;
  return std::min(1.0, sum);
}

// The same for a small m and any n, as the Gaussian binomial coefficient: divide by (1 - q^i),
// multiply by (1 - q^(n+i)). For m <= 8 the intermediate counts exceed the last ones less than
// tenfold, so extended precision loses nothing.
double exact_cdf_by_series(std::size_t m, std::size_t n, std::size_t u) {
  std::vector<long double> count(u + 1, 0.0L);
  count[0] = 1;
  long double total = 1;
  for (std::size_t i = 1; i <= m; ++i) {
    for (std::size_t v = i; v <= u; ++v) count[v] += count[v - i];
    for (std::size_t v = u + 1; v-- > n + i;) count[v] -= count[v - n - i];
    total *= static_cast<long double>(n + i) / static_cast<long double>(i);
  }
  long double sum = 0;
  for (const long double part : count) sum += part;
  return static_cast<double>(std::min(1.0L, sum / total));
}

double exact_cdf(std::size_t a, std::size_t b, double u) {
  const std::size_t small = std::min(a, b);
  const std::size_t large = std::max(a, b);
  const auto limit = static_cast<std::size_t>(u);
  if (small <= kMannWhitneyExactAuto) return exact_cdf_by_series(small, large, limit);
  return exact_cdf_by_recursion(small, large, limit);
}

double exact_p(std::size_t a, std::size_t b, double u, Alternative alternative) {
  // The distribution is symmetric: P(U >= u) = P(U <= n_a n_b - u).
  const double mirrored = static_cast<double>(a) * static_cast<double>(b) - u;
  switch (alternative) {
    case Alternative::kGreater: return exact_cdf(a, b, mirrored);
    case Alternative::kLess: return exact_cdf(a, b, u);
    case Alternative::kTwoSided: break;
  }
  return std::min(1.0, 2 * exact_cdf(a, b, std::min(u, mirrored)));
}

double asymptotic_p(double n_a, double n_b, double u, double tie_term, Alternative alternative) {
  const double n = n_a + n_b;
  const double variance = n_a * n_b / 12 * (n + 1 - tie_term / (n * (n - 1)));
  if (!(variance > 0)) return 1;  // all values equal
  const double mirrored = n_a * n_b - u;
  const double tested = alternative == Alternative::kGreater ? u
                        : alternative == Alternative::kLess  ? mirrored
                                                             : std::max(u, mirrored);
  const double z = (tested - n_a * n_b / 2 - 0.5) / std::sqrt(variance);
  const double tail = normal_cdf(-z);
  return std::min(1.0, alternative == Alternative::kTwoSided ? 2 * tail : tail);
}

}  // namespace

double mann_whitney_u(std::span<const double> x, std::span<const double> y) {
  return u_of(pooled_ranks(x, y), x.size());
}

MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b,
                         Alternative alternative, RankMethod method) {
  require(!a.empty(), "a", "hold at least one value");
  require(!b.empty(), "b", "hold at least one value");
  for (const double value : a) require_finite(value, "a");
  for (const double value : b) require_finite(value, "b");
  const Ranks ranks = pooled_ranks(a, b);
  const auto n_a = static_cast<double>(a.size());
  const auto n_b = static_cast<double>(b.size());
  MannWhitney result;
  result.u = u_of(ranks, a.size());
  result.p_superiority = result.u / (n_a * n_b);
  const bool ties = ranks.tie_term > 0;
  const bool small = std::min(a.size(), b.size()) <= kMannWhitneyExactAuto;
  require(method != RankMethod::kExact || !ties, "method", "not be exact with ties");
  require(method != RankMethod::kExact || small ||
              n_a * n_b <= static_cast<double>(kMannWhitneyExactMax),
          "method",
          "not be exact for more than " + std::to_string(kMannWhitneyExactMax) + " pairs");
  const bool exact =
      method == RankMethod::kExact || (method == RankMethod::kAuto && !ties && small);
  result.method = exact ? "exact" : "asymptotic";
  result.p = exact ? exact_p(a.size(), b.size(), result.u, alternative)
                   : asymptotic_p(n_a, n_b, result.u, ranks.tie_term, alternative);
  return result;
}

}  // namespace slipway::stats
