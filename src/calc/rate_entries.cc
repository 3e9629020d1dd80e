// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/rate_interval.h"
#include "stats/risk_bound.h"

namespace slipway::calc {
namespace {

Entry interval_entry(const std::string& name, const std::string& summary,
                     Output (*compute)(const Input&)) {
  return {name,
          summary,
          {{{.key = "k", .type = Type::kCount}, {.key = "n", .type = Type::kCount}, conf_field()}},
          compute};
}

Output interval_output(const stats::RateInterval& result) {
  Output output;
  output.number("estimate", result.estimate)
      .number("lo", result.lo)
      .number("hi", result.hi)
      .note(result.note);
  return output;
}

Output binomial_test_output(const Input& input) {
  const stats::BinomialTest result = stats::binomial_test(
      input.count("k"), input.count("n"), input.number("p0"), alternative_of(input));
  Output output;
  output.number("estimate", result.estimate).number("p", result.p);
  return output;
}

Output risk_output(const Input& input) {
  const stats::RiskUpperBound result =
      stats::risk_upper_bound(input.number("mean"), input.count("n"), input.maybe_number("sd"),
                              input.number("alpha"), input.number("tolerance"));
  Output output;
  output.number("hoeffding", result.hoeffding)
      .number("empirical_bernstein", result.empirical_bernstein)
      .number("bound", result.bound)
      .number("m", result.m);
  if (!input.has("sd")) output.note("the empirical Bernstein bound needs `sd`");
  return output;
}

}  // namespace

std::vector<Entry> rate_entries() {
  return {
      interval_entry("wilson", "Score interval for a rate",
                     [](const Input& input) {
                       return interval_output(
                           stats::wilson(input.count("k"), input.count("n"), input.number("conf")));
                     }),
      interval_entry("clopper-pearson", "Exact interval for a rate",
                     [](const Input& input) {
                       return interval_output(stats::clopper_pearson(
                           input.count("k"), input.count("n"), input.number("conf")));
                     }),
      {"binomial-test",
       "Exact test that a rate is p0",
       {{{.key = "k", .type = Type::kCount},
         {.key = "n", .type = Type::kCount, .range = at_least(1)},
         {.key = "p0", .range = kUnit},
         alternative_field()}},
       binomial_test_output},
      {"risk-upper-bound",
       "How large the true risk may be, from validation losses in [0, 1]",
       {{{.key = "mean", .range = kUnit},
         {.key = "n", .type = Type::kCount, .range = at_least(2)},
         optional_field({.key = "sd", .range = kNotNegative}),
         alpha_field(0.01),
         optional_field({.key = "tolerance", .range = kNotNegative}, 0.1)}},
       risk_output},
  };
}

}  // namespace slipway::calc
