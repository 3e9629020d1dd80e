// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

namespace slipway::stats {

struct Auc {
  double auc = 0;
  double var = 0;  // DeLong's; NaN with fewer than 2 examples of a class
  double lo = 0;   // auc -+ z sqrt(var), cut at 0 and 1; NaN as var
  double hi = 0;
  std::string note;
};

struct AucDifference {
  Auc a;
  Auc b;
  double cov = 0;
  double diff = 0;  // a - b
  double se = 0;    // sqrt(var_a + var_b - 2 cov)
  double z = 0;     // NaN where se is 0 and diff is not
  double p = 0;     // 1 where both are 0
  double lo = 0;
  double hi = 0;
  std::string note;
};

// Area under the ROC curve with DeLong's variance, and the difference of two on the same examples.
//   y       true for the positive class; at least one of each
//   a, b    scores, finite, higher = more positive, same length; ties count half
//   conf    in (0, 1)
//   throws  kInvalidArgument naming `y`, `a`, `b` or `conf`
//   source  DeLong, DeLong & Clarke-Pearson 1988 in the rank form of Sun & Xu, IEEE SPL 21 (2014);
//   R's pROC
// Where the curves are perfect the variance is 0 and says nothing: use a bootstrap.
// Pure, thread-safe, O(n log n).
Auc delong(const std::vector<bool>& y, std::span<const double> a, double conf = 0.95);
AucDifference delong_difference(const std::vector<bool>& y, std::span<const double> a,
                                std::span<const double> b, double conf = 0.95);

}  // namespace slipway::stats
