// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace slipway::stats {

struct Mcnemar {
  std::int64_t n = 0;  // b + c: the examples on which the models differ
  double p_exact = 1;  // min(1, 2 P(Bin(n, 1/2) <= min(b, c)))
  double p_midp = 1;   // p_exact - P(Bin = min); 1 if b = c
  double chi2 = 0;     // (b - c)^2 / n, 1 df
  double p_chi2 = 1;
  double chi2_cc = 0;  // max(0, |b - c| - 1)^2 / n
  double p_chi2_cc = 1;
  std::string method;  // "exact" if n < 25, else "mid-p"
  double p = 1;        // the one of that name
  std::string note;    // "models agree on every example" if n = 0
};

// Are two classifiers equally often right on the same examples? b: only A right, c: only B right.
//   throws  kInvalidArgument naming `b` or `c` when negative
//   source  McNemar 1947; mid-p and the choice of method: Fagerland, Lydersen & Laake, BMC Med.
//   Res. Methodol. 13:91 (2013).
//           Agrees with statsmodels' mcnemar, except that its corrected chi2 is (0 - 1)^2/n at b =
//           c, where it must be 0
// Pure, thread-safe.
Mcnemar mcnemar(std::int64_t b, std::int64_t c);

}  // namespace slipway::stats
