// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/wire_time.h"

#include <gtest/gtest.h>

namespace slipway::api::mlflow {
namespace {

TEST(WireTime, Timestamps) {
  EXPECT_EQ(timestamp_text(1'714'979'289'123), "2024-05-06T07:08:09.123Z");
  EXPECT_EQ(timestamp_text(1'714'979'289'000), "2024-05-06T07:08:09Z");
  EXPECT_EQ(timestamp_text(1'714'979'289'010), "2024-05-06T07:08:09.010Z");
  EXPECT_EQ(timestamp_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-500), "1969-12-31T23:59:59.500Z");
  EXPECT_EQ(timestamp_text(INT64_MAX / 2'000), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(parse_timestamp("2024-05-06T07:08:09.123Z"), 1'714'979'289'123);
  EXPECT_EQ(parse_timestamp("2024-05-06T09:08:09.5+02:00"), 1'714'979'289'500);
  EXPECT_EQ(parse_timestamp("2024-05-06T07:08:09.123999999Z"), 1'714'979'289'123);
  EXPECT_EQ(parse_timestamp("1969-12-31T23:59:59.5Z"), -500);
  for (const char* wrong :
       {"", "yesterday", "2024-05-06", "2024-05-06T07:08:09", "2024-05-06T07:08:09.Z",
        "2024-05-06T07:08:09.1234567890Z", "2024-13-06T07:08:09Z"})
    EXPECT_EQ(parse_timestamp(wrong), std::nullopt) << wrong;
}

TEST(WireTime, Durations) {
  EXPECT_EQ(duration_text(1'500), "1.500s");
  EXPECT_EQ(duration_text(2'000), "2s");
  EXPECT_EQ(duration_text(10), "0.010s");
  EXPECT_EQ(duration_text(0), "0s");
  EXPECT_EQ(duration_text(-1'500), "-1.500s");
  EXPECT_EQ(duration_text(-10), "-0.010s");
  EXPECT_EQ(parse_duration_text("1.5s"), 1'500);
  EXPECT_EQ(parse_duration_text("-1.5s"), -1'500);
  EXPECT_EQ(parse_duration_text("1.999999999s"), 1'999);
  EXPECT_EQ(parse_duration_text("123456789.999s"), 123'456'789'999);
  for (const char* wrong : {"", "s", "1", "1.s", "long", "1.5", "1,5s", "1.1234567890s", "--1s",
                            "1.-5s", "999999999999999s"})
    EXPECT_EQ(parse_duration_text(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace slipway::api::mlflow
