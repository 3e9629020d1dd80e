// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "stats/alternative.h"

namespace slipway::stats {

struct ClusterSe {
  double mean = 0;
  double se_naive = 0;       // sqrt(sum (x - mean)^2) / n, as if examples were independent
  double se_cluster = 0;     // sqrt(sum over clusters of (sum in the cluster of (x - mean))^2) / n
  double design_effect = 0;  // (se_cluster / se_naive)^2: by what factor the clusters shrink the
                             // sample; NaN without variation
  std::int64_t clusters = 0;
  double df = 0;  // clusters - 1
  double t = 0;   // mean / se_cluster; NaN without variation, 0 if every x is 0
  double p =
      0;  // of "the mean is 0" against `alternative`; NaN without variation, 1 if every x is 0
  double lo = 0;  // two-sided interval with level conf, whatever the alternative
  double hi = 0;
  std::string note;  // why a value is NaN; empty otherwise
};

// The mean of per-example values (usually paired differences of losses) with a standard error that
// allows for clusters: examples of one day, user or document may depend on each other in any way,
// clusters are independent.
//   x            finite, n >= 2
//   cluster      key of each example, same length, at least 2 different keys; the order of keys
//   does not matter conf         level of the interval, in (0, 1) interval, p  Student's t with
//   clusters - 1 degrees of freedom: with few clusters the normal interval is too short no
//   variation x constant, or all cluster sums equal to rounding: the interval is the point, t and p
//   are NaN (0 and 1 if every
//                x is 0), note "no variation"
//   throws       kInvalidArgument naming `x`, `cluster` or `conf`
//   source       Miller, "Adding Error Bars to Evals" (2024), eq. 4; se_cluster is statsmodels' OLS
//   on a constant with
//                cov_type='cluster', use_correction=False; the choice of t with clusters - 1 df
//                follows Cameron & Miller (2015) §VI
// Pure, thread-safe, O(n log clusters).
ClusterSe cluster_se(std::span<const double> x, std::span<const std::int64_t> cluster,
                     double conf = 0.95, Alternative alternative = Alternative::kTwoSided);

}  // namespace slipway::stats
