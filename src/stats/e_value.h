// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace slipway::stats {

// An e-value is a number whose expectation is at most 1 if the null hypothesis holds: betting
// against the null, it is what one unit has become. e >= 1/alpha rejects at level alpha, at any
// stopping time when e is an e-process.

// p_t = min(1, 1 / max over s <= t of e_s): may be looked at after every step.
//   e       at least one, each >= 0, else throws kInvalidArgument naming `e`
//   source  Johari, Koomen, Pekelis & Walsh, Operations Research 2022
std::vector<double> always_valid_p(std::span<const double> e);

// The e-value of Student's t with n observations for "mean 0" against a normal prior N(0, g) on the
// effect in standard deviations, with the right-Haar prior on the variance: (1 + ng)^(-1/2) [(1 +
// t^2/((1 + ng) v)) / (1 + t^2/v)]^(-(v+1)/2), v = n - 1.
//   t       finite; n >= 2; g > 0; throws kInvalidArgument naming `t`, `n` or `g`
//   source  Grünwald, de Heide & Koolen (JRSS-B 2024); Pérez-Ortiz, Lardy, de Heide & Grünwald (AoS
//   2024)
double t_test_e_value(double t, std::int64_t n, double g = 1);

struct TTestEProcess {
  std::vector<double> e;  // element i uses the first i + 1 values; NaN for the first, and for
                          // prefixes without variation
  double e_max = 1;       // over the start (1) and every element that is not NaN
  double p_always = 1;    // min(1, 1 / e_max)
  std::optional<std::int64_t>
      reject_at;     // 1-based number of values at which e first reached 1/alpha
  std::string note;  // why an element is NaN
};

// The same after every value: add a seed, look, go on or stop.
//   x       at least one finite value. A prefix without variation (sample.h): t counts as 0 if all
//   its values are 0, else it is skipped throws  kInvalidArgument naming `x`, `g` or `alpha`
// Pure, thread-safe, O(n).
TTestEProcess t_test_e_process(std::span<const double> x, double g = 1, double alpha = 0.05);

struct Msprt {
  double e = 1;
  double p = 1;  // min(1, 1/e)
};

// Mixture sequential probability ratio of an estimate theta with variance v for "the effect is 0",
// prior N(0, tau2): sqrt(v/(v + tau2)) exp(theta^2 tau2 / (2 v (v + tau2))). An e-process where
// theta is a mean of normal differences with known variance.
//   theta finite, v > 0, tau2 > 0, both finite; throws kInvalidArgument naming the one that is not
//   source  Robbins 1970; Johari et al. 2022
Msprt msprt_normal(double theta, double v, double tau2);

struct EBh {
  std::int64_t k = 0;    // number of rejections
  double threshold = 0;  // n / (k alpha); NaN when k = 0
  std::vector<bool> reject;
};

// e-Benjamini–Hochberg: k is the largest with the k-th largest e >= n/(k alpha); false discovery
// rate <= alpha under any dependence.
//   e       each >= 0, may be empty; throws kInvalidArgument naming `e` or `alpha`
//   source  Wang & Ramdas, JRSS-B 2022
EBh e_bh(std::span<const double> e, double alpha = 0.05);

}  // namespace slipway::stats
