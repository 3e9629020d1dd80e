// SPDX-License-Identifier: Apache-2.0
#include "stats/delong.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/ranks.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// For each positive the share of negatives it beats, for each negative the share of positives that
// beat it.
struct Placements {
  std::vector<double> positive;
  std::vector<double> negative;
};

Placements placements(const std::vector<bool>& y, std::span<const double> scores) {
  std::vector<double> positive;
  std::vector<double> negative;
  for (std::size_t i = 0; i < y.size(); ++i) (y[i] ? positive : negative).push_back(scores[i]);
  const Ranks all = average_ranks(scores);
  const Ranks among_positive = average_ranks(positive);
  const Ranks among_negative = average_ranks(negative);
  const auto m = static_cast<double>(positive.size());
  const auto n = static_cast<double>(negative.size());
  Placements result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    if (y[i])
      result.positive.push_back((all.rank[i] - among_positive.rank[result.positive.size()]) / n);
    else
      result.negative.push_back(1 -
                                (all.rank[i] - among_negative.rank[result.negative.size()]) / m);
  }
  return result;
}

double covariance(std::span<const double> a, std::span<const double> b) {
  const long double mean_a = summarize(a).mean;
  const long double mean_b = summarize(b).mean;
  long double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return static_cast<double>(sum / static_cast<long double>(a.size() - 1));
}

double covariance(const Placements& a, const Placements& b) {
  if (a.positive.size() < 2 || a.negative.size() < 2) return kUndefined;
  return covariance(a.positive, b.positive) / static_cast<double>(a.positive.size()) +
         covariance(a.negative, b.negative) / static_cast<double>(a.negative.size());
}

void check(const std::vector<bool>& y, std::span<const double> scores, const char* name,
           double conf) {
  const auto positives = std::ranges::count(y, true);
  require(positives > 0 && positives < std::ssize(y), "y", "hold both classes");
  require(scores.size() == y.size(), name, "be as long as `y`");
  for (const double score : scores) require_finite(score, name);
  require_open_unit(conf, "conf");
}

Auc auc_of(const Placements& of, double conf) {
  long double sum = 0;
  for (const double share : of.positive) sum += share;
  Auc result;
  result.auc = static_cast<double>(sum / static_cast<long double>(of.positive.size()));
  result.var = covariance(of, of);
  const double half_width = normal_quantile(0.5 + conf / 2) * std::sqrt(result.var);
  result.lo = std::isnan(half_width) ? kUndefined : std::max(0.0, result.auc - half_width);
  result.hi = std::isnan(half_width) ? kUndefined : std::min(1.0, result.auc + half_width);
  if (std::isnan(half_width)) result.note = "the variance needs at least 2 examples of each class";
  return result;
}

}  // namespace

Auc delong(const std::vector<bool>& y, std::span<const double> a, double conf) {
  check(y, a, "a", conf);
  return auc_of(placements(y, a), conf);
}

AucDifference delong_difference(const std::vector<bool>& y, std::span<const double> a,
                                std::span<const double> b, double conf) {
  check(y, a, "a", conf);
  check(y, b, "b", conf);
  const Placements place_a = placements(y, a);
  const Placements place_b = placements(y, b);
  AucDifference result;
  result.a = auc_of(place_a, conf);
  result.b = auc_of(place_b, conf);
  result.cov = covariance(place_a, place_b);
  result.diff = result.a.auc - result.b.auc;
  // The variance of the differences themselves: a sum of three terms would leave rounding where it
  // is 0.
  Placements difference = place_a;
  for (std::size_t i = 0; i < difference.positive.size(); ++i)
    difference.positive[i] -= place_b.positive[i];
  for (std::size_t i = 0; i < difference.negative.size(); ++i)
    difference.negative[i] -= place_b.negative[i];
  const double variance = covariance(difference, difference);
  result.note = result.a.note;
  if (std::isnan(variance)) {
    result.se = result.z = result.p = result.lo = result.hi = kUndefined;
    return result;
  }
  const bool none = variance <= kRoundingTolerance * kRoundingTolerance;
  result.se = none ? 0 : std::sqrt(variance);
  const double half_width = normal_quantile(0.5 + conf / 2) * result.se;
  result.lo = result.diff - half_width;
  result.hi = result.diff + half_width;
  if (!none) {
    result.z = result.diff / result.se;
    result.p = normal_p(result.z, Alternative::kTwoSided);
    return result;
  }
  const bool same = std::abs(result.diff) <= kRoundingTolerance;
  result.z = same ? 0 : kUndefined;
  result.p = same ? 1 : kUndefined;
  result.note = "the difference has no variance: use a bootstrap";
  return result;
}

}  // namespace slipway::stats
