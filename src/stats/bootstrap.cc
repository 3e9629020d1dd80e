// SPDX-License-Identifier: Apache-2.0
#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>
#include <vector>

#include "stats/distribution.h"
#include "stats/permutation.h"
#include "stats/philox.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

// What is drawn: units with a sum and a size; the statistic of a draw is the ratio of the totals.
// Single examples are units of size 1.
struct Units {
  std::vector<double> sum;
  std::vector<double> size;
};

// The resampled statistics in ascending order, asked as a distribution function and its inverse.
class Resampled {
 public:
  Resampled(std::vector<double> values, double tolerance)
      : values_(std::move(values)), tolerance_(tolerance) {
    std::sort(values_.begin(), values_.end());
  }

  double share_below(double t) const {  // G
    const auto first_equal = std::lower_bound(values_.begin(), values_.end(), t - tolerance_);
    const auto first_above = std::upper_bound(values_.begin(), values_.end(), t + tolerance_);
    const auto below = static_cast<double>(first_equal - values_.begin());
    const auto equal = static_cast<double>(first_above - first_equal);
    return (below + equal / 2) / count();
  }
  double quantile(double alpha) const {
    const double position = (count() - 1) * alpha;
    const auto index = static_cast<std::size_t>(position);
    if (index + 1 >= values_.size()) return values_.back();
    const double fraction = position - static_cast<double>(index);
    return values_[index] + fraction * (values_[index + 1] - values_[index]);
  }
  bool all_equal() const { return values_.back() - values_.front() <= tolerance_; }
  double count() const { return static_cast<double>(values_.size()); }

 private:
  std::vector<double> values_;
  double tolerance_;
};

double acceleration(const std::vector<double>& jackknife, double tolerance) {
  const auto [low, high] = std::minmax_element(jackknife.begin(), jackknife.end());
  if (*high - *low <= tolerance) return 0;
  long double mean = 0;
  for (const double value : jackknife) mean += value;
  mean /= static_cast<long double>(jackknife.size());
  long double squares = 0;
  long double cubes = 0;
  for (const double value : jackknife) {
    const long double d = mean - value;
    squares += d * d;
    cubes += d * d * d;
  }
  return static_cast<double>(cubes / (6 * squares * std::sqrt(squares)));
}

// The p-value from the normal quantile of the share of statistics below 0.
double tail_of(double q, Alternative alternative) {
  switch (alternative) {
    case Alternative::kGreater: return normal_cdf(q);
    case Alternative::kLess: return normal_cdf(-q);
    case Alternative::kTwoSided: break;
  }
  return 2 * std::min(normal_cdf(q), normal_cdf(-q));
}

void use_percentile(Bootstrap& result, const Resampled& resampled, const BootstrapPolicy& policy) {
  result.method = "percentile";
  result.z0 = result.a = kUndefined;
  result.alpha_lo = (1 - policy.conf) / 2;
  result.alpha_hi = (1 + policy.conf) / 2;
  result.p = tail_of(normal_quantile(resampled.share_below(0)), policy.alternative);
}

double bca_p(double z0, double a, const Resampled& resampled, Alternative alternative) {
  const double q = normal_quantile(resampled.share_below(0));
  const double u = q - z0;
  if (1 + a * u <= 0) return tail_of(q, alternative);
  // For an infinite u the limit: u/(1 + a u) tends to 1/a.
  const double shrunk = std::isinf(u) && a != 0 ? 1 / a : u / (1 + a * u);
  return tail_of(shrunk - z0, alternative);
}

// Fills z0, a, the quantile levels and p; false where the bias-corrected interval does not exist.
bool use_bca(Bootstrap& result, const Resampled& resampled, const BootstrapPolicy& policy) {
  const double z = normal_quantile((1 + policy.conf) / 2);
  const auto level = [&](double side) {
    const double shifted = result.z0 + side;
    const double scale = 1 - result.a * shifted;
    return scale > 0 ? normal_cdf(result.z0 + shifted / scale) : kUndefined;
  };
  if (std::isinf(result.z0)) return false;
  result.alpha_lo = level(-z);
  result.alpha_hi = level(z);
  if (std::isnan(result.alpha_lo) || std::isnan(result.alpha_hi)) return false;
  result.method = "bca";
  result.p = bca_p(result.z0, result.a, resampled, policy.alternative);
  return true;
}

