// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <vector>

namespace slipway::stats {

// p-values of one family, corrected for their number. Holm inside a decision (some test wrong at
// all: family-wise error), Benjamini– Hochberg for lists to look through (share of wrong ones among
// the rejected: false discovery rate).
enum class Correction {
  kBonferroni,         // family-wise, any dependence
  kHolm,               // family-wise, any dependence, never worse than Bonferroni
  kHommel,             // family-wise, independent or positively dependent
  kBenjaminiHochberg,  // false discovery rate, independent or positively dependent
  kBenjaminiYekutieli  // false discovery rate, any dependence
};

struct Adjusted {
  std::vector<double>
      adjusted;  // in the order of the input, at most 1; reject iff adjusted <= alpha
  std::vector<bool> reject;
};

//   p       each in [0, 1]; the whole family at once, may be empty
//   throws  kInvalidArgument naming `p` or `alpha`
//   source  Holm 1979, Hommel 1988 (Wright 1992 for adjusted values), Benjamini & Hochberg 1995,
//   Benjamini & Yekutieli 2001;
//           agrees with R's p.adjust and statsmodels' multipletests
// Pure, thread-safe, O(n log n); Hommel O(n^2).
Adjusted adjust_p(std::span<const double> p, Correction correction, double alpha = 0.05);

}  // namespace slipway::stats
