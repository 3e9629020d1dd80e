// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace slipway::stats {

struct Bounds {
  double lo = 0;
  double hi = 0;
};

// Four counters of two classifiers on the same examples.
struct PairedCounts {
  std::int64_t both_right = 0;
  std::int64_t only_a = 0;
  std::int64_t only_b = 0;
  std::int64_t none = 0;
};

struct PairedProportionCi {
  double diff = 0;      // share of A right - share of B right
  Bounds wald;          // sqrt(b + c - (b - c)^2/n)/n: falls short for few disagreements
  Bounds bonett_price;  // Wald with 1 added to both kinds of disagreement
  Bounds tango;         // where the score statistic reaches the normal quantile
};

// Intervals for the difference of two paired accuracies, each cut at -1 and 1.
//   counts  each >= 0, sum at least 1; conf in (0, 1)
//   throws  kInvalidArgument naming `a` (the sum or a count) or `conf`
//   source  Tango, Statist. Med. 17 (1998); Bonett & Price, JEBS 37 (2012)
// Pure, thread-safe.
PairedProportionCi paired_proportion_ci(const PairedCounts& counts, double conf = 0.95);

struct SampleSize {
  double n = 0;       // the real number that solves the equation
  double n_ceil = 0;  // the next integer
};
SampleSize sample_size(double n);

// Examples needed for McNemar's test to find a difference of accuracies `diff` (two-sided alpha)
// when the models disagree on a share psi of the examples.
//   psi in (0, 1], 0 < |diff| < psi, alpha and power in (0, 1)
//   throws  kInvalidArgument naming the argument
//   source  Connor, Biometrics 43 (1987): (z sqrt(psi) + z' sqrt(psi - diff^2))^2 / diff^2
SampleSize mcnemar_sample_size(double psi, double diff, double alpha = 0.05, double power = 0.8);

// Examples per arm for two independent proportions p1 and p2, without continuity correction.
//   p1, p2 in (0, 1), different; alpha (two-sided) and power in (0, 1)
//   throws  kInvalidArgument naming the argument
//   source  Fleiss, Levin & Paik 2003, eq. 4.14
SampleSize two_proportion_sample_size(double p1, double p2, double alpha = 0.05,
                                      double power = 0.8);

}  // namespace slipway::stats
