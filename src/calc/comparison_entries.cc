// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/cluster_se.h"
#include "stats/delong.h"
#include "stats/mcnemar.h"
#include "stats/paired_proportion.h"
#include "stats/paired_t.h"
#include "stats/tost.h"
#include "stats/wilcoxon.h"

namespace slipway::calc {
namespace {

Output mcnemar_output(const Input& input) {
  const stats::Mcnemar result = stats::mcnemar(input.count("b"), input.count("c"));
  Output output;
  output.count("n", result.n)
      .number("p_exact", result.p_exact)
      .number("p_midp", result.p_midp)
      .number("chi2", result.chi2)
      .number("p_chi2", result.p_chi2)
      .number("chi2_cc", result.chi2_cc)
      .number("p_chi2_cc", result.p_chi2_cc)
      .text("method", result.method)
      .number("p", result.p)
      .note(result.note);
  return output;
}

Output paired_t_output(const Input& input) {
  const stats::PairedT result =
      stats::paired_t(paired_differences(input), input.number("conf"), alternative_of(input));
  Output output;
  output.count("n", result.n)
      .number("mean", result.mean)
      .number("sd", result.sd)
      .number("t", result.t)
      .number("df", result.df)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .note(result.note);
  return output;
}

Output cluster_se_output(const Input& input) {
  const stats::ClusterSe result = stats::cluster_se(input.numbers("x"), input.keys("cluster"),
                                                    input.number("conf"), alternative_of(input));
  Output output;
  output.number("mean", result.mean)
      .number("se_naive", result.se_naive)
      .number("se_cluster", result.se_cluster)
      .number("design_effect", result.design_effect)
      .count("clusters", result.clusters)
      .number("df", result.df)
      .number("t", result.t)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .note(result.note);
  return output;
}

Output paired_proportion_output(const Input& input) {
  const stats::PairedProportionCi result = stats::paired_proportion_ci(
      {input.count("a"), input.count("b"), input.count("c"), input.count("d")},
      input.number("conf"));
  Output output;
  output.number("diff", result.diff)
      .interval("wald", result.wald.lo, result.wald.hi)
      .interval("bonett_price", result.bonett_price.lo, result.bonett_price.hi)
      .interval("tango", result.tango.lo, result.tango.hi);
  return output;
}

Output wilcoxon_output(const Input& input) {
  const std::string& zeros = input.text("zeros");
  const std::string& method = input.text("method");
  const stats::Wilcoxon result = stats::wilcoxon(paired_differences(input),
                                                 zeros == "pratt"    ? stats::Zeros::kPratt
                                                 : zeros == "zsplit" ? stats::Zeros::kZsplit
                                                                     : stats::Zeros::kWilcox,
                                                 method == "exact"    ? stats::RankMethod::kExact
                                                 : method == "approx" ? stats::RankMethod::kApprox
                                                                      : stats::RankMethod::kAuto,
                                                 alternative_of(input));
  Output output;
  output.number("w_plus", result.w_plus)
      .number("w_minus", result.w_minus)
      .number("statistic", result.statistic)
      .count("n", result.n)
      .number("z", result.z)
      .number("p", result.p)
      .text("method", result.method)
      .note(result.note);
  if (result.method == "exact") output.note("the exact distribution has no z");
  return output;
}

stats::Tost tost_of(const Input& input) {
  const bool margin = input.has("margin");
  const double high = input.number(margin ? "margin" : "high");
  const double low = margin ? -high : input.number("low");
  const double alpha = input.number("alpha");
  if (input.flag("paired")) return stats::tost_paired(paired_differences(input), low, high, alpha);
  if (input.has("x"))
    bad_input("paired", "must be true for `x`: independent samples are `a` and `b`");
  return stats::tost_independent(input.numbers("a"), input.numbers("b"), low, high, alpha);
}

Output tost_output(const Input& input) {
  const stats::Tost result = tost_of(input);
  Output output;
  output.number("mean", result.mean)
      .number("se", result.se)
      .number("df", result.df)
      .number("t_lower", result.t_lower)
      .number("t_upper", result.t_upper)
      .number("p_lower", result.p_lower)
      .number("p_upper", result.p_upper)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .flag("equivalent", result.equivalent)
      .note(result.note);
  return output;
}

void add_auc(Output& output, const std::string& suffix, const stats::Auc& auc) {
  output.number("auc_" + suffix, auc.auc)
      .number("var_" + suffix, auc.var)
      .number("lo_" + suffix, auc.lo)
      .number("hi_" + suffix, auc.hi);
}

Output delong_output(const Input& input) {
  std::vector<bool> y;
  for (const double label : input.numbers("y")) y.push_back(label == 1);
  Output output;
  if (!input.has("b")) {
    const stats::Auc auc = stats::delong(y, input.numbers("a"), input.number("conf"));
    add_auc(output, "a", auc);
    output.note(auc.note);
    return output;
  }
  const stats::AucDifference result =
      stats::delong_difference(y, input.numbers("a"), input.numbers("b"), input.number("conf"));
  add_auc(output, "a", result.a);
  add_auc(output, "b", result.b);
  output.number("cov", result.cov)
      .number("diff", result.diff)
      .number("se", result.se)
      .number("z", result.z)
      .number("p", result.p)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .note(result.note);
  return output;
}

Output mcnemar_sample_size_output(const Input& input) {
  return sample_size_output(stats::mcnemar_sample_size(
      input.number("psi"), input.number("diff"), input.number("alpha"), input.number("power")));
}

Output two_proportion_sample_size_output(const Input& input) {
  return sample_size_output(stats::two_proportion_sample_size(
      input.number("p1"), input.number("p2"), input.number("alpha"), input.number("power")));
}

std::vector<Field> wilcoxon_fields() {
  std::vector<Field> fields = paired_fields(1);
  fields.push_back(optional_field(
      {.key = "zeros", .type = Type::kText, .options = {"wilcox", "pratt", "zsplit"}}, "wilcox"));
  fields.push_back(optional_field(
      {.key = "method", .type = Type::kText, .options = {"auto", "exact", "approx"}}, "auto"));
  fields.push_back(alternative_field());
  return fields;
}

std::vector<Field> tost_fields() {
  std::vector<Field> fields = paired_fields(2);
  fields.push_back(optional_field({.key = "paired", .type = Type::kFlag}, true));
  fields.push_back(optional_field({.key = "margin", .range = kPositive}));
  fields.push_back(optional_field({.key = "low"}));
  fields.push_back(optional_field({.key = "high"}));
  fields.push_back(alpha_field());
  return fields;
}

}  // namespace

std::vector<Entry> comparison_entries() {
  std::vector<Field> t_fields = paired_fields(2);
  t_fields.push_back(alternative_field());
  t_fields.push_back(conf_field());
  return {
      {"paired-proportion-ci",
       "Intervals for the difference of two accuracies on the same examples",
       {{{.key = "a", .type = Type::kCount},
         {.key = "b", .type = Type::kCount},
         {.key = "c", .type = Type::kCount},
         {.key = "d", .type = Type::kCount},
         conf_field()}},
       paired_proportion_output},
      {"mcnemar-sample-size",
       "Examples needed for McNemar's test",
       {{{.key = "psi", .range = {0, 1, true, false}},
         {.key = "diff"},
         alpha_field(),
         power_field()}},
       mcnemar_sample_size_output},
      {"two-proportion-sample-size",
       "Examples per arm for two independent proportions",
       {{{.key = "p1", .range = kOpenUnit},
         {.key = "p2", .range = kOpenUnit},
         alpha_field(),
         power_field()}},
       two_proportion_sample_size_output},
      {"wilcoxon",
       "Signed-rank test of paired differences",
       {wilcoxon_fields(), {paired_choice()}},
       wilcoxon_output},
      {"tost",
       "Is a mean difference surely within a margin",
       {tost_fields(), {paired_choice(), {{"margin"}, {"low", "high"}}}},
       tost_output},
      {"delong",
       "Area under the ROC curve, and the difference of two on the same examples",
       {{list_field("y", 2, {}, Type::kBooleans), list_field("a", 2),
         optional_field(list_field("b", 2)), conf_field()}},
       delong_output},
      {"mcnemar",
       "Are two classifiers equally often right on the same examples",
       {{{.key = "b", .type = Type::kCount}, {.key = "c", .type = Type::kCount}}},
       mcnemar_output},
      {"paired-t",
       "Student's t test of paired differences",
       {t_fields, {paired_choice()}},
       paired_t_output},
      {"cluster-se",
       "Mean of per-example values whose clusters depend on each other",
       {{list_field("x", 2), list_field("cluster", 0, {}, Type::kKeys), conf_field(),
         alternative_field()}},
       cluster_se_output},
  };
}

}  // namespace slipway::calc
