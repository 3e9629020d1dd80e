// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "serving/rollout.h"

// How a canary is judged: the policy of an endpoint's file, what it will take at a given traffic,
// and the decision at a look. Method: weighted betting e-process per loss (stats/canary.h),
// guardrails over the losses, a sample-ratio guard; decisions are valid at any stopping time, so
// the controller may look after every request. Everything here is pure.
namespace slipway::automation {

// The last step judges at least this many requests before it promotes, where its own `requests`
// says nothing.
inline constexpr std::int64_t kLastStepRequestsMin = 100;
// A forecast that needs more requests than this says that the policy cannot decide.
inline constexpr std::int64_t kForecastRequestsMax = 1'000'000'000;

struct PolicyStep {
  double weight = 0;          // in (0,1): the challenger's share
  std::int64_t requests = 0;  // of both arms, that the step judges before the next one begins (the
                              // last one: before it promotes)
  bool operator==(const PolicyStep&) const = default;
};

struct RolloutPolicy {
  std::vector<PolicyStep> steps;
  double delta =
      0;  // the challenger may be worse by less than this, in the share of requests with a loss
  double alpha_rollback = 0;  // chance to roll back a challenger that is no worse
  double alpha_promote = 0;   // chance to promote one that is worse by delta or more
  std::vector<serving::Loss> losses;
  double latency_limit_ms = 0;  // a request above it has the loss `slow`
  TimeUs max_duration = 0;      // on the endpoint's clock; undecided by then is refused
  bool operator==(const RolloutPolicy&) const = default;
};

// REQUIRES: `spec` is the `rollout` of a normalised Endpoint spec.
RolloutPolicy rollout_policy(const json::Object& spec);

// What a challenger that is exactly as good as the champion, without any loss, would need: the
// fewest requests there can be.
struct StepForecast {
  double weight = 0;
  std::int64_t requests = 0;
  std::optional<double> days;  // at the traffic; absent where that is not known
};
struct Forecast {
  std::vector<StepForecast> steps;
  std::int64_t requests = 0;
  std::optional<double> days;
  std::string refusal;  // why this policy cannot decide; "" when it can
};
Forecast forecast(const RolloutPolicy& policy, std::optional<double> requests_per_day);
json::Object to_json(const Forecast& forecast);
// "25 % for 2000 requests (2.2 days), 50 % for 412 requests (0.4 days)"
std::string forecast_text(const Forecast& forecast);

// What a judge knows of one step: frozen weight and champion's rates, and the counters so far.
struct JudgedStep {
  double weight = 0;
  std::array<double, serving::kLosses> c0{};
  serving::StepCounters counters;
};

enum class Decision { kWait, kNextStep, kPromote, kRollback, kExpire };
std::string_view decision_name(
    Decision decision);  // "wait", "next_step", "promote", "roll_back", "expire"

struct Judgement {
  Decision decision = Decision::kWait;
  std::string reason;    // one sentence with the numbers
  json::Object numbers;  // per loss: e-values; guardrails; sample ratio; counters. Enough to
                         // compute the decision again
};

// Looks at the steps reached so far (the last of them is under way).
//   any loss or the mean over losses against the challenger, or a broken split   -> kRollback
//   the last step has its requests and every loss promotes over all steps         -> kPromote
//   `now` is max_duration or more after `started` (0 = its time has not begun)      -> kExpire
//   the step under way has its requests and is not the last                        -> kNextStep
// REQUIRES: 1 <= steps.size() <= policy.steps.size().
Judgement judge(const RolloutPolicy& policy, std::span<const JudgedStep> steps, TimeUs started,
                TimeUs now);

// Bad share of each loss; 0 where nothing was counted. For freezing c0.
std::array<double, serving::kLosses> rates(const serving::StepCounters& counters, serving::Arm arm);

// Sum of two sets of counters.
serving::StepCounters sum(const serving::StepCounters& a, const serving::StepCounters& b);

}  // namespace slipway::automation
