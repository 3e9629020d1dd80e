// SPDX-License-Identifier: Apache-2.0
#include "base/percent.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(PercentDecode, DecodesOnce) {
  EXPECT_EQ(percent_decode("a%20b%2Fc", false), "a b/c");
  EXPECT_EQ(percent_decode("%252e", false), "%2e");
  EXPECT_EQ(percent_decode("%c3%A4", false), "\xc3\xa4");
  EXPECT_EQ(percent_decode("", false), "");
}

TEST(PercentDecode, PlusIsABlankOnlyInQueries) {
  EXPECT_EQ(percent_decode("a+b%2B", true), "a b+");
  EXPECT_EQ(percent_decode("a+b", false), "a+b");
}

TEST(PercentDecode, RefusesWhatIsNotText) {
  for (const char* text : {"%", "%2", "a%zz", "%0", "%00", "%-1", "% 1", "%ff", "%c3", "%c0%af",
                           "%ed%a0%80", "\xff"}) {
    EXPECT_EQ(percent_decode(text, false), std::nullopt) << text;
  }
  EXPECT_EQ(percent_decode(std::string_view("a\0b", 3), false), std::nullopt);
}

TEST(PercentEncode, KeepsUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a b/c?\xc3\xa4%"), "a%20b%2Fc%3F%C3%A4%25");
}

}  // namespace
}  // namespace slipway
