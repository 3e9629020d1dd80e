// SPDX-License-Identifier: Apache-2.0
#include "stats/canary.h"

#include <algorithm>
#include <cmath>

#include "stats/betting.h"
#include "stats/distribution.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

void check_policy(const CanaryPolicy& policy) {
  require_open_unit(policy.delta, "delta");
  require_open_unit(policy.alpha_rollback, "alpha_rollback");
  require_open_unit(policy.alpha_promote, "alpha_promote");
  require_open_unit(policy.alpha_srm, "alpha_srm");
}

void check_assignment(double w, double c0) {
  require_open_unit(w, "w");
  require(c0 >= 0 && c0 <= 1, "c0", "lie between 0 and 1");
}

// Beyond it a count is no exact double, so that an e-value could not be recomputed from a printed
// one.
constexpr std::int64_t kRequestsMax = std::int64_t{1} << 53;

// w' X of one request: in [-1, 1], with mean w' (canary's loss - stable's loss).
double weighted_difference(bool canary, double y, double w, double c0) {
  const double smaller = std::min(w, 1 - w);
  return canary ? (y - c0) * (smaller / w) : -(y - c0) * (smaller / (1 - w));
}

}  // namespace

std::string_view verdict_name(CanaryVerdict verdict) {
  switch (verdict) {
    case CanaryVerdict::kContinue: return "continue";
    case CanaryVerdict::kRollback: return "rollback";
    case CanaryVerdict::kPromote: return "promote";
    case CanaryVerdict::kInvalid: return "invalid";
  }
  return "continue";
}

CanaryEProcess canary_e_process(std::span<const CanaryStep> steps, const CanaryPolicy& policy) {
  require(!steps.empty(), "steps", "hold at least one step");
  check_policy(policy);
  CanaryEProcess result;
  std::vector<Payoff> worse;
  std::vector<Payoff> fine;
  for (const CanaryStep& step : steps) {
    check_assignment(step.w, step.c0);
    const auto is_count = [](std::int64_t count) { return count >= 0 && count <= kRequestsMax; };
    require(is_count(step.canary_bad) && is_count(step.canary_good), "canary",
            "hold two counts of at most 2^53");
    require(is_count(step.stable_bad) && is_count(step.stable_good), "stable",
            "hold two counts of at most 2^53");
    const double shifted = std::min(step.w, 1 - step.w) * policy.delta;
    const auto add = [&](bool canary, double y, std::int64_t count) {
      const double z = weighted_difference(canary, y, step.w, step.c0);
      worse.push_back({z, static_cast<double>(count)});
      fine.push_back({shifted - z, static_cast<double>(count)});
    };
    add(true, 1, step.canary_bad);
    add(true, 0, step.canary_good);
    add(false, 1, step.stable_bad);
    add(false, 0, step.stable_good);
    const std::int64_t canary = step.canary_bad + step.canary_good;
    const std::int64_t total = canary + step.stable_bad + step.stable_good;
    result.log_srm_e += sample_ratio_mismatch(canary, total, step.w, policy.alpha_srm).log_e;
    result.requests += total;
    require(result.requests <= kRequestsMax, "steps", "count at most 2^53 requests in all");
  }
  result.log_rollback_e = log_mixture(worse);
  result.log_promote_e = log_mixture(fine);
  result.rollback_e = std::exp(result.log_rollback_e);
  result.promote_e = std::exp(result.log_promote_e);
  result.srm_e = std::exp(result.log_srm_e);
  if (result.srm_e >= 1 / policy.alpha_srm)
    result.verdict = CanaryVerdict::kInvalid;
  else if (result.rollback_e >= 1 / policy.alpha_rollback)
    result.verdict = CanaryVerdict::kRollback;
  else if (result.promote_e >= 1 / policy.alpha_promote)
    result.verdict = CanaryVerdict::kPromote;
  return result;
}

CanaryStream canary_e_process_stream(std::span<const CanaryRequest> requests,
                                     const CanaryPolicy& policy, bool trace) {
  check_policy(policy);
  CanaryStream result;
  BettingMixture rollback;
  BettingMixture promote;
  if (trace) {
    result.rollback_path.reserve(requests.size());
    result.promote_path.reserve(requests.size());
  }
  std::int64_t number = 0;
  for (const CanaryRequest& request : requests) {
    ++number;
    check_assignment(request.w, request.c0);
    require(request.y >= 0 && request.y <= 1, "y", "lie between 0 and 1");
    const double z = weighted_difference(request.canary, request.y, request.w, request.c0);
    rollback.multiply(z);
    promote.multiply(std::min(request.w, 1 - request.w) * policy.delta - z);
    result.rollback_e = rollback.value();
    result.promote_e = promote.value();
    result.rollback_max = std::max(result.rollback_max, result.rollback_e);
    result.promote_max = std::max(result.promote_max, result.promote_e);
    if (!result.rollback_at && result.rollback_e >= 1 / policy.alpha_rollback)
      result.rollback_at = number;
    if (!result.promote_at && result.promote_e >= 1 / policy.alpha_promote)
      result.promote_at = number;
    if (trace) {
      result.rollback_path.push_back(result.rollback_e);
      result.promote_path.push_back(result.promote_e);
    }
  }
  return result;
}

GuardrailVerdict guardrail_verdict(std::span<const double> rollback_e,
                                   std::span<const double> promote_e, double alpha_rollback,
                                   double alpha_promote) {
  require(!rollback_e.empty(), "rollback_e", "hold at least one e-value");
  require(promote_e.size() == rollback_e.size(), "promote_e", "be as long as `rollback_e`");
  require_open_unit(alpha_rollback, "alpha_rollback");
  require_open_unit(alpha_promote, "alpha_promote");
  for (const double e : rollback_e) require(e >= 0, "rollback_e", "hold values of at least 0");
  for (const double e : promote_e) require(e >= 0, "promote_e", "hold values of at least 0");
  const auto metrics = static_cast<double>(rollback_e.size());
  GuardrailVerdict result;
  result.rollback_max = *std::max_element(rollback_e.begin(), rollback_e.end());
  result.promote_min = *std::min_element(promote_e.begin(), promote_e.end());
  // Divided before they are added: a sum of finite e-values may overflow where their mean does not.
  for (const double e : rollback_e) result.rollback_mean += e / metrics;
  if (result.rollback_mean >= 1 / alpha_rollback ||
      result.rollback_max >= metrics / alpha_rollback) {
    result.verdict = CanaryVerdict::kRollback;
  } else if (result.promote_min >= 1 / alpha_promote) {
    result.verdict = CanaryVerdict::kPromote;
  }
  return result;
}

SampleRatio sample_ratio_mismatch(std::int64_t k, std::int64_t n, double w, double alpha) {
  require(n >= 0, "n", "be a count");
  require(k >= 0 && k <= n, "k", "be a count of at most `n`");
  require_open_unit(w, "w");
  require_open_unit(alpha, "alpha");
  SampleRatio result;
  if (n > 0) {
    // B(1+k, 1+n-k) = 1 / ((n+1) C(n,k)): the e-value is the inverse of n+1 times a binomial
    // probability.
    result.log_e = -std::log1p(static_cast<double>(n)) - log_binomial_pmf(k, n, w);
    result.e = std::exp(result.log_e);
  }
  result.mismatch = result.e >= 1 / alpha;
  return result;
}

}  // namespace slipway::stats
