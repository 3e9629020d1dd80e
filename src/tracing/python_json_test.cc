// SPDX-License-Identifier: Apache-2.0
#include "tracing/python_json.h"

#include <gtest/gtest.h>
#include <limits>

namespace slipway::tracing {
namespace {

// Expectations are what Python 3.11's json.dumps and repr print.
TEST(PythonJson, PrintsNumbersAsPythonDoes) {
  const auto printed = [](double number) {
    std::string out;
    append_python_number(out, number);
    return out;
  };
  EXPECT_EQ(printed(1), "1.0");
  EXPECT_EQ(printed(0), "0.0");
  EXPECT_EQ(printed(-0.0), "-0.0");
  EXPECT_EQ(printed(0.1), "0.1");
  EXPECT_EQ(printed(0.0001), "0.0001");
  EXPECT_EQ(printed(0.00001), "1e-05");
  EXPECT_EQ(printed(1.5e-7), "1.5e-07");
  EXPECT_EQ(printed(100000), "100000.0");
  EXPECT_EQ(printed(1e15), "1000000000000000.0");
  EXPECT_EQ(printed(1e16), "1e+16");
  EXPECT_EQ(printed(1e300), "1e+300");
  EXPECT_EQ(printed(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(printed(-std::numeric_limits<double>::infinity()), "-Infinity");
}

TEST(PythonJson, PrintsOneLineWithBlanks) {
  const json::Value value = json::Object{{"a", json::Array{1, "é\"\n", nullptr, true}}, {"b", 2.5}};
  EXPECT_EQ(python_json(value), "{\"a\": [1, \"é\\\"\\n\", null, true], \"b\": 2.5}");
  EXPECT_EQ(python_json(value, Ascii::kYes),
            "{\"a\": [1, \"\\u00e9\\\"\\n\", null, true], \"b\": 2.5}");
  EXPECT_EQ(python_json(json::Object{}), "{}");
  EXPECT_EQ(python_json(json::Array{}), "[]");
}

TEST(PythonJson, PrintsBytes) {
  EXPECT_EQ(python_bytes(std::string_view("a\0\n\xff", 4)), "b'a\\x00\\n\\xff'");
  EXPECT_EQ(python_bytes("it's"), "b\"it's\"");
  EXPECT_EQ(python_bytes("'\"\\"), "b'\\'\"\\\\'");
}

TEST(PythonJson, KeepsTheFirstPlaceAndTheLastValue) {
  EXPECT_EQ(python_json(object_of({{"a", 1}, {"b", 2}, {"a", 3}})), "{\"a\": 3, \"b\": 2}");
}

TEST(PythonJson, ReadsWhatPythonReads) {
  EXPECT_EQ(read_json("{\"a\": 1, \"a\": 2}"), json::Value(json::Object{{"a", 2}}));
  EXPECT_TRUE(read_json("NaN").has_value());
  EXPECT_EQ(read_json("nonsense"), std::nullopt);
  EXPECT_EQ(read_json(""), std::nullopt);
  EXPECT_TRUE(read_json(std::string(100, '[') + std::string(100, ']')).has_value());
  EXPECT_EQ(read_json(std::string(101, '[') + std::string(101, ']')), std::nullopt);
}

}  // namespace
}  // namespace slipway::tracing
