// SPDX-License-Identifier: Apache-2.0
#include "monitoring/monitor.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "monitoring/spec_reader.h"

namespace slipway::monitoring {
namespace {

std::string fault(const std::string& spec) {
  try {
    parse_monitor_spec(json::parse(spec));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "";
}

TEST(MonitorSpecTest, HasDefaultsAndSurvivesItsOwnText) {
  const MonitorSpec spec = parse_monitor_spec(json::parse(R"({"endpoint": "late"})"));
  EXPECT_EQ(json::write(to_json(spec)),
            R"({"endpoint":"late","loss":"log_loss","clip":3.0,"positive":"1","block":"day",)"
            R"("budget":100.0,"horizon":"1d","min_rows":1,"blind_after":"14d"})");
  const std::string full =
      R"({"endpoint":"late","loss":"squared","clip":4.0,"output":"y","positive":"late",)"
      R"("block":"hour","bound":0.5,"budget":50.0,"horizon":"36h","min_rows":7,)"
      R"("blind_after":"3d","webhook":"ops"})";
  EXPECT_EQ(json::write(to_json(parse_monitor_spec(json::parse(full)))), full);
}

TEST(MonitorSpecTest, FaultsNameTheKey) {
  const std::pair<const char*, const char*> cases[] = {
      {R"([])", "Monitor spec: must be an object, not a list"},
      {R"({})", "Monitor spec: `endpoint` is missing"},
      {R"({"endpoint": 1})", "Monitor spec: `endpoint` must be a text, not a number"},
      {R"({"endpoint": "e", "bugdet": 1})",
       "Monitor spec: `bugdet` is not a key of it, did you mean `budget`?"},
      {R"({"endpoint": "e", "loss": "brier"})",
       "Monitor spec: `loss` must be one of log_loss, zero_one, squared, not brier"},
      {R"({"endpoint": "e", "block": "week"})",
       "Monitor spec: `block` must be one of none, hour, day, not week"},
      {R"({"endpoint": "e", "budget": 1})",
       "Monitor spec: `budget` must be a number between 2 and 1000000, not 1"},
      {R"({"endpoint": "e", "budget": "many"})",
       "Monitor spec: `budget` must be a number, not a text"},
      {R"({"endpoint": "e", "clip": 0})", "Monitor spec: `clip` must be above 0"},
      {R"({"endpoint": "e", "bound": 3.5})",
       "Monitor spec: `bound` must be above 0 and below the largest loss (`clip`; 1 for zero_one)"},
      {R"({"endpoint": "e", "loss": "zero_one", "bound": 1})",
       "Monitor spec: `bound` must be above 0 and below the largest loss (`clip`; 1 for zero_one)"},
      {R"({"endpoint": "e", "min_rows": 1.5})",
       "Monitor spec: `min_rows` must be a whole number between 1 and 1000000000"},
      {R"({"endpoint": "e", "horizon": "367d"})",
       "Monitor spec: `horizon` must be a duration between 0s and 366d, not 367d"},
      {R"({"endpoint": "e", "blind_after": "soon"})",
       "Monitor spec: `blind_after` must be a duration between 1s and 365d, not soon"}};
  for (const auto& [spec, message] : cases) EXPECT_EQ(fault(spec), message) << spec;
}

TEST(DurationTextTest, UsesTheLargestWholeUnit) {
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(14 * kMicrosPerDay), "14d");
  EXPECT_EQ(duration_text(36 * 3'600 * kMicrosPerSecond), "36h");
  EXPECT_EQ(duration_text(90 * kMicrosPerSecond), "90s");
  EXPECT_EQ(duration_text(1'500), "1500us");
}

}  // namespace
}  // namespace slipway::monitoring
