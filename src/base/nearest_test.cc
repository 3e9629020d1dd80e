// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(Nearest, IsTheWordThatWasMeant) {
  EXPECT_EQ(nearest("follow", {"name", "follows", "monitor"}), "follows");
  EXPECT_EQ(nearest("eror", {"error", "latency"}), "error");
  EXPECT_EQ(nearest("modell", {"model", "monitor"}), "model");
}

TEST(Nearest, CountsASwapOfNeighboursOnce) {
  EXPECT_EQ(nearest("nmae", {"gate", "name"}), "name");  // two changes would be too far for four
  EXPECT_EQ(nearest("stroy", {"status", "story"}), "story");
}

TEST(Nearest, IsNothingBeyondAThirdOfTheLength) {
  EXPECT_EQ(nearest("abcdef", {"abcdxy"}), "abcdxy");
  EXPECT_EQ(nearest("abcdef", {"abcxyz"}), "");
  EXPECT_EQ(nearest("abcde", {"abcxy"}), "");
}

TEST(Nearest, ForgivesOneErrorInAShortWord) {
  EXPECT_EQ(nearest("b", {"a"}), "a");
  EXPECT_EQ(nearest("bb", {"aa"}), "");
  EXPECT_EQ(nearest("", {"x"}), "x");
}

TEST(Nearest, OfEqualsTheFirst) {
  EXPECT_EQ(nearest("cat", {"bat", "car"}), "bat");
  EXPECT_EQ(nearest("cat", {}), "");
}

}  // namespace
}  // namespace slipway
