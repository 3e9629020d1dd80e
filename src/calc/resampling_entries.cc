// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/bootstrap.h"
#include "stats/permutation.h"

namespace slipway::calc {
namespace {

Field resamples_field(double low, std::int64_t fallback) {
  const Range range{low, static_cast<double>(stats::kResamplesMax), false, false};
  return optional_field({.key = "resamples", .type = Type::kCount, .range = range}, fallback);
}

Field exhaustive_field() {
  return optional_field({.key = "exhaustive", .type = Type::kFlagOrText, .options = {"auto"}},
                        "auto");
}

Field method_field(const std::string& fallback) {
  return optional_field({.key = "method", .type = Type::kText, .options = {"bca", "percentile"}},
                        fallback);
}

stats::BootstrapPolicy policy_of(const Input& input) {
  stats::BootstrapPolicy policy;
  policy.method = input.text("method") == "bca" ? stats::BootstrapMethod::kBca
                                                : stats::BootstrapMethod::kPercentile;
  policy.conf = input.number("conf");
  policy.resamples = input.count("resamples");
  policy.seed = static_cast<std::uint64_t>(input.count("seed"));
  if (input.raw("exhaustive").is_bool()) {
    policy.exhaustive = input.flag("exhaustive") ? stats::Exhaustive::kYes : stats::Exhaustive::kNo;
  }
  return policy;
}

Output bootstrap_output(const stats::Bootstrap& result) {
  Output output;
  output.number("estimate", result.estimate)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .number("z0", result.z0)
      .number("a", result.a)
      .number("alpha_lo", result.alpha_lo)
      .number("alpha_hi", result.alpha_hi)
      .number("p", result.p)
      .text("method", result.method)
      .count("resamples", result.resamples)
      .flag("exhaustive", result.exhaustive)
      .note(result.note);
  return output;
}

Output paired_bootstrap_output(const Input& input) {
  const auto statistic = input.text("statistic") == "mean" ? stats::BootstrapStatistic::kMean
                                                           : stats::BootstrapStatistic::kMedian;
  return bootstrap_output(
      stats::paired_bootstrap(paired_differences(input), statistic, policy_of(input)));
}

Output cluster_bootstrap_output(const Input& input) {
  stats::BootstrapPolicy policy = policy_of(input);
  policy.alternative = alternative_of(input);
  const stats::Bootstrap result =
      stats::cluster_bootstrap(input.numbers("x"), input.keys("cluster"), policy);
  Output output = bootstrap_output(result);
  output.count("clusters", result.clusters);
  return output;
}

Output permutation_output(const Input& input) {
  const stats::PairedPermutation result = stats::paired_permutation(
      paired_differences(input), alternative_of(input), input.count("resamples"),
      static_cast<std::uint64_t>(input.count("seed")));
  Output output;
  output.number("statistic", result.statistic)
      .number("p", result.p)
      .flag("exact", result.exact)
      .count("resamples", result.resamples);
  return output;
}

std::vector<Field> with(std::vector<Field> fields, std::vector<Field> more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace

std::vector<Entry> resampling_entries() {
  const Field statistic = optional_field(
      {.key = "statistic", .type = Type::kText, .options = {"mean", "median"}}, "mean");
  return {
      {"paired-permutation",
       "Are paired differences symmetric around 0, by flipping signs",
       {with(paired_fields(1), {alternative_field(), resamples_field(1, 100'000), seed_field()}),
        {paired_choice()}},
       permutation_output},
      {"paired-bootstrap",
       "Interval for the mean or median of paired differences, by resampling",
       {with(paired_fields(2), {statistic, method_field("bca"), conf_field(),
                                resamples_field(stats::kBootstrapResamplesMin, 10'000),
                                seed_field(), exhaustive_field()}),
        {paired_choice()}},
       paired_bootstrap_output},
      {"cluster-bootstrap",
       "Interval for a mean, by resampling whole clusters",
       {{list_field("x", 2), list_field("cluster", 0, {}, Type::kKeys), conf_field(),
         alternative_field(), method_field("percentile"),
         resamples_field(stats::kBootstrapResamplesMin, 10'000), seed_field(), exhaustive_field()}},
       cluster_bootstrap_output},
  };
}

}  // namespace slipway::calc
