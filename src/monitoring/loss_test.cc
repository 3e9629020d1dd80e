// SPDX-License-Identifier: Apache-2.0
#include "monitoring/loss.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace slipway::monitoring {
namespace {

TEST(LossTest, LogLossIsClippedAndScaled) {
  const LossSpec spec;
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.8, "", "1"), -std::log(0.8));
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.8, "", "0"), -std::log(1 - 0.8));
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.8, "", "1.0"), -std::log(0.8));
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.0, "", "1"), 3.0);
  EXPECT_DOUBLE_EQ(*loss_of(spec, 1e-9, "", "1"), 3.0);
  EXPECT_DOUBLE_EQ(*loss_of(spec, 1.0, "", "1"), 0.0);
  EXPECT_DOUBLE_EQ(loss_scale(spec), 3.0);
}

TEST(LossTest, ThePositiveClassMayBeAText) {
  LossSpec spec;
  spec.positive = "late";
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.25, "", "late"), -std::log(0.25));
  EXPECT_DOUBLE_EQ(*loss_of(spec, 0.25, "", "on time"), -std::log(0.75));
}

TEST(LossTest, WhatIsNoProbabilityHasNoLogLoss) {
  const LossSpec spec;
  EXPECT_FALSE(loss_of(spec, std::nan(""), "", "1"));
  EXPECT_FALSE(loss_of(spec, 1.0001, "", "1"));
  EXPECT_FALSE(loss_of(spec, -0.1, "", "0"));
}

TEST(LossTest, ZeroOneComparesClasses) {
  LossSpec spec;
  spec.kind = LossKind::kZeroOne;
  EXPECT_EQ(loss_of(spec, 0, "1", "1.0"), 0.0);
  EXPECT_EQ(loss_of(spec, 0, "late", "late"), 0.0);
  EXPECT_EQ(loss_of(spec, 0, "0", "1"), 1.0);
  EXPECT_FALSE(loss_of(spec, 0, "", "1"));
  EXPECT_DOUBLE_EQ(loss_scale(spec), 1.0);
}

TEST(LossTest, SquaredNeedsNumbersAndIsClipped) {
  LossSpec spec;
  spec.kind = LossKind::kSquared;
  spec.clip = 4;
  EXPECT_DOUBLE_EQ(*loss_of(spec, 2.5, "", "1"), 2.25);
  EXPECT_DOUBLE_EQ(*loss_of(spec, 10, "", "1"), 4.0);
  EXPECT_FALSE(loss_of(spec, 2.5, "", "late"));
  EXPECT_FALSE(loss_of(spec, std::numeric_limits<double>::infinity(), "", "1"));
  EXPECT_DOUBLE_EQ(loss_scale(spec), 4.0);
}

}  // namespace
}  // namespace slipway::monitoring
