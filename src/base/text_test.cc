// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace slipway {
namespace {

TEST(AsciiLower, ChangesAToZAlone) {
  EXPECT_EQ(ascii_lower("Content-TYPE"), "content-type");
  EXPECT_EQ(ascii_lower("@AZ[`az{"), "@az[`az{");
  EXPECT_EQ(ascii_lower("\xC3\x84"), "\xC3\x84");  // Ä in UTF-8
  EXPECT_EQ(ascii_lower('Q'), 'q');
}

TEST(SameIgnoringCase, ComparesLengthAndLetters) {
  EXPECT_TRUE(same_ignoring_case("Host", "hOST"));
  EXPECT_TRUE(same_ignoring_case("", ""));
  EXPECT_FALSE(same_ignoring_case("host", "hosts"));
  EXPECT_FALSE(same_ignoring_case("hosts", "host"));
  EXPECT_FALSE(same_ignoring_case("a{", "a["));  // 32 apart, yet no letters
}

TEST(Trimmed, TakesBlanksFromBothEnds) {
  EXPECT_EQ(trimmed(" \t a b\r\n"), "a b");
  EXPECT_EQ(trimmed("ab"), "ab");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("\va"), "\va");  // a vertical tab is no blank here
}

TEST(Quoted, IsThePathInBackquotes) { EXPECT_EQ(quoted("a b/c"), "`a b/c`"); }

TEST(AppendUtf8, HasTheLengthOfThePoint) {
  const auto bytes = [](char32_t point) {
    std::string out;
    append_utf8(out, point);
    return out;
  };
  EXPECT_EQ(bytes(0x7F), "\x7F");
  EXPECT_EQ(bytes(0x80), "\xC2\x80");
  EXPECT_EQ(bytes(0x7FF), "\xDF\xBF");
  EXPECT_EQ(bytes(0x800), "\xE0\xA0\x80");
  EXPECT_EQ(bytes(0xFFFF), "\xEF\xBF\xBF");
  EXPECT_EQ(bytes(0x10000), "\xF0\x90\x80\x80");
  EXPECT_EQ(bytes(0x10FFFF), "\xF4\x8F\xBF\xBF");
}

}  // namespace
}  // namespace slipway
