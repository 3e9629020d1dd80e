// SPDX-License-Identifier: Apache-2.0
#include "stats/paired_proportion.h"

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

Bounds clipped(double center, double half_width) {
  return {std::max(-1.0, center - half_width), std::min(1.0, center + half_width)};
}

// Tango's score statistic as an inequality: (n (d - delta))^2 - z^2 n v(delta), v with the nuisance
// rate q at its restricted maximum likelihood. Positive outside the interval, without a division
// that fails at delta = -1 or 1.
class TangoScore {
 public:
  TangoScore(double n, double b, double c, double z) : n_(n), b_(b), c_(c), z_(z) {}

  double operator()(double delta) const {
    const double linear = -b_ - c_ + (2 * n_ - b_ + c_) * delta;
    const double constant = -c_ * delta * (1 - delta);
    const double root = std::sqrt(std::max(0.0, linear * linear - 8 * n_ * constant));
    // The form without cancellation for each sign of the linear term.
    const double q = linear > 0 ? -2 * constant / (root + linear) : (root - linear) / (4 * n_);
    const double distance = (b_ - c_) - n_ * delta;
    return distance * distance - z_ * z_ * n_ * (2 * q + delta * (1 - delta));
  }

 private:
  double n_;
  double b_;
  double c_;
  double z_;
};

// The edge of the interval between `inside` (the estimate) and `outside` (-1 or 1), to the last
// bit.
double edge(const TangoScore& score, double inside, double outside) {
  if (score(outside) <= 0) return outside;
  for (int i = 0; i < 200; ++i) {
    const double middle = inside + (outside - inside) / 2;
    if (middle == inside || middle == outside) break;
    if (score(middle) > 0)
      outside = middle;
    else
      inside = middle;
  }
  return inside;
}

}  // namespace

PairedProportionCi paired_proportion_ci(const PairedCounts& counts, double conf) {
  require(std::min({counts.both_right, counts.only_a, counts.only_b, counts.none}) >= 0, "a",
          "be a count, as `b`, `c` and `d`");
  require_open_unit(conf, "conf");
  const auto b = static_cast<double>(counts.only_a);
  const auto c = static_cast<double>(counts.only_b);
  const double n =
      static_cast<double>(counts.both_right) + b + c + static_cast<double>(counts.none);
  require(n >= 1, "a", "be at least 1 together with `b`, `c` and `d`");
  const double z = normal_quantile(0.5 + conf / 2);
  PairedProportionCi result;
  result.diff = (b - c) / n;
  result.wald =
      clipped(result.diff, z * std::sqrt(std::max(0.0, b + c - (b - c) * (b - c) / n)) / n);
  const double adjusted = (b - c) / (n + 2);
  const double rates = (b + c + 2) / (n + 2);
  result.bonett_price = clipped(adjusted, z * std::sqrt((rates - adjusted * adjusted) / (n + 2)));
  const TangoScore score(n, b, c, z);
  result.tango = {edge(score, result.diff, -1), edge(score, result.diff, 1)};
  return result;
}

SampleSize sample_size(double n) { return {n, std::ceil(n)}; }

SampleSize mcnemar_sample_size(double psi, double diff, double alpha, double power) {
  require(psi > 0 && psi <= 1, "psi", "lie between 0 and 1, 0 excluded");
  require(diff != 0 && std::abs(diff) < psi, "diff", "not be 0, and be smaller than `psi` in size");
  require_open_unit(alpha, "alpha");
  require_open_unit(power, "power");
  const double root = -normal_quantile(alpha / 2) * std::sqrt(psi) +
                      normal_quantile(power) * std::sqrt(psi - diff * diff);
  return sample_size(root * root / (diff * diff));
}

SampleSize two_proportion_sample_size(double p1, double p2, double alpha, double power) {
  require_open_unit(p1, "p1");
  require_open_unit(p2, "p2");
  require(p1 != p2, "p2", "differ from `p1`");
  require_open_unit(alpha, "alpha");
  require_open_unit(power, "power");
  const double pooled = (p1 + p2) / 2;
  const double root = -normal_quantile(alpha / 2) * std::sqrt(2 * pooled * (1 - pooled)) +
                      normal_quantile(power) * std::sqrt(p1 * (1 - p1) + p2 * (1 - p2));
  return sample_size(root * root / ((p1 - p2) * (p1 - p2)));
}

}  // namespace slipway::stats
