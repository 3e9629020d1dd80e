// SPDX-License-Identifier: Apache-2.0
#include "calc/calc.h"
#include "cli/verbs.h"

namespace slipway::cli {

// The calculator has its own rules for output and errors (bare JSON, one line that names the key):
// calc keeps them.
int stats(const Arguments& arguments, Context& context) {
  std::vector<std::string> words = arguments.list("NAME");
  if (arguments.flag("jsonl")) words.emplace_back("--jsonl");
  if (arguments.flag("json")) words.emplace_back("--json");
  return calc::run_stats(words, context.in, context.out, context.err);
}

}  // namespace slipway::cli
