// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/e_value.h"
#include "stats/friedman.h"
#include "stats/multiple_testing.h"

namespace slipway::calc {
namespace {

template <stats::Correction kCorrection>
Output adjusted_output(const Input& input) {
  const stats::Adjusted result =
      stats::adjust_p(input.numbers("p"), kCorrection, input.number("alpha"));
  Output output;
  output.numbers("adjusted", result.adjusted).flags("reject", result.reject);
  return output;
}

template <stats::Correction kCorrection>
Entry correction_entry(const std::string& name, const std::string& summary) {
  return {
      name, summary, {{list_field("p", 0, kUnit), alpha_field()}}, adjusted_output<kCorrection>};
}

Output e_bh_output(const Input& input) {
  const stats::EBh result = stats::e_bh(input.numbers("e"), input.number("alpha"));
  Output output;
  output.count("k", result.k).number("threshold", result.threshold).flags("reject", result.reject);
  if (result.k == 0) output.note("nothing is rejected");
  return output;
}

Output friedman_output(const Input& input) {
  const stats::Friedman result =
      stats::friedman(input.matrix("scores"), input.text("better") == "lower");
  Output output;
  output.numbers("ranks", result.ranks)
      .number("chi2", result.chi2)
      .number("p_chi2", result.p_chi2)
      .number("chi2_ties", result.chi2_ties)
      .number("p_chi2_ties", result.p_chi2_ties)
      .number("f", result.f)
      .number("df1", result.df1)
      .number("df2", result.df2)
      .number("p_f", result.p_f)
      .note(result.note);
  return output;
}

Output nemenyi_output(const Input& input) {
  const std::vector<double> ranks =
      input.has("ranks") ? input.numbers("ranks") : std::vector<double>();
  if (input.has("ranks") && ranks.empty()) bad_input("ranks", "must hold `k` values");
  const stats::Nemenyi result =
      stats::nemenyi(input.count("k"), input.count("n"), ranks, input.number("alpha"));
  Output output;
  output.number("q", result.q).number("cd", result.cd);
  if (ranks.empty()) return output;
  json::Array rows;
  for (const std::vector<double>& row : result.p)
    rows.emplace_back(json::Array(row.begin(), row.end()));
  json::Array pairs;
  for (const auto& [first, second] : result.different) {
    pairs.emplace_back(
        json::Array{static_cast<std::int64_t>(first), static_cast<std::int64_t>(second)});
  }
  output.value("p", std::move(rows)).value("different", std::move(pairs));
  return output;
}

}  // namespace

std::vector<Entry> multiplicity_entries() {
  return {
      {"friedman",
       "Do several models differ over several data sets",
       {{{.key = "scores", .type = Type::kMatrix, .size_min = 2},
         optional_field({.key = "better", .type = Type::kText, .options = {"higher", "lower"}},
                        "higher")}},
       friedman_output},
      {"nemenyi",
       "Which pairs of models differ over several data sets",
       {{{.key = "k", .type = Type::kCount, .range = at_least(2)},
         {.key = "n", .type = Type::kCount, .range = at_least(2)},
         alpha_field(),
         optional_field(list_field("ranks", 0))}},
       nemenyi_output},
      correction_entry<stats::Correction::kBonferroni>("bonferroni",
                                                       "p-values of a family, times their number"),
      correction_entry<stats::Correction::kHolm>(
          "holm", "p-values of a family, step down; family-wise error"),
      correction_entry<stats::Correction::kHommel>("hommel",
                                                   "p-values of a family by closed Simes tests"),
      correction_entry<stats::Correction::kBenjaminiHochberg>(
          "benjamini-hochberg", "p-values of a list; false discovery rate"),
      correction_entry<stats::Correction::kBenjaminiYekutieli>(
          "benjamini-yekutieli", "p-values of a list; false discovery rate under any dependence"),
      {"e-bh",
       "Benjamini-Hochberg for e-values",
       {{list_field("e", 0, kNotNegative), alpha_field()}},
       e_bh_output},
  };
}

}  // namespace slipway::calc
