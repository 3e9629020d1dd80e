// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "stats/alternative.h"
#include "stats/wilcoxon.h"

namespace slipway::stats {

inline constexpr std::size_t kMannWhitneyExactAuto =
    8;  // kAuto is exact while the smaller sample has at most so many
inline constexpr std::size_t kMannWhitneyExactMax =
    20'000;  // n_a n_b up to which kExact works for larger samples

struct MannWhitney {
  double u = 0;              // pairs in which a is larger, ties half
  double p_superiority = 0;  // u / (n_a n_b)
  double p = 1;
  std::string method;  // "exact" or "asymptotic"
};

// Mann–Whitney U test that two independent samples come from one distribution.
//   a, b    at least one finite value each
//   kAuto   exact iff there are no ties and the smaller sample has at most kMannWhitneyExactAuto
//   values kExact  with ties, or beyond kMannWhitneyExactMax pairs with both samples larger than
//   that, throws
//           kInvalidArgument naming `method`
//   kApprox normal, variance corrected for ties, with continuity correction
//   all values equal: p 1
//   throws  kInvalidArgument naming `a`, `b` or `method`
//   source  Mann & Whitney 1947; scipy.stats.mannwhitneyu
// Pure, thread-safe.
MannWhitney mann_whitney(std::span<const double> a, std::span<const double> b,
                         Alternative alternative = Alternative::kTwoSided,
                         RankMethod method = RankMethod::kAuto);

// Pairs in which x is larger than y, ties half. O(n log n).
double mann_whitney_u(std::span<const double> x, std::span<const double> y);

}  // namespace slipway::stats
