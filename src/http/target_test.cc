// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ParseTarget, TakesPathAndQueryApart) {
  Target target;
  EXPECT_EQ(parse_target("/a%20b/c?x=1&y=a+b%26c&&flag&=v&x=2", target), "");
  EXPECT_EQ(target.raw_path, "/a%20b/c");
  EXPECT_EQ(target.path, "/a b/c");
  EXPECT_EQ(target.query, (Query{{"x", "1"}, {"y", "a b&c"}, {"flag", ""}, {"", "v"}, {"x", "2"}}));
}

TEST(ParseTarget, PathsAreNormalised) {
  const std::pair<const char*, const char*> table[] = {
      {"/", "/"},           {"//", "/"},
      {"//x", "/x"},        {"/a//b/", "/a/b/"},
      {"/a/", "/a/"},       {"/.a", "/.a"},
      {"/...", "/..."},     {"/%252e%252e", "/%2e%2e"},
      {"/a%2fb", "/a/b"},   {"http://host:1/p?q", "/p"},
      {"http://host", "/"}, {"/\xc3\xa4", "/\xc3\xa4"}};
  for (const auto& [raw, path] : table) {
    Target target;
    EXPECT_EQ(parse_target(raw, target), "") << raw;
    EXPECT_EQ(target.path, path) << raw;
  }
}

TEST(ParseTarget, RefusesWithAReason) {
  const std::pair<const char*, const char*> table[] = {
      {"", "a path that does not start with '/'"},
      {"*", "a path that does not start with '/'"},
      {"x/y", "a path that does not start with '/'"},
      {"http://host?x=1", "a path that does not start with '/'"},
      {"/a/../b", "a segment '..' in the path"},
      {"/a/%2e%2E/b", "a segment '..' in the path"},
      {"/.", "a segment '.' in the path"},
      {"/a%00", "a malformed % escape, a NUL or bytes that are not UTF-8 in the path"},
      {"/a%", "a malformed % escape, a NUL or bytes that are not UTF-8 in the path"},
      {"/a%zz", "a malformed % escape, a NUL or bytes that are not UTF-8 in the path"},
      {"/\xff", "a malformed % escape, a NUL or bytes that are not UTF-8 in the path"},
      {"/a?b=%f", "a malformed % escape, a NUL or bytes that are not UTF-8 in the query"},
      {"/a?%00=1", "a malformed % escape, a NUL or bytes that are not UTF-8 in the query"},
      {"/a#b", "a blank, a control byte or a '#' in the path"},
      {"/a\tb", "a blank, a control byte or a '#' in the path"}};
  for (const auto& [raw, reason] : table) {
    Target target;
    EXPECT_EQ(parse_target(raw, target), reason) << raw;
  }
}

TEST(ParseTarget, RefusesTooManyParameters) {
  std::string text = "/?a";
  for (std::size_t i = 1; i < kQueryParametersMax; ++i) text += "&a";
  Target target;
  EXPECT_EQ(parse_target(text, target), "");
  Target more;
  EXPECT_EQ(parse_target(text + "&a", more), "more than 10000 query parameters");
}

TEST(PathSegments, KeepAnEscapedSlashInside) {
  EXPECT_EQ(path_segments("/a%2Fb/c"), (std::vector<std::string>{"a/b", "c"}));
  EXPECT_EQ(path_segments("/"), (std::vector<std::string>{""}));
  EXPECT_EQ(path_segments("/a//b/"), (std::vector<std::string>{"a", "b", ""}));
  EXPECT_EQ(path_segments("/a%"), std::nullopt);
}

}  // namespace
}  // namespace slipway::http
