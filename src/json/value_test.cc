// SPDX-License-Identifier: Apache-2.0
#include "json/value.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"

namespace slipway::json {
namespace {

std::string again(std::string_view text, const WriteRules& write_rules = {},
                  const ParseRules& rules = {}) {
  return write(parse(text, rules), write_rules);
}

TEST(Json, KeepsWhatItReads) {
  for (const char* const text :
       {"null", "true", "[]", "{}", "[1,-1,0]", "9223372036854775807", "-9223372036854775808",
        "18446744073709551615", "1.5", "1e+300", "\"a\\\"\\\\\\n\\u0001ü😀\"",
        "{\"b\":1,\"a\":[{\"c\":null}]}", "0.1", "-0.0", "100.0"}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(Json, DoublesAreShortestAndKeepTheirPoint) {
  EXPECT_EQ(write(Value(1.0)), "1.0");
  EXPECT_EQ(write(Value(0.1 + 0.2)), "0.30000000000000004");
  EXPECT_EQ(write(Value(1e22)), "1e+22");
  EXPECT_EQ(write(Value(std::nan(""))), "\"NaN\"");
  EXPECT_EQ(write(Value(-std::numeric_limits<double>::infinity()), {.bare_non_finite = true}),
            "-Infinity");
}

TEST(Json, PrettyAndPythonForms) {
  EXPECT_EQ(again("{\"a\":[1,2],\"b\":{}}", {.indent = 2}),
            "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}");
  EXPECT_EQ(again("{\"a\":[1,\"ü😀\"]}", {.python_separators = true}),
            "{\"a\": [1, \"\\u00fc\\ud83d\\ude00\"]}");
}

TEST(Json, BareNonFiniteOnlyWhereAsked) {
  EXPECT_THROW(parse("[NaN]"), Error);
  const Value value = parse("[NaN,Infinity,-Infinity,\"NaN\",-1]", {.bare_non_finite = true});
  EXPECT_TRUE(std::isnan(value.as_array()[0].as_double()));
  EXPECT_TRUE(std::isinf(value.as_array()[1].as_double()));
  EXPECT_LT(value.as_array()[2].as_double(), 0);
  EXPECT_EQ(value.as_array()[3].as_string(), "NaN");
  EXPECT_EQ(value.as_array()[4].as_int(), -1);
  EXPECT_THROW(parse("[NaNa]", {.bare_non_finite = true}), Error);
  // Once a text that began like the mark for these became an infinity, and NaN could be a key.
  EXPECT_EQ(parse("[\"\\u0001slipway-non-finite:x\", NaN]", {.bare_non_finite = true})
                .as_array()[0]
                .as_string(),
            "\x01slipway-non-finite:x");
  EXPECT_THROW(parse("{NaN: 1}", {.bare_non_finite = true}), Error);
  EXPECT_EQ(parse("{\"N\": \"a\\\"NaN\", \"I\": -Infinity}", {.bare_non_finite = true})
                .find("N")
                ->as_string(),
            "a\"NaN");
}

TEST(Json, NamesWhatIsWrong) {
  const auto message = [](std::string_view text) {
    try {
      parse(text);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message("{\"a\":1,\"a\":2}"),
            "not valid JSON: key \"a\" stands twice in one object at byte 13");
  EXPECT_EQ(message("\xff"), "not valid JSON: the text is not UTF-8");
  // A fuzzer's finding: what stood behind a NUL was not looked at.
  EXPECT_EQ(message(std::string_view("\"a\"\0 ]]", 7)), "not valid JSON: unexpected NUL at byte 3");
  EXPECT_TRUE(message("{\"a\":").starts_with("not valid JSON: unexpected"));
  EXPECT_TRUE(message("").starts_with("not valid JSON: unexpected"));
  EXPECT_TRUE(message("1 2").starts_with("not valid JSON: unexpected"));
  EXPECT_TRUE(message("[1e999]").starts_with("not valid JSON: unexpected"));
}

TEST(Json, DuplicateKeysLastWinsWhereAsked) {
  EXPECT_EQ(again("{\"a\":1,\"b\":2,\"a\":3}", {}, {.duplicate_keys_last = true}),
            "{\"a\":3,\"b\":2}");
}

TEST(Json, DepthHasALimit) {
  EXPECT_NO_THROW(parse(std::string(128, '[') + std::string(128, ']')));
  EXPECT_THROW(parse(std::string(129, '[') + std::string(129, ']')), Error);
  EXPECT_THROW(parse(std::string(1'000'000, '[')), Error);
}

TEST(Json, ObjectsFindSetAndErase) {
  Object object{{"a", 1}, {"b", "x"}};
  object.set("a", 2);
  object.set("c", nullptr);
  EXPECT_EQ(write(object), "{\"a\":2,\"b\":\"x\",\"c\":null}");
  EXPECT_TRUE(object.erase("b"));
  EXPECT_FALSE(object.erase("b"));
  EXPECT_EQ(Value(object).find("zz"), nullptr);
  EXPECT_EQ(Value(3).find("a"), nullptr);
}

TEST(Json, KindsHaveNames) {
  EXPECT_EQ(kind_name(parse("[]")), "a list");
  EXPECT_EQ(kind_name(parse("1")), "a number");
  EXPECT_EQ(Value(std::uint64_t{5}).kind(), Value::Kind::kInt);
}

// Once the time grew with the square of the members: 100,000 took more than a minute.
TEST(Parse, AnObjectOfManyMembersKeepsTheirOrderAndTheLastValue) {
  constexpr int kMembers = 200'000;
  std::string text = "{";
  for (int i = 0; i < kMembers; ++i)
    text += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const std::string twice = text + R"("k7":"again","k199999":"too"})";
  ParseRules last;
  last.duplicate_keys_last = true;
  const Value value = parse(twice, last);
  const Object& object = value.as_object();
  ASSERT_EQ(object.size(), static_cast<std::size_t>(kMembers));
  EXPECT_EQ(object.begin()->first, "k0");
  EXPECT_EQ((object.begin() + 7)->second.as_string(), "again");
  EXPECT_EQ((object.end() - 1)->second.as_string(), "too");
  EXPECT_EQ((object.begin() + 33)->second.as_int(), 33);
  try {
    (void)parse(twice);
    FAIL() << "a key that stands twice was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("key \"k7\" stands twice"), std::string::npos);
  }
}

}  // namespace
}  // namespace slipway::json
