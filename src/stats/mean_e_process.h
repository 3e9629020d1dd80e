// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace slipway::stats {

struct ShadowEProcess {
  double e = 1;
  double e_max = 1;                // over all moments, the start included
  std::optional<std::int64_t> at;  // 1-based number of the value that first took e to 1/alpha
  std::vector<double> path;        // one a value, when asked for
};

// Mirrored traffic: both models answer the same request, z = loss of A - loss of B. Mixture over
// lambda (betting.h) of product of (1 + lambda z): an e-process of "A is not worse than B". Growing
// e is evidence for B.
//   z       each in [-1, 1], in request order; may be empty (e = 1)
//   alpha   in (0, 1)
//   throws  kInvalidArgument naming `z` or `alpha`
//   source  Waudby-Smith & Ramdas (JRSS-B 2024) with a fixed grid of bets
// Pure, thread-safe, O(n).
ShadowEProcess shadow_e_process(std::span<const double> z, double alpha = 0.05, bool trace = false);

// The last e of the same for 0/1 losses: `plus` requests with z = 1, `minus` with z = -1; ties
// change nothing.
//   throws  kInvalidArgument naming `plus` or `minus` when negative
// +inf beyond the largest double. Pure, thread-safe.
double shadow_e_process(std::int64_t plus, std::int64_t minus);

struct SloEProcess {
  double e = 1;
  bool violated = false;  // e >= 1/alpha
};

// An absolute objective: is the rate of bad requests above `slo`? X = Y - slo, mixture of product
// of (1 + lambda X): an e-process of "rate <= slo".
//   bad, good  counts; slo and alpha in (0, 1)
//   throws     kInvalidArgument naming `bad`, `good`, `slo` or `alpha`
// Pure, thread-safe.
SloEProcess slo_e_process(std::int64_t bad, std::int64_t good, double slo, double alpha = 0.05);

}  // namespace slipway::stats
