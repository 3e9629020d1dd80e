// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace slipway::stats {

// Is the canary worse than the stable version? Decided by two e-processes, each valid at every
// moment at which somebody looks. Each request goes to the canary with probability w, known before
// it comes; its loss Y is in [0, 1]; c0 is any constant fixed before the step (best: the stable
// version's usual loss). Then X = (Y - c0)/w for the canary and -(Y - c0)/(1 - w) for stable has
// mean (canary's loss - stable's loss) at that moment, whatever the base rate does and however w is
// ramped. With w' = min(w, 1 - w):
//   R = mean over lambda of product of (1 + lambda w' X)          e-process of "the canary is not
//   worse" P = mean over lambda of product of (1 + lambda w' (delta - X)) e-process of "the canary
//   is worse by delta or more"
// (lambda: betting.h.) So a good canary is ever rolled back with probability <= alpha_rollback, a
// canary that is worse by delta ever promoted with probability <= alpha_promote (Ville's
// inequality). Assumes: one random arm per request, not per user; losses of both arms that arrive
// late enter in request order or for both arms alike.
//   source  weighted betting martingale after Waudby-Smith & Ramdas (JRSS-B 2024),
//   inverse-probability weights as in
//           Howard et al. (AoS 2021) §4; the sample-ratio guard is Lindon & Malek (NeurIPS 2022)

enum class CanaryVerdict { kContinue, kRollback, kPromote, kInvalid };
std::string_view verdict_name(
    CanaryVerdict verdict);  // "continue", "rollback", "promote", "invalid"

struct CanaryPolicy {
  double delta = 0;              // in (0, 1): how much worse would be too much
  double alpha_rollback = 0.05;  // each in (0, 1)
  double alpha_promote = 0.05;
  double alpha_srm = 0.01;
};

// The four counters of one step of a rollout, during which w and c0 did not change. Losses are 0
// (good) or 1 (bad).
struct CanaryStep {
  double w = 0;   // in (0, 1)
  double c0 = 0;  // in [0, 1]
  std::int64_t canary_bad = 0;
  std::int64_t canary_good = 0;
  std::int64_t stable_bad = 0;
  std::int64_t stable_good = 0;
};

struct CanaryEProcess {
  double rollback_e = 1;  // +inf beyond the largest double; the logs are always finite
  double promote_e = 1;
  double log_rollback_e = 0;
  double log_promote_e = 0;
  double srm_e = 1;  // product over steps of sample_ratio_mismatch
  double log_srm_e = 0;
  std::int64_t requests = 0;
  // The first that holds: kInvalid (srm_e >= 1/alpha_srm: the arms did not get their shares, so
  // nothing else can be believed), kRollback (rollback_e >= 1/alpha_rollback), kPromote (promote_e
  // >= 1/alpha_promote), kContinue.
  CanaryVerdict verdict = CanaryVerdict::kContinue;
};

// Both e-processes from counters alone: the products do not depend on the order of requests within
// a step, so anybody with the counters can recompute a verdict. Products run over all steps inside
// the mixture.
//   steps   at least one; counters may be zero
//   throws  kInvalidArgument naming `steps`, `w`, `c0`, `canary`, `stable`, `delta` or an alpha
// Pure, thread-safe, O(steps).
CanaryEProcess canary_e_process(std::span<const CanaryStep> steps, const CanaryPolicy& policy);

// One request of the same in request order, with any loss in [0, 1] and a c0 that may change with
// every request as long as it is fixed before the request.
struct CanaryRequest {
  bool canary = false;
  double y = 0;   // in [0, 1]
  double w = 0;   // in (0, 1)
  double c0 = 0;  // in [0, 1]
};

struct CanaryStream {
  double rollback_e = 1;  // after the last request
  double promote_e = 1;
  double rollback_max = 1;  // over all moments, the start (1) included
  double promote_max = 1;
  std::optional<std::int64_t>
      rollback_at;  // 1-based number of the request that first took the e-value to 1/alpha
  std::optional<std::int64_t> promote_at;
  std::vector<double> rollback_path;  // one a request, when asked for
  std::vector<double> promote_path;
};

//   throws  kInvalidArgument naming `y`, `w`, `c0`, `delta` or an alpha
// Pure, thread-safe, O(requests), about 50 ns each.
CanaryStream canary_e_process_stream(std::span<const CanaryRequest> requests,
                                     const CanaryPolicy& policy, bool trace = false);

// The verdict over K metrics judged at the same time, from their e-values: kRollback iff their mean
// is >= 1/alpha_rollback (a mean of e-values is one) or any is >= K/alpha_rollback; else kPromote
// iff every promote_e is >= 1/alpha_promote (needs no correction: a wrong promotion must get past
// all of them); else kContinue.
//   throws  kInvalidArgument naming `rollback_e` (empty, negative), `promote_e` (other length,
//   negative) or an alpha
struct GuardrailVerdict {
  CanaryVerdict verdict = CanaryVerdict::kContinue;
  double rollback_mean = 0;
  double rollback_max = 0;
  double promote_min = 0;
};
GuardrailVerdict guardrail_verdict(std::span<const double> rollback_e,
                                   std::span<const double> promote_e, double alpha_rollback = 0.05,
                                   double alpha_promote = 0.05);

// Do k of n requests at the canary fit a share of w? e = B(1 + k, 1 + n - k) / (B(1, 1) w^k (1 -
// w)^(n - k)), an e-process of "yes" under a uniform prior on the share; mismatch iff e >= 1/alpha.
// n = 0 gives e = 1.
//   throws  kInvalidArgument naming `k` (not in [0, n]), `n`, `w` or `alpha`
struct SampleRatio {
  double e = 1;
  double log_e = 0;  // good to 1e-12 also where e overflows and for counts of 1e12
  bool mismatch = false;
};
SampleRatio sample_ratio_mismatch(std::int64_t k, std::int64_t n, double w, double alpha = 0.01);

}  // namespace slipway::stats
