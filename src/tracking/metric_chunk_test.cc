// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_chunk.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "base/error.h"
#include "base/id.h"

namespace slipway::tracking {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void expect_round_trip(std::vector<Point> points) {
  const std::vector<Point> back = decode_chunk(encode_chunk(points));
  ASSERT_EQ(back.size(), points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_EQ(back[i].time_ms, points[i].time_ms) << i;
    EXPECT_EQ(back[i].step, points[i].step) << i;
    if (std::isnan(points[i].value)) {
      EXPECT_TRUE(std::isnan(back[i].value)) << i;
    } else {
      EXPECT_EQ(back[i].value, points[i].value) << i;
    }
  }
}

std::string hex_of(std::string_view bytes) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

// The worked example of docs/formats/metric-chunk.md.
TEST(MetricChunk, BytesOfTheDocumentedExample) {
  const std::string bytes =
      encode_chunk(std::vector<Point>{{1000, 0, 0.5}, {2000, 1, 0.5}, {3000, 2, 0.25}});
  EXPECT_EQ(hex_of(bytes).substr(0, hex_of(bytes).size() - 8),
            "02"          // format
            "03"          // points
            "d00f0001"    // times: 1000; as before, and once more
            "0000020000"  // steps: 0, alone; change of 1; as before, alone
            "c447fda81c"  // values
  );
}

std::string bytes_of(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  return bytes;
}

// The same points as versions before schema 9 wrote them, and as they are written now.
TEST(MetricChunk, BothFormatsAreRead) {
  for (const char* hex :
       {"0103d00f00010000020000c447fda81cc306c2a0", "0203d00f00010000020000c447fda81c1b4b73c0"}) {
    const std::vector<Point> points = decode_chunk(bytes_of(hex));
    ASSERT_EQ(points.size(), 3U);
    EXPECT_TRUE(same_point(points[0], {1000, 0, 0.5}));
    EXPECT_TRUE(same_point(points[2], {3000, 2, 0.25}));
  }
  EXPECT_EQ(
      hex_of(encode_chunk(decode_chunk(bytes_of("0103d00f00010000020000c447fda81cc306c2a0")))),
      "0203d00f00010000020000c447fda81c1b4b73c0");
  EXPECT_THROW(decode_chunk(bytes_of("0303d00f00010000020000c447fda81c1b4b73c0")), Error);
}

TEST(MetricChunk, ExtremesComeBack) {
  expect_round_trip(
      {{0, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<double>::lowest()},
       {0, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<double>::max()},
       {5, -3, kNan},
       {5, -3, std::numeric_limits<double>::denorm_min()},
       {std::numeric_limits<std::int64_t>::max(), 0, -0.0}});
}

TEST(MetricChunk, RandomCurvesComeBack) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<Point> points;
    const auto count = 1 + random() % 700;
    std::int64_t time = 1'700'000'000'000;
    for (std::size_t i = 0; i < count; ++i) {
      time += static_cast<std::int64_t>(random() % 50);
      points.push_back(
          {time, static_cast<std::int64_t>(i / 2), static_cast<double>(random()) / 1e19});
      if (random() % 17 == 0) points.back().value = kNan;
    }
    expect_round_trip(points);
  }
}

TEST(MetricChunk, RegularCurveIsSmall) {
  std::vector<Point> points;
  for (int i = 0; i < 512; ++i) points.push_back({1'700'000'000'000 + 250 * i, i, 1.0 / (1 + i)});
  EXPECT_LT(encode_chunk(points).size(), 512 * 9);
  for (Point& point : points) point.value = 1;
  EXPECT_LT(encode_chunk(points).size(), 100U);
}

TEST(MetricChunk, DamageIsNoticed) {
  const std::string good = encode_chunk(std::vector<Point>{{1, 1, 1}, {2, 2, 2.5}});
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_THROW(decode_chunk(bad), Error) << i;
    EXPECT_THROW(decode_chunk(good.substr(0, i)), Error) << i;
  }
  try {
    decode_chunk("");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
    EXPECT_STREQ(error.what(), "metric chunk is damaged: it is too short");
  }
}

TEST(MetricChunk, OrderPutsNanLastAmongEqualTimes) {
  EXPECT_TRUE(history_less({1, 1, 0}, {1, 1, kNan}));
  EXPECT_TRUE(history_less({1, 1, kNan}, {1, 1, 0.5}));
  EXPECT_TRUE(same_point({1, 1, kNan}, {1, 1, -kNan}));
  EXPECT_FALSE(same_point({1, 1, 0}, {1, 1, kNan}));
  EXPECT_TRUE(step_less({9, 1, 0}, {1, 2, 0}));
  EXPECT_TRUE(history_less({1, 2, 0}, {9, 1, 0}));
}

TEST(MetricChunk, InfinitiesAreClamped) {
  EXPECT_EQ(clamp_metric_value(HUGE_VAL), 1.7976931348623157e308);
  EXPECT_EQ(clamp_metric_value(-HUGE_VAL), -1.7976931348623157e308);
  EXPECT_EQ(clamp_metric_value(3.5), 3.5);
  EXPECT_TRUE(std::isnan(clamp_metric_value(kNan)));
}

}  // namespace
}  // namespace slipway::tracking
