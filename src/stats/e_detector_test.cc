// SPDX-License-Identifier: Apache-2.0
#include "stats/e_detector.h"

#include <cmath>
#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::stats {
namespace {

TEST(EDetector, FirstEventByHand) {
  // M_i = 1 + lambda_i (x - m); the mean of 2^(-0.75 i) over i = 0 … 11 is (1 - 2^-9)/(12 (1 -
  // 2^-0.75)).
  const double mean_bet = 0.9 / .1 * (1 - std::exp2(-9.0)) / (12 * (1 - std::exp2(-0.75)));
  EDetector detector(.1);
  EXPECT_EQ(detector.value(), 0);
  EXPECT_NEAR(detector.update(1), 1 + mean_bet * .9, 1e-12);
  detector.reset();
  EXPECT_EQ(detector.value(), 0);
  EXPECT_NEAR(detector.update(0), 1 - mean_bet * .1, 1e-12);
}

TEST(EDetector, SavedStateGoesOnExactly) {
  EDetector detector(.2, EDetectorRule::kCusum);
  for (int i = 0; i < 50; ++i) detector.update(i % 3 == 0 ? 1 : .1);
  const std::string bytes = detector.state_bytes();
  EXPECT_EQ(bytes.size(), EDetector::kStateBytes);
  EDetector other(.2, EDetectorRule::kCusum, EDetector::state_from_bytes(bytes));
  EXPECT_EQ(other.value(), detector.value());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(other.update(.3), detector.update(.3));
}

TEST(EDetector, RefusesBytesThatAreNoState) {
  EXPECT_THROW(EDetector::state_from_bytes("short"), Error);
  std::string bytes = EDetector(.5).state_bytes();
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = '\xff';  // a NaN
  try {
    EDetector::state_from_bytes(bytes);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kDataLoss);
  }
}

TEST(EDetector, ComesBackFromBeyondItsRange) {
  for (const EDetectorRule rule : {EDetectorRule::kShiryaevRoberts, EDetectorRule::kCusum}) {
    EDetector detector(.05, rule);
    for (int i = 0; i < 2000; ++i) detector.update(1);
    EXPECT_TRUE(std::isinf(detector.value()));
    for (const double coded : detector.state()) EXPECT_TRUE(std::isfinite(coded));
    for (int i = 0; i < 200'000; ++i) detector.update(0);
    // Fed with 0 alone, M = (M + 1)(1 - lambda m) settles at (1 - lambda m)/(lambda m), M = max(M,
    // 1)(1 - lambda m) at 1 - lambda m.
    double settled = 0;
    for (int bet = 0; bet < 12; ++bet) {
      const double part = .9 * std::exp2(-.75 * bet);
      settled += (rule == EDetectorRule::kCusum ? 1 - part : (1 - part) / part) / 12;
    }
    EXPECT_NEAR(detector.value() / settled, 1, 1e-9);
  }
}

TEST(EDetector, RefusesWhatItsHeaderRefuses) {
  EXPECT_THROW(EDetector(0), Error);
  EXPECT_THROW(EDetector(1), Error);
  EDetector detector(.5);
  detector.update(1);
  const double before = detector.value();
  EXPECT_THROW(detector.update(1.5), Error);
  EXPECT_THROW(detector.update(std::nan("")), Error);
  EXPECT_EQ(detector.value(), before);
  EXPECT_THROW(e_detector({}, .5, 100, EDetectorRule::kCusum), Error);
}

TEST(EDetector, RunReportsTheFirstAlarmAndGoesOn) {
  std::vector<double> x(400, 1.0);
  const EDetectorRun run = e_detector(x, .1, 10'000, EDetectorRule::kShiryaevRoberts, true);
  ASSERT_TRUE(run.alarm_at);
  EXPECT_GE(run.path[static_cast<std::size_t>(*run.alarm_at) - 1], 10'000);
  EXPECT_LT(run.path[static_cast<std::size_t>(*run.alarm_at) - 2], 10'000);
  EXPECT_EQ(run.path.size(), 400U);
  EXPECT_GT(run.value, 1e200);
}

TEST(WindowEDetector, StepsAndRuns) {
  const double e[] = {2, 2, 2};
  const WindowEDetector result = window_e_detector(e, 10);
  EXPECT_EQ(result.s, (std::vector<double>{2, 6, 14}));
  EXPECT_EQ(result.alarm_at, 3);
  EXPECT_EQ(window_e_step(HUGE_VAL, 0), 0);
  EXPECT_THROW(window_e_detector({}, 10), Error);
}

}  // namespace
}  // namespace slipway::stats