void check_policy(const BootstrapPolicy& policy) {
  require_open_unit(policy.conf, "conf");
  require(policy.resamples >= kBootstrapResamplesMin && policy.resamples <= kResamplesMax,
          "resamples",
          "lie between " + std::to_string(kBootstrapResamplesMin) + " and " +
              std::to_string(kResamplesMax));
}

bool is_exhaustive(std::size_t units, const BootstrapPolicy& policy) {
  const auto n = static_cast<double>(units);
  const bool small = std::pow(n, n) <= kExhaustiveMax;
  require(small || policy.exhaustive != Exhaustive::kYes, "exhaustive",
          "not be true for more than 7 units: their resamples are too many");
  return small && policy.exhaustive != Exhaustive::kNo;
}

void finish(Bootstrap& result, std::vector<double> values, const std::vector<double>& jackknife,
            const BootstrapPolicy& policy, double tolerance) {
  result.resamples = static_cast<std::int64_t>(values.size());
  const Resampled resampled(std::move(values), tolerance);
  if (resampled.all_equal()) {
    result.method = "degenerate";
    result.lo = result.hi = result.estimate;
    result.z0 = result.a = result.alpha_lo = result.alpha_hi = kUndefined;
    result.p = std::abs(result.estimate) <= tolerance ? 1 : 1 / (resampled.count() + 1);
    result.note = "all resamples give the same value";
    return;
  }
  if (policy.method == BootstrapMethod::kPercentile) {
    use_percentile(result, resampled, policy);
    result.note = "z0 and a belong to bca alone";
  } else {
    result.z0 = normal_quantile(resampled.share_below(result.estimate));
    result.a = acceleration(jackknife, tolerance);
    if (!use_bca(result, resampled, policy)) {
      use_percentile(result, resampled, policy);
      result.note = "no bias-corrected interval exists here: percentile interval";
    }
  }
  result.lo = resampled.quantile(result.alpha_lo);
  result.hi = resampled.quantile(result.alpha_hi);
  result.p = std::clamp(result.p, 1 / (resampled.count() + 1), 1.0);
}

// Calls visit(indices) for every one of the n^n draws, or for `resamples` random ones.
template <typename Visit>
void for_each_draw(std::size_t n, bool exhaustive, const BootstrapPolicy& policy,
                   const Visit& visit) {
  std::vector<std::uint32_t> draw(n, 0);
  if (!exhaustive) {
    for (std::int64_t replicate = 0; replicate < policy.resamples; ++replicate) {
      PhiloxStream stream(policy.seed, static_cast<std::uint64_t>(replicate));
      for (std::uint32_t& index : draw) index = stream.below(static_cast<std::uint32_t>(n));
      visit(draw);
    }
    return;
  }
  for (std::size_t digit = 0; digit < n;) {
    visit(draw);
    for (digit = 0; digit < n && ++draw[digit] == n; ++digit) draw[digit] = 0;
  }
}

double ratio_of(const Units& units, const std::vector<std::uint32_t>& draw) {
  double sum = 0;
  double size = 0;
  for (const std::uint32_t index : draw) {
    sum += units.sum[index];
    size += units.size[index];
  }
  return sum / size;
}

double mean_of(std::span<const double> x, const std::vector<std::uint32_t>& draw) {
  double sum = 0;
  for (const std::uint32_t index : draw) sum += x[index];
  return sum / static_cast<double>(draw.size());
}

