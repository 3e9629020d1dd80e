// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/canary.h"
#include "stats/mean_e_process.h"

namespace slipway::calc {
namespace {

Field delta_field() { return {.key = "delta", .range = kOpenUnit}; }

Field trace_field() { return optional_field({.key = "trace", .type = Type::kFlag}, false); }

Field count_field(const std::string& key, double low = 0) {
  return {.key = key, .type = Type::kCount, .range = at_least(low)};
}

stats::CanaryPolicy policy_of(const Input& input) {
  return {input.number("delta"), input.number("alpha_rollback"), input.number("alpha_promote"),
          input.number("alpha_srm")};
}

std::vector<Field> with_alphas(std::vector<Field> fields) {
  fields.push_back(alpha_field(0.05, "alpha_rollback"));
  fields.push_back(alpha_field(0.05, "alpha_promote"));
  fields.push_back(alpha_field(0.01, "alpha_srm"));
  return fields;
}

Entry canary_e_process_entry() {
  Field steps_field{.key = "steps", .type = Type::kObjects, .size_min = 1};
  steps_field.members = {{.key = "w", .range = kOpenUnit},
                         {.key = "c0", .range = kUnit},
                         {.key = "canary", .type = Type::kCounts, .size_exact = 2},
                         {.key = "stable", .type = Type::kCounts, .size_exact = 2}};
  return {"canary-e-process",
          "Is the canary worse, or not worse by delta, from four counters a step",
          {with_alphas({steps_field, delta_field()})},
          [](const Input& input) {
            std::vector<stats::CanaryStep> steps;
            for (const Input& step : input.objects("steps")) {
              const std::vector<std::int64_t> canary = step.counts("canary");
              const std::vector<std::int64_t> stable = step.counts("stable");
              steps.push_back({step.number("w"), step.number("c0"), canary[0], canary[1], stable[0],
                               stable[1]});
            }
            const stats::CanaryEProcess result = stats::canary_e_process(steps, policy_of(input));
            Output output;
            output.number("rollback_e", result.rollback_e)
                .number("promote_e", result.promote_e)
                .number("log_rollback_e", result.log_rollback_e)
                .number("log_promote_e", result.log_promote_e)
                .number("srm_e", result.srm_e)
                .count("requests", result.requests)
                .text("verdict", stats::verdict_name(result.verdict));
            return output;
          }};
}

// A number for every request: the same for all, or one each.
std::vector<double> one_a_request(const Input& input, const std::string& key,
                                  std::size_t requests) {
  if (!input.raw(key).is_array()) return std::vector<double>(requests, input.number(key));
  std::vector<double> values = input.numbers(key);
  if (values.size() != requests) bad_input(key, "must be as long as `arm`");
  return values;
}

// The running rate before each request, over both arms: fixed before the request, as it must be.
std::vector<double> running_rate(double start, const std::vector<double>& y) {
  std::vector<double> rates;
  rates.reserve(y.size());
  double sum = start;
  for (std::size_t i = 0; i < y.size(); ++i) {
    rates.push_back(sum / static_cast<double>(1 + i));
    sum += y[i];
  }
  return rates;
}

Output canary_stream(const Input& input) {
  const std::vector<double> arm = input.numbers("arm");
  const std::vector<double> y = input.numbers("y");
  if (y.size() != arm.size()) bad_input("y", "must be as long as `arm`");
  const std::vector<double> w = one_a_request(input, "w", arm.size());
  const bool running = input.raw("c0").is_string();
  if (!running && input.has("c0_start")) bad_input("c0_start", "needs `c0` to be \"running\"");
  const std::vector<double> c0 = running
                                     ? running_rate(input.maybe_number("c0_start").value_or(0), y)
                                     : one_a_request(input, "c0", arm.size());
  std::vector<stats::CanaryRequest> requests;
  requests.reserve(arm.size());
  for (std::size_t i = 0; i < arm.size(); ++i) requests.push_back({arm[i] == 1, y[i], w[i], c0[i]});
  const bool trace = input.flag("trace");
  const stats::CanaryStream result =
      stats::canary_e_process_stream(requests, policy_of(input), trace);
  Output output;
  output.number("rollback_e", result.rollback_e)
      .number("promote_e", result.promote_e)
      .number("rollback_max", result.rollback_max)
      .number("promote_max", result.promote_max)
      .count("rollback_at", result.rollback_at)
      .count("promote_at", result.promote_at);
  if (trace)
    output.numbers("rollback_path", result.rollback_path)
        .numbers("promote_path", result.promote_path);
  if (!result.rollback_at) output.note("rollback_e never reached 1/alpha_rollback");
  if (!result.promote_at) output.note("promote_e never reached 1/alpha_promote");
  return output;
}

Entry canary_stream_entry() {
  Field c0{.key = "c0", .type = Type::kNumberListText, .range = kUnit, .options = {"running"}};
  return {"canary-e-process-stream",
          "The canary's two e-processes request by request",
          {with_alphas({list_field("arm", 0, {}, Type::kBinary),
                        list_field("y", 0, kUnit),
                        {.key = "w", .type = Type::kNumberOrList, .range = kOpenUnit},
                        c0,
                        optional_field({.key = "c0_start", .range = kUnit}),
                        delta_field(),
                        trace_field()})},
          canary_stream};
}

Entry shadow_entry() {
  return {"shadow-e-process",
          "Is A worse than B on mirrored requests (z = loss of A - loss of B)",
          {{optional_field(list_field("z", 0, {-1, 1, false, false})),
            optional_field(count_field("plus")), optional_field(count_field("minus")),
            alpha_field(), trace_field()},
           {{{"z"}, {"plus", "minus"}}}},
          [](const Input& input) {
            Output output;
            if (!input.has("z")) {
              const double e = stats::shadow_e_process(input.count("plus"), input.count("minus"));
              output.number("e", e)
                  .number("e_max", std::optional<double>())
                  .count("at", std::optional<std::int64_t>());
              if (input.flag("trace")) output.value("e_path", nullptr);
              output.note("counts have no order, so there is no path");
              return output;
            }
            const bool trace = input.flag("trace");
            const stats::ShadowEProcess result =
                stats::shadow_e_process(input.numbers("z"), input.number("alpha"), trace);
            output.number("e", result.e).number("e_max", result.e_max).count("at", result.at);
            if (trace) output.numbers("e_path", result.path);
            if (!result.at) output.note("e never reached 1/alpha");
            return output;
          }};
}

Entry slo_entry() {
  return {"slo-e-process",
          "Is the rate of bad requests above the objective",
          {{count_field("bad"),
            count_field("good"),
            {.key = "slo", .range = kOpenUnit},
            alpha_field()}},
          [](const Input& input) {
            const stats::SloEProcess result =
                stats::slo_e_process(input.count("bad"), input.count("good"), input.number("slo"),
                                     input.number("alpha"));
            Output output;
            output.number("e", result.e).flag("violated", result.violated);
            return output;
          }};
}

Entry guardrail_entry() {
  return {"guardrail-verdict",
          "One verdict from the e-values of several metrics",
          {{list_field("rollback_e", 1, kNotNegative), list_field("promote_e", 1, kNotNegative),
            alpha_field(0.05, "alpha_rollback"), alpha_field(0.05, "alpha_promote")}},
          [](const Input& input) {
            const stats::GuardrailVerdict result = stats::guardrail_verdict(
                input.numbers("rollback_e"), input.numbers("promote_e"),
                input.number("alpha_rollback"), input.number("alpha_promote"));
            Output output;
            output.text("verdict", stats::verdict_name(result.verdict))
                .number("rollback_mean", result.rollback_mean)
                .number("rollback_max", result.rollback_max)
                .number("promote_min", result.promote_min);
            return output;
          }};
}

Entry sample_ratio_entry() {
  return {
      "sample-ratio-mismatch",
      "Did k of n requests go to an arm that should get a share of w",
      {{count_field("k"), count_field("n"), {.key = "w", .range = kOpenUnit}, alpha_field(0.01)}},
      [](const Input& input) {
        const stats::SampleRatio result = stats::sample_ratio_mismatch(
            input.count("k"), input.count("n"), input.number("w"), input.number("alpha"));
        Output output;
        output.number("e", result.e)
            .number("log_e", result.log_e)
            .flag("mismatch", result.mismatch);
        return output;
      }};
}

}  // namespace

std::vector<Entry> canary_entries() {
  return {canary_e_process_entry(), canary_stream_entry(), shadow_entry(), slo_entry(),
          guardrail_entry(),        sample_ratio_entry()};
}

}  // namespace slipway::calc
