// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/crossed_design.h"
#include "stats/mann_whitney.h"
#include "stats/resampled_t.h"
#include "stats/run_scores.h"
#include "stats/welch_t.h"

namespace slipway::calc {
namespace {

Output corrected_resampled_t_output(const Input& input) {
  const double ratio = input.has("folds") ? 1 / static_cast<double>(input.count("folds") - 1)
                                          : input.number("test_train_ratio");
  const stats::CorrectedResampledT result = stats::corrected_resampled_t(
      paired_differences(input), ratio, input.number("conf"), alternative_of(input));
  Output output;
  output.number("mean", result.mean)
      .number("s2", result.s2)
      .number("t", result.t)
      .number("df", result.df)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .number("t_naive", result.t_naive)
      .number("p_naive", result.p_naive)
      .note(result.note);
  return output;
}

Output correlated_t_bayes_output(const Input& input) {
  const stats::CorrelatedTBayes result = stats::correlated_t_bayes(
      paired_differences(input), input.number("rope"), input.count("runs"));
  Output output;
  output.number("p_left", result.p_left)
      .number("p_rope", result.p_rope)
      .number("p_right", result.p_right);
  return output;
}

Output five_by_two_cv_output(const Input& input) {
  const std::vector<std::vector<double>> rows = input.matrix("pairs");
  if (rows.size() != 5 || rows[0].size() != 2)
    bad_input("pairs", "must hold 5 pairs of differences");
  std::array<std::array<double, 2>, 5> pairs;
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {rows[i][0], rows[i][1]};
  const stats::FiveByTwoCv result = stats::five_by_two_cv(pairs);
  Output output;
  output.number("t", result.t)
      .number("p_t", result.p_t)
      .number("f", result.f)
      .number("p_f", result.p_f)
      .note(result.note);
  return output;
}

Output crossed_design_output(const Input& input) {
  const stats::CrossedDesign result = stats::crossed_design(input.matrix("d"));
  Output output;
  output.number("mean", result.mean)
      .number("ms_seed", result.ms_seed)
      .number("ms_example", result.ms_example)
      .number("ms_residual", result.ms_residual)
      .number("se_unfloored", result.se_unfloored)
      .number("df_unfloored", result.df_unfloored)
      .number("t_unfloored", result.t_unfloored)
      .number("p_unfloored", result.p_unfloored)
      .number("se", result.se)
      .number("df", result.df)
      .number("t", result.t)
      .number("p", result.p)
      .text("dominant", result.dominant)
      .note(result.note);
  return output;
}

Output welch_t_output(const Input& input) {
  const stats::WelchT result = stats::welch_t(input.numbers("a"), input.numbers("b"),
                                              input.number("conf"), alternative_of(input));
  Output output;
  output.number("diff", result.diff)
      .number("se", result.se)
      .number("t", result.t)
      .number("df", result.df)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .note(result.note);
  return output;
}

Output mann_whitney_output(const Input& input) {
  const std::string& method = input.text("method");
  const stats::MannWhitney result =
      stats::mann_whitney(input.numbers("a"), input.numbers("b"), alternative_of(input),
                          method == "exact"        ? stats::RankMethod::kExact
                          : method == "asymptotic" ? stats::RankMethod::kApprox
                                                   : stats::RankMethod::kAuto);
  Output output;
  output.number("u", result.u)
      .number("p_superiority", result.p_superiority)
      .number("p", result.p)
      .text("method", result.method);
  return output;
}

Output noether_output(const Input& input) {
  return sample_size_output(stats::noether_sample_size(input.number("gamma"), input.number("alpha"),
                                                       input.number("power")));
}

Output outperforming_output(const Input& input) {
  const stats::Outperforming result =
      stats::probability_of_outperforming(paired_differences(input));
  Output output;
  output.number("estimate", result.estimate)
      .count("wins", result.wins)
      .count("ties", result.ties)
      .count("losses", result.losses);
  return output;
}

Output aggregate_scores_output(const Input& input) {
  const stats::AggregateScores result =
      stats::aggregate_scores(input.matrix("s"), input.number("gamma"));
  Output output;
  output.number("mean", result.mean)
      .number("median", result.median)
      .number("iqm", result.iqm)
      .number("optimality_gap", result.optimality_gap);
  return output;
}

Output improvement_output(const Input& input) {
  const stats::ProbabilityOfImprovement result =
      stats::probability_of_improvement(input.matrix("x"), input.matrix("y"));
  Output output;
  output.number("estimate", result.estimate).numbers("per_task", result.per_task);
  return output;
}

Output stochastic_order_output(const Input& input) {
  const stats::StochasticOrder result =
      stats::stochastic_order(input.numbers("a"), input.numbers("b"));
  Output output;
  output.number("violation_ratio", result.violation_ratio).note(result.note);
  return output;
}

std::vector<Field> with_paired(std::size_t size_min, const std::vector<Field>& more) {
  std::vector<Field> fields = paired_fields(size_min);
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

Field matrix_field(const std::string& key, std::size_t rows_min) {
  return {.key = key, .type = Type::kMatrix, .size_min = rows_min};
}

}  // namespace

std::vector<Entry> run_entries() {
  const Field ratio = optional_field({.key = "test_train_ratio", .range = kPositive});
  const Field folds = optional_field({.key = "folds", .type = Type::kCount, .range = at_least(2)});
  return {
      {"corrected-resampled-t",
       "t test over folds or splits of one data set, corrected for their overlap",
       {with_paired(2, {ratio, folds, alternative_field(), conf_field()}),
        {paired_choice(), {{"test_train_ratio"}, {"folds"}}}},
       corrected_resampled_t_output},
      {"correlated-t-bayes",
       "Posterior probabilities over folds: worse, practically equal, better",
       {with_paired(
            2, {optional_field({.key = "rope", .range = kNotNegative}, 0),
                optional_field({.key = "runs", .type = Type::kCount, .range = at_least(1)}, 1)}),
        {paired_choice()}},
       correlated_t_bayes_output},
      {"5x2cv",
       "Five times two-fold cross-validation",
       {{matrix_field("pairs", 1)}},
       five_by_two_cv_output},
      {"crossed-design",
       "Seeds times examples: which of them vary more",
       {{matrix_field("d", 2)}},
       crossed_design_output},
      {"welch-t",
       "t test of two independent samples",
       {{list_field("a", 2), list_field("b", 2), alternative_field(), conf_field()}},
       welch_t_output},
      {"mann-whitney",
       "Rank test of two independent samples",
       {{list_field("a", 1), list_field("b", 1), alternative_field(),
         optional_field(
             {.key = "method", .type = Type::kText, .options = {"auto", "exact", "asymptotic"}},
             "auto")}},
       mann_whitney_output},
      {"noether-sample-size",
       "Pairs of runs needed to see that one recipe outperforms another",
       {{{.key = "gamma", .range = kOpenUnit}, alpha_field(), power_field()}},
       noether_output},
      {"probability-of-outperforming",
       "How often a paired run of A beats that of B",
       {with_paired(1, {}), {paired_choice()}},
       outperforming_output},
      {"aggregate-scores",
       "Mean, median, interquartile mean and optimality gap of runs x tasks",
       {{matrix_field("s", 1), optional_field({.key = "gamma"}, 1)}},
       aggregate_scores_output},
      {"probability-of-improvement",
       "Share of pairs of runs in which x beats y, over tasks",
       {{matrix_field("x", 1), matrix_field("y", 1)}},
       improvement_output},
      {"stochastic-order",
       "How far a is from being stochastically larger than b",
       {{list_field("a", 1), list_field("b", 1)}},
       stochastic_order_output},
  };
}

}  // namespace slipway::calc