double median_in_place(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double statistic_of(std::vector<double>& values, BootstrapStatistic statistic) {
  if (statistic == BootstrapStatistic::kMedian) return median_in_place(values);
  long double sum = 0;
  for (const double value : values) sum += value;
  return static_cast<double>(sum / static_cast<long double>(values.size()));
}

// Leaves out one value at a time, or one of kJackknifeBlocks contiguous blocks of near-equal size.
std::vector<double> jackknife_values(std::span<const double> x, BootstrapStatistic statistic) {
  const std::size_t n = x.size();
  const std::size_t blocks = n > kJackknifeMax ? kJackknifeBlocks : n;
  long double total = 0;
  for (const double value : x) total += value;
  std::vector<double> values;
  std::vector<double> rest;
  std::size_t begin = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    const std::size_t end = begin + n / blocks + (block < n % blocks ? 1 : 0);
    if (statistic == BootstrapStatistic::kMean) {
      long double left_out = 0;
      for (std::size_t i = begin; i < end; ++i) left_out += x[i];
      values.push_back(
          static_cast<double>((total - left_out) / static_cast<long double>(n - (end - begin))));
    } else {
      rest.assign(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(begin));
      rest.insert(rest.end(), x.begin() + static_cast<std::ptrdiff_t>(end), x.end());
      values.push_back(median_in_place(rest));
    }
    begin = end;
  }
  return values;
}

Units units_of(std::span<const double> x, std::span<const std::int64_t> cluster) {
  std::unordered_map<std::int64_t, std::size_t> places;
  Units units;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto [place, is_new] = places.try_emplace(cluster[i], units.sum.size());
    if (is_new) {
      units.sum.push_back(0);
      units.size.push_back(0);
    }
    units.sum[place->second] += x[i];
    units.size[place->second] += 1;
  }
  return units;
}

}  // namespace

Bootstrap paired_bootstrap(std::span<const double> x, BootstrapStatistic statistic,
                           const BootstrapPolicy& policy) {
  require(x.size() >= 2, "x", "hold at least 2 values");
  const Sample sample = summarize(x);
  check_policy(policy);
  Bootstrap result;
  result.exhaustive = is_exhaustive(x.size(), policy);
  std::vector<double> scratch(x.begin(), x.end());
  result.estimate = sample.constant ? sample.mean : statistic_of(scratch, statistic);
  std::vector<double> values;
  for_each_draw(x.size(), result.exhaustive, policy, [&](const std::vector<std::uint32_t>& draw) {
    if (statistic == BootstrapStatistic::kMean) {
      values.push_back(mean_of(x, draw));
      return;
    }
    for (std::size_t i = 0; i < draw.size(); ++i) scratch[i] = x[draw[i]];
    values.push_back(median_in_place(scratch));
  });
  finish(result, std::move(values), jackknife_values(x, statistic), policy,
         kRoundingTolerance * sample.magnitude);
  return result;
}

Bootstrap cluster_bootstrap(std::span<const double> x, std::span<const std::int64_t> cluster,
                            const BootstrapPolicy& policy) {
  require(x.size() >= 2, "x", "hold at least 2 values");
  require(cluster.size() == x.size(), "cluster", "be as long as the values");
  const Sample sample = summarize(x);
  check_policy(policy);
  const Units units = units_of(x, cluster);
  require(units.sum.size() >= 2, "cluster", "hold at least 2 different clusters");
  Bootstrap result;
  result.clusters = static_cast<std::int64_t>(units.sum.size());
  result.exhaustive = is_exhaustive(units.sum.size(), policy);
  result.estimate = sample.mean;
  std::vector<double> values;
  for_each_draw(
      units.sum.size(), result.exhaustive, policy,
      [&](const std::vector<std::uint32_t>& draw) { values.push_back(ratio_of(units, draw)); });
  long double sum = 0;
  for (const double part : units.sum) sum += part;
  std::vector<double> jackknife;
  for (std::size_t i = 0; i < units.sum.size(); ++i) {
    const auto rest = static_cast<long double>(x.size()) - units.size[i];
    jackknife.push_back(static_cast<double>((sum - units.sum[i]) / rest));
  }
  finish(result, std::move(values), jackknife, policy, kRoundingTolerance * sample.magnitude);
  return result;
}

}  // namespace slipway::stats
