// SPDX-License-Identifier: Apache-2.0
#include "calc/table.h"
#include "stats/e_detector.h"

namespace slipway::calc {
namespace {

Output e_detector_output(const Input& input) {
  const bool trace = input.flag("trace");
  const stats::EDetectorRule rule = input.text("rule") == "sr"
                                        ? stats::EDetectorRule::kShiryaevRoberts
                                        : stats::EDetectorRule::kCusum;
  const stats::EDetectorRun run =
      stats::e_detector(input.numbers("x"), input.number("m"), input.number("n"), rule, trace);
  Output output;
  output.number("value", run.value).number("max", run.max).count("alarm_at", run.alarm_at);
  if (trace) output.numbers("path", run.path);
  if (!run.alarm_at) output.note("no alarm: the value never reached n");
  return output;
}

// One e-value a window: given, or the mean over its columns.
std::vector<double> window_means(const Input& input) {
  if (!input.raw("e").as_array()[0].is_array()) return input.numbers("e");
  std::vector<double> means;
  for (const std::vector<double>& columns : input.matrix("e")) {
    double mean = 0;
    for (const double e : columns) mean += e / static_cast<double>(columns.size());
    means.push_back(mean);
  }
  return means;
}

Output window_e_detector_output(const Input& input) {
  const stats::WindowEDetector result =
      stats::window_e_detector(window_means(input), input.number("windows"));
  Output output;
  output.numbers("s", result.s).count("alarm_at", result.alarm_at);
  if (!result.alarm_at) output.note("no alarm: s never reached windows");
  return output;
}

}  // namespace

std::vector<Entry> alarm_entries() {
  return {
      {"e-detector",
       "Has the mean of a loss risen above m, with at least n events to a false alarm",
       {{list_field("x", 1, kUnit),
         {.key = "m", .range = kOpenUnit},
         optional_field({.key = "n", .range = {1, kNoLimit, true, false}}, 10000),
         optional_field({.key = "rule", .type = Type::kText, .options = {"sr", "cusum"}}, "sr"),
         optional_field({.key = "trace", .type = Type::kFlag}, false)}},
       e_detector_output},
      {"window-e-detector",
       "The same from one e-value a window, or one a column and window",
       {{{.key = "e", .type = Type::kListOrMatrix, .range = kNotNegative, .size_min = 1},
         optional_field({.key = "windows", .range = kPositive}, 1000)}},
       window_e_detector_output},
  };
}

}  // namespace slipway::calc
