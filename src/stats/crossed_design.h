// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace slipway::stats {

struct CrossedDesign {
  double mean = 0;
  double ms_seed = 0;  // mean squares of the two-way layout
  double ms_example = 0;
  double ms_residual = 0;
  double se_unfloored =
      0;  // sqrt((ms_seed + ms_example - ms_residual)/(S N)); NaN where that is not above 0
  double df_unfloored = 0;  // Satterthwaite's, NaN likewise
  double t_unfloored = 0;
  double p_unfloored = 0;
  double se = 0;  // sqrt(max(ms_seed + ms_example - ms_residual, ms_seed, ms_example)/(S N))
  double df = 0;  // the smaller of Satterthwaite's and that of the larger mean square, so that the
                  // floor never lowers p
  double t = 0;   // NaN without variation, 0 if every value is 0
  double p = 0;   // two-sided
  std::string dominant;  // "seeds" or "examples": which of them more of would help more
  std::string note;
};

// Differences of two models trained with S seeds each, on the same N test examples: seeds and
// examples both vary, and neither alone gives the right standard error.
//   d       d[seed][example], S and N >= 2, rectangular, finite
//   throws  kInvalidArgument naming `d`
//   source  two-way random effects with one observation a cell; Satterthwaite, Biometrics Bull. 2
//   (1946)
// Pure, thread-safe, O(S N).
CrossedDesign crossed_design(const std::vector<std::vector<double>>& d);

}  // namespace slipway::stats
