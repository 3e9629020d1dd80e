// SPDX-License-Identifier: Apache-2.0
#include "tracing/pattern.h"

#include <chrono>
#include <gtest/gtest.h>
#include <string>

#include "base/error.h"

namespace slipway::tracing {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  return Pattern(pattern).found_in(text);
}

std::string refusal(std::string_view pattern) {
  try {
    const Pattern compiled(pattern);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Pattern, MatchesAsPythonsReDoes) {
  struct Case {
    const char* pattern;
    const char* text;
    bool found;
  };
  // Each row was asked of Python 3.11: bool(re.search(pattern, text)).
  const Case cases[] = {
      {"", "", true},
      {"abc", "xabcx", true},
      {"abc", "abd", false},
      {"^abc", "xabc", false},
      {"^abc$", "abc", true},
      {"abc$", "abc\n", true},
      {"abc$", "abcx", false},
      {"a.c", "abc", true},
      {"a.c", "a\nc", false},
      {"^a.c$", "a—c", true},
      {"a*b", "b", true},
      {"a+b", "b", false},
      {"^a?b$", "ab", true},
      {"^(ab)+$", "ababab", true},
      {"^(?:ab|cd)*$", "abcdab", true},
      {"^(?:ab|cd)*$", "abc", false},
      {"^a{3}$", "aaa", true},
      {"^a{3}$", "aa", false},
      {"^a{2,}$", "aaaa", true},
      {"^a{1,2}$", "aaa", false},
      {"^a{,2}$", "aa", true},
      {"a{x", "a{x", true},
      {"[abc]", "xbx", true},
      {"[^abc]", "abc", false},
      {"^[^a]$", "é", true},
      {"[a-c]+z", "abcz", true},
      {"[]x]", "]", true},
      {"[a\\]b]", "]", true},
      {"[\\d_]+$", "1_2", true},
      {"\\d{3}-\\d{4}", "call 555-1234", true},
      {"^\\w+$", "a_1", true},
      {"^\\w+$", "a b", false},
      {"\\s", "a b", true},
      {"^\\S+$", "ab", true},
      {"^\\D$", "é", true},
      {"a\\.b", "axb", false},
      {"a\\.b", "a.b", true},
      {"a|b|", "zzz", true},
      {"^(a|b)c", "bc", true},
      {"gpt-4.*", "my gpt-4o", true},
      {"a*?b", "aab", true},
      {"\\t", "a\tb", true},
      {"^$", "", true},
      {"x^", "x", false},
  };
  for (const Case& one : cases)
    EXPECT_EQ(found(one.pattern, one.text), one.found) << one.pattern << " in " << one.text;
}

TEST(Pattern, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal("(a"), "Invalid regular expression '(a': missing ), unterminated subpattern");
  EXPECT_EQ(refusal("a)"), "Invalid regular expression 'a)': unbalanced parenthesis");
  EXPECT_EQ(refusal("*a"), "Invalid regular expression '*a': nothing to repeat");
  EXPECT_EQ(refusal("[a"), "Invalid regular expression '[a': unterminated character set");
  EXPECT_EQ(refusal("[z-a]"), "Invalid regular expression '[z-a]': bad character range");
  EXPECT_EQ(refusal("\\q"), "Invalid regular expression '\\q': bad escape \\q");
  EXPECT_EQ(refusal("\\"), "Invalid regular expression '\\': bad escape (end of pattern)");
  EXPECT_EQ(refusal("(?=a)"),
            "Invalid regular expression '(?=a)': only groups of the form (?: ) are known");
  EXPECT_EQ(refusal("a{3,2}"),
            "Invalid regular expression 'a{3,2}': min repeat greater than max repeat");
  EXPECT_EQ(refusal("[é]"), "Invalid regular expression '[é]': a character set holds ASCII alone");
}

TEST(Pattern, HasLimits) {
  EXPECT_EQ(refusal(std::string(kPatternBytesMax, 'a')), "");
  EXPECT_NE(refusal(std::string(kPatternBytesMax + 1, 'a')).find("longer than 1000 bytes"),
            std::string::npos);
  EXPECT_NE(refusal("(((a{100}){100}){100})").find("too large"), std::string::npos);
  EXPECT_NE(refusal("a{1001}").find("repeats more than 1000 times"), std::string::npos);
  EXPECT_NE(refusal(std::string(100, '(') + std::string(100, ')')).find("nested too deeply"),
            std::string::npos);
}

TEST(Pattern, TakesNoLongerForPatternsMadeToHurt) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(found("^(a+)+$", std::string(20'000, 'a') + "b"));
  EXPECT_FALSE(found("(x?){30}x{30}y", std::string(5'000, 'x')));
  EXPECT_FALSE(found("(a*)*(b*)*c", std::string(10'000, 'a')));
  EXPECT_TRUE(found("x{0}{1000}{1000}{1000}{1000}", "a"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace slipway::tracing
