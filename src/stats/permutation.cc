// SPDX-License-Identifier: Apache-2.0
#include "stats/permutation.h"

#include <cmath>
#include <vector>

#include "stats/philox.h"
#include "stats/require.h"
#include "stats/sample.h"

namespace slipway::stats {
namespace {

// Says whether a resampled sum is at least as extreme as the observed one, equality within rounding
// included.
class Extreme {
 public:
  Extreme(double observed, double tolerance, Alternative alternative)
      : observed_(observed), tolerance_(tolerance), alternative_(alternative) {}

  bool operator()(double sum) const {
    switch (alternative_) {
      case Alternative::kGreater: return sum >= observed_ - tolerance_;
      case Alternative::kLess: return sum <= observed_ + tolerance_;
      case Alternative::kTwoSided: break;
    }
    return std::abs(sum) >= std::abs(observed_) - tolerance_;
  }

 private:
  double observed_;
  double tolerance_;
  Alternative alternative_;
};

// The sums of all sign patterns of a few values, by doubling.
std::vector<double> all_sums(std::span<const double> x) {
  std::vector<double> sums{0};
  for (const double value : x) {
    const std::size_t size = sums.size();
    sums.resize(2 * size);
    for (std::size_t i = 0; i < size; ++i) {
      sums[size + i] = sums[i] - value;
      sums[i] += value;
    }
  }
  return sums;
}

std::int64_t count_exact(std::span<const double> x, const Extreme& extreme) {
  // Two halves, so that each sum is made of few roundings.
  const std::vector<double> left = all_sums(x.first(x.size() / 2));
  const std::vector<double> right = all_sums(x.subspan(x.size() / 2));
  std::int64_t count = 0;
  for (const double a : left) {
    for (const double b : right) count += extreme(a + b) ? 1 : 0;
  }
  return count;
}

double random_sum(std::span<const double> x, PhiloxStream stream) {
  double sum = 0;
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (i % 32 == 0) bits = stream.next();
    sum += (bits & 1U) != 0 ? x[i] : -x[i];
    bits >>= 1;
  }
  return sum;
}

}  // namespace

PairedPermutation paired_permutation(std::span<const double> x, Alternative alternative,
                                     std::int64_t resamples, std::uint64_t seed) {
  const Sample sample = summarize(x);
  require(resamples >= 1 && resamples <= kResamplesMax, "resamples",
          "lie between 1 and " + std::to_string(kResamplesMax));
  const auto n = static_cast<double>(x.size());
  PairedPermutation result;
  result.statistic = sample.mean;
  result.exact = x.size() <= kExactFlipsMax;
  const Extreme extreme(sample.mean * n, kRoundingTolerance * sample.magnitude * n, alternative);
  if (result.exact) {
    result.resamples = std::int64_t{1} << x.size();
    result.p = static_cast<double>(count_exact(x, extreme)) / static_cast<double>(result.resamples);
    return result;
  }
  result.resamples = resamples;
  std::int64_t count = 0;
  for (std::int64_t replicate = 0; replicate < resamples; ++replicate) {
    count +=
        extreme(random_sum(x, PhiloxStream(seed, static_cast<std::uint64_t>(replicate)))) ? 1 : 0;
  }
  result.p = (1 + static_cast<double>(count)) / (1 + static_cast<double>(resamples));
  return result;
}

}  // namespace slipway::stats
