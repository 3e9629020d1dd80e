// SPDX-License-Identifier: Apache-2.0
#include "automation/rollout_policy.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>

#include "automation/spec.h"
#include "stats/canary.h"

namespace slipway::automation {
namespace {

std::string shortened(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3g", value);
  return text.data();
}

std::string percent(double share) { return shortened(100 * share) + " %"; }

stats::CanaryPolicy canary_policy(const RolloutPolicy& policy) {
  stats::CanaryPolicy canary{};
  canary.delta = policy.delta;
  canary.alpha_rollback = policy.alpha_rollback;
  canary.alpha_promote = policy.alpha_promote;
  return canary;
}

stats::CanaryStep canary_step(const JudgedStep& step, serving::Loss loss) {
  const auto& challenger = step.counters.at(loss, serving::Arm::kChallenger);
  const auto& champion = step.counters.at(loss, serving::Arm::kChampion);
  return {step.weight,    step.c0[static_cast<std::size_t>(loss)],
          challenger.bad, challenger.good,
          champion.bad,   champion.good};
}

std::int64_t step_requests(const JudgedStep& step) {
  return step.counters.requests(serving::Arm::kChampion) +
         step.counters.requests(serving::Arm::kChallenger);
}

// A step in which nothing went wrong and the split was exactly as wanted.
JudgedStep flawless(double weight, std::int64_t requests) {
  JudgedStep step;
  step.weight = weight;
  const auto challenger =
      static_cast<std::int64_t>(std::llround(weight * static_cast<double>(requests)));
  for (const serving::Loss loss : serving::kAllLosses) {
    step.counters.at(loss, serving::Arm::kChallenger).good = challenger;
    step.counters.at(loss, serving::Arm::kChampion).good = requests - challenger;
  }
  return step;
}

bool flawless_promotes(const RolloutPolicy& policy, std::int64_t last_requests) {
  std::vector<stats::CanaryStep> steps;
  for (std::size_t i = 0; i < policy.steps.size(); ++i) {
    const bool last = i + 1 == policy.steps.size();
    steps.push_back(canary_step(
        flawless(policy.steps[i].weight, last ? last_requests : policy.steps[i].requests),
        serving::Loss::kError));
  }
  return stats::canary_e_process(steps, canary_policy(policy)).promote_e >=
         1 / policy.alpha_promote;
}

// The fewest requests of the last step after which a flawless challenger is promoted; nullopt above
// kForecastRequestsMax.
std::optional<std::int64_t> last_step_requests(const RolloutPolicy& policy) {
  std::int64_t high = policy.steps.back().requests;
  while (!flawless_promotes(policy, high)) {
    if (high > kForecastRequestsMax) {
      return std::nullopt;
    }
    high *= 2;
  }
  std::int64_t low = policy.steps.back().requests;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (flawless_promotes(policy, middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

// What `slipway stats canary-e-process` takes, so that anybody can compute the e-values again.
json::Object calculator_input(const std::vector<stats::CanaryStep>& steps,
                              const RolloutPolicy& policy) {
  json::Array list;
  for (const stats::CanaryStep& step : steps) {
    list.emplace_back(json::Object{{"w", step.w},
                                   {"c0", step.c0},
                                   {"canary", json::Array{step.canary_bad, step.canary_good}},
                                   {"stable", json::Array{step.stable_bad, step.stable_good}}});
  }
  return {{"steps", std::move(list)},
          {"delta", policy.delta},
          {"alpha_rollback", policy.alpha_rollback},
          {"alpha_promote", policy.alpha_promote}};
}

struct LossVerdicts {
  std::vector<double> rollback_e;
  std::vector<double> promote_e;
  double srm_e = 1;
  bool broken_split = false;
  json::Object numbers;
};

LossVerdicts judge_losses(const RolloutPolicy& policy, std::span<const JudgedStep> steps) {
  LossVerdicts verdicts;
  for (const serving::Loss loss : policy.losses) {
    std::vector<stats::CanaryStep> counted;
    for (const JudgedStep& step : steps) {
      counted.push_back(canary_step(step, loss));
    }
    const stats::CanaryEProcess process = stats::canary_e_process(counted, canary_policy(policy));
    verdicts.rollback_e.push_back(process.rollback_e);
    verdicts.promote_e.push_back(process.promote_e);
    verdicts.srm_e = std::max(verdicts.srm_e, process.srm_e);
    verdicts.broken_split =
        verdicts.broken_split || process.verdict == stats::CanaryVerdict::kInvalid;
    verdicts.numbers.set(serving::loss_name(loss),
                         json::Object{{"input", calculator_input(counted, policy)},
                                      {"rollback_e", process.rollback_e},
                                      {"promote_e", process.promote_e},
                                      {"log_rollback_e", process.log_rollback_e},
                                      {"log_promote_e", process.log_promote_e}});
  }
  return verdicts;
}

json::Object judgement_numbers(const RolloutPolicy& policy, std::span<const JudgedStep> steps,
                               const LossVerdicts& verdicts,
                               const stats::GuardrailVerdict& guardrail) {
  json::Array step_list;
  std::int64_t requests = 0;
  for (const JudgedStep& step : steps) {
    requests += step_requests(step);
    step_list.emplace_back(
        json::Object{{"weight", step.weight}, {"counters", serving::to_json(step.counters)}});
  }
  return {{"requests", requests},
          {"losses", verdicts.numbers},
          {"rollback_e_mean", guardrail.rollback_mean},
          {"rollback_e_max", guardrail.rollback_max},
          {"promote_e_min", guardrail.promote_min},
          {"sample_ratio_e", verdicts.srm_e},
          {"delta", policy.delta},
          {"alpha_rollback", policy.alpha_rollback},
          {"alpha_promote", policy.alpha_promote},
          {"steps", std::move(step_list)}};
}

std::string counted_text(const RolloutPolicy& policy, std::span<const JudgedStep> steps) {
  serving::StepCounters total;
  for (const JudgedStep& step : steps) {
    total = sum(total, step.counters);
  }
  std::string text;
  for (const serving::Loss loss : policy.losses) {
    const auto& challenger = total.at(loss, serving::Arm::kChallenger);
    const auto& champion = total.at(loss, serving::Arm::kChampion);
    text += (text.empty() ? "" : ", ") + std::string(serving::loss_name(loss)) + " " +
            std::to_string(challenger.bad) + "/" +
            std::to_string(challenger.bad + challenger.good) + " against " +
            std::to_string(champion.bad) + "/" + std::to_string(champion.bad + champion.good);
  }
  return text;
}

}  // namespace

RolloutPolicy rollout_policy(const json::Object& spec) {
  RolloutPolicy policy;
  const json::Array& steps = spec.find("steps")->as_array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const json::Value* requests = steps[i].find("requests");
    policy.steps.push_back({steps[i].find("weight")->as_double(),
                            requests != nullptr ? requests->as_int() : kLastStepRequestsMin});
  }
  policy.delta = spec_number(spec, "delta");
  policy.alpha_rollback = spec_number(spec, "alpha_rollback");
  policy.alpha_promote = spec_number(spec, "alpha_promote");
  for (const json::Value& name : spec.find("losses")->as_array()) {
    for (const serving::Loss loss : serving::kAllLosses) {
      if (serving::loss_name(loss) == name.as_string()) {
        policy.losses.push_back(loss);
      }
    }
  }
  policy.latency_limit_ms = spec_number(spec, "latency_limit_ms");
  policy.max_duration = spec_duration(spec, "max_duration");
  return policy;
}

Forecast forecast(const RolloutPolicy& policy, std::optional<double> requests_per_day) {
  Forecast result;
  const std::optional<std::int64_t> last = last_step_requests(policy);
  for (std::size_t i = 0; i < policy.steps.size(); ++i) {
    const bool is_last = i + 1 == policy.steps.size();
    const std::int64_t requests =
        is_last ? last.value_or(kForecastRequestsMax) : policy.steps[i].requests;
    StepForecast step{policy.steps[i].weight, requests, std::nullopt};
    if (requests_per_day && *requests_per_day > 0) {
      step.days = static_cast<double>(requests) / *requests_per_day;
    }
    result.requests += requests;
    result.steps.push_back(step);
  }
  if (requests_per_day && *requests_per_day > 0) {
    result.days = static_cast<double>(result.requests) / *requests_per_day;
  }
  const double days_max =
      static_cast<double>(policy.max_duration) / static_cast<double>(kMicrosPerDay);
  if (!last) {
    result.refusal = "this rollout cannot decide: even a flawless challenger needs more than " +
                     std::to_string(kForecastRequestsMax) +
                     " requests; raise delta or alpha_promote";
  } else if (result.days && *result.days > days_max) {
    result.refusal = "this rollout cannot decide: even a flawless challenger needs " +
                     std::to_string(result.requests) + " requests, " + shortened(*result.days) +
                     " days at " + shortened(*requests_per_day) +
                     " requests a day, and max_duration is " + duration_text(policy.max_duration) +
                     "; ask for fewer requests, a larger weight or delta, or more time";
  }
  return result;
}

json::Object to_json(const Forecast& forecast) {
  json::Array steps;
  for (const StepForecast& step : forecast.steps) {
    json::Object entry{{"weight", step.weight}, {"requests", step.requests}};
    entry.set("days", step.days ? json::Value(*step.days) : json::Value());
    steps.emplace_back(std::move(entry));
  }
  json::Object object{{"requests", forecast.requests}};
  object.set("days", forecast.days ? json::Value(*forecast.days) : json::Value());
  object.set("steps", std::move(steps));
  object.set("refusal", forecast.refusal.empty() ? json::Value() : json::Value(forecast.refusal));
  return object;
}

std::string forecast_text(const Forecast& forecast) {
  std::string text;
  for (const StepForecast& step : forecast.steps) {
    text += (text.empty() ? "" : ", ") + percent(step.weight) + " for " +
            std::to_string(step.requests) + " requests";
    if (step.days) {
      text += " (" + shortened(*step.days) + " days)";
    }
  }
  return text;
}

std::string_view decision_name(Decision decision) {
  switch (decision) {
    case Decision::kWait: return "wait";
    case Decision::kNextStep: return "next_step";
    case Decision::kPromote: return "promote";
    case Decision::kRollback: return "roll_back";
    case Decision::kExpire: return "expire";
  }
  return "wait";
}

Judgement judge(const RolloutPolicy& policy, std::span<const JudgedStep> steps, TimeUs started,
                TimeUs now) {
  assert(!steps.empty() && steps.size() <= policy.steps.size());
  const LossVerdicts verdicts = judge_losses(policy, steps);
  const stats::GuardrailVerdict guardrail = stats::guardrail_verdict(
      verdicts.rollback_e, verdicts.promote_e, policy.alpha_rollback, policy.alpha_promote);
  Judgement judgement;
  judgement.numbers = judgement_numbers(policy, steps, verdicts, guardrail);
  const bool last = steps.size() == policy.steps.size();
  const bool enough = step_requests(steps.back()) >= policy.steps[steps.size() - 1].requests;
  const std::string counted = counted_text(policy, steps);
  if (verdicts.broken_split) {
    judgement.decision = Decision::kRollback;
    judgement.reason = "the split of requests is not the one that was set (sample ratio e-value " +
                       shortened(verdicts.srm_e) + "), so nothing can be concluded: " + counted;
  } else if (guardrail.verdict == stats::CanaryVerdict::kRollback) {
    judgement.decision = Decision::kRollback;
    judgement.reason = "the challenger is worse (e-value " + shortened(guardrail.rollback_max) +
                       " of one loss, " + shortened(guardrail.rollback_mean) + " on average, " +
                       shortened(1 / policy.alpha_rollback) + " are enough): " + counted;
  } else if (last && enough && guardrail.verdict == stats::CanaryVerdict::kPromote) {
    judgement.decision = Decision::kPromote;
    judgement.reason = "the challenger is not worse by " + shortened(policy.delta) +
                       " (smallest e-value " + shortened(guardrail.promote_min) + ", " +
                       shortened(1 / policy.alpha_promote) + " are enough): " + counted;
  } else if (started != 0 && now - started >= policy.max_duration) {
    judgement.decision = Decision::kExpire;
    judgement.reason = "undecided after " + duration_text(policy.max_duration) +
                       " (smallest e-value to promote " + shortened(guardrail.promote_min) +
                       ", to roll back at most " + shortened(guardrail.rollback_max) +
                       "): " + counted;
  } else if (!last && enough) {
    judgement.decision = Decision::kNextStep;
    judgement.reason = "no sign that the challenger is worse after " +
                       std::to_string(step_requests(steps.back())) + " requests at " +
                       percent(steps.back().weight) + ": " + counted;
  } else {
    judgement.reason = std::to_string(step_requests(steps.back())) + " of " +
                       std::to_string(policy.steps[steps.size() - 1].requests) + " requests at " +
                       percent(steps.back().weight) + ": " + counted;
  }
  return judgement;
}

std::array<double, serving::kLosses> rates(const serving::StepCounters& counters,
                                           serving::Arm arm) {
  std::array<double, serving::kLosses> result{};
  for (const serving::Loss loss : serving::kAllLosses) {
    const auto& cell = counters.at(loss, arm);
    const std::int64_t all = cell.bad + cell.good;
    if (all > 0) {
      result[static_cast<std::size_t>(loss)] =
          static_cast<double>(cell.bad) / static_cast<double>(all);
    }
  }
  return result;
}

serving::StepCounters sum(const serving::StepCounters& a, const serving::StepCounters& b) {
  serving::StepCounters total = a;
  for (std::size_t loss = 0; loss < serving::kLosses; ++loss) {
    for (std::size_t arm = 0; arm < 2; ++arm) {
      total.cells[loss][arm].bad += b.cells[loss][arm].bad;
      total.cells[loss][arm].good += b.cells[loss][arm].good;
    }
  }
  return total;
}

}  // namespace slipway::automation
