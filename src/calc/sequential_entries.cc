// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/confidence_sequence.h"
#include "stats/e_value.h"

namespace slipway::calc {
namespace {

Output t_test_output(const Input& input) {
  const double g = input.number("g");
  Output output;
  if (!input.has("x")) {
    output.number("e", stats::t_test_e_value(input.number("t"), input.count("n"), g));
    return output;
  }
  const stats::TTestEProcess result =
      stats::t_test_e_process(input.numbers("x"), g, input.number("alpha"));
  output.numbers("e", result.e)
      .number("e_max", result.e_max)
      .number("p_always", result.p_always)
      .count("reject_at", result.reject_at)
      .note(result.note);
  if (!result.reject_at) output.note("e never reached 1/alpha");
  return output;
}

Output always_valid_p_output(const Input& input) {
  const std::vector<double> p = stats::always_valid_p(input.numbers("e"));
  Output output;
  output.numbers("p", p).number("p_last", p.back());
  return output;
}

Output msprt_output(const Input& input) {
  const stats::Msprt result =
      stats::msprt_normal(input.number("theta"), input.number("v"), input.number("tau2"));
  Output output;
  output.number("e", result.e).number("p", result.p);
  return output;
}

Output asymptotic_cs_output(const Input& input) {
  const std::int64_t sides = input.count("sides");
  if (sides != 1 && sides != 2) bad_input("sides", "must be 1 or 2");
  const stats::AsymptoticCs result =
      stats::asymptotic_cs(input.count("n"), input.number("mean"), input.number("sd"),
                           input.number("alpha"), input.number("n_star"), sides == 1);
  Output output;
  output.number("rho", result.rho)
      .number("half_width", result.half_width)
      .number("lo", result.lo)
      .number("hi", result.hi);
  if (sides == 1) output.note("a lower bound alone");
  return output;
}

Output betting_cs_output(const Input& input) {
  const double alpha = input.number("alpha");
  const bool values = input.has("x");
  const stats::BettingCs result =
      values ? stats::betting_cs(input.numbers("x"), alpha)
             : stats::betting_cs(input.count("ones"), input.count("zeros"), alpha);
  Output output;
  output.number("mean", result.mean).number("lo", result.lo).number("hi", result.hi);
  if (values)
    output.number("lo_running", result.lo_running).number("hi_running", result.hi_running);
  output.note(result.note);
  return output;
}

}  // namespace

std::vector<Entry> sequential_entries() {
  return {
      {"t-test-e-value",
       "Evidence that a mean is not 0, valid at every look",
       {{optional_field({.key = "t"}),
         optional_field({.key = "n", .type = Type::kCount, .range = at_least(2)}),
         optional_field(list_field("x", 1)), optional_field({.key = "g", .range = kPositive}, 1),
         alpha_field()},
        {{{"t", "n"}, {"x"}}}},
       t_test_output},
      {"always-valid-p",
       "p-values that may be looked at any time, from e-values",
       {{list_field("e", 1, kNotNegative)}},
       always_valid_p_output},
      {"msprt-normal",
       "Mixture sequential probability ratio of a normal estimate",
       {{{.key = "theta"}, {.key = "v", .range = kPositive}, {.key = "tau2", .range = kPositive}}},
       msprt_output},
      {"asymptotic-cs",
       "Interval for a mean that covers at all times, asymptotically",
       {{{.key = "n", .type = Type::kCount, .range = at_least(1)},
         optional_field({.key = "mean"}, 0),
         optional_field({.key = "sd", .range = kNotNegative}, 1),
         alpha_field(),
         optional_field({.key = "n_star", .range = kPositive}, 5000),
         optional_field({.key = "sides", .type = Type::kCount, .range = {1, 2, false, false}}, 2)}},
       asymptotic_cs_output},
      {"betting-cs",
       "Interval for the mean of values in [0, 1] that covers at all times",
       {{optional_field(list_field("x", 0, kUnit)),
         optional_field({.key = "ones", .type = Type::kCount}),
         optional_field({.key = "zeros", .type = Type::kCount}), alpha_field()},
        {{{"x"}, {"ones", "zeros"}}}},
       betting_cs_output},
  };
}

}  // namespace slipway::calc
