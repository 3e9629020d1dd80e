// SPDX-License-Identifier: Apache-2.0
#include "json/pull.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"

namespace slipway::json {
namespace {

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    return error.what();
  }
  return "accepted";
}

std::string skip_all(std::string_view text) {
  return refusal([&] {
    PullReader reader(text);
    reader.skip();
    reader.finish();
  });
}

TEST(PullReader, ReadsAnInferenceRequestFrontToBack) {
  PullReader reader(
      R"( {"id": "a\u00e9", "inputs": [{"shape": [2, 3], "data": [1, 2.5, NaN, -3e2, Infinity, -Infinity]}], "x": null, "y": true} )");
  reader.enter_object();
  std::string_view key;
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(key, "id");
  EXPECT_EQ(reader.text(), "a\xc3\xa9");
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(key, "inputs");
  reader.enter_array();
  ASSERT_TRUE(reader.next_element());
  reader.enter_object();
  ASSERT_TRUE(reader.next_field(key));
  reader.enter_array();
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.integer(), 2);
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.unsigned_integer(), 3U);
  EXPECT_FALSE(reader.next_element());
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(key, "data");
  reader.enter_array();
  std::vector<double> data;
  while (reader.next_element()) data.push_back(reader.number());
  ASSERT_EQ(data.size(), 6U);
  EXPECT_EQ(data[1], 2.5);
  EXPECT_TRUE(std::isnan(data[2]));
  EXPECT_EQ(data[3], -300.0);
  EXPECT_EQ(data[4], std::numeric_limits<double>::infinity());
  EXPECT_EQ(data[5], -std::numeric_limits<double>::infinity());
  EXPECT_FALSE(reader.next_field(key));
  EXPECT_FALSE(reader.next_element());
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(reader.kind(), PullKind::kNull);
  reader.null();
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_TRUE(reader.boolean());
  EXPECT_FALSE(reader.next_field(key));
  reader.finish();
}

TEST(PullReader, LeavesAloneIsSkipped) {
  PullReader reader(R"({"a": [1, {"b": [2]}], "n": NaN, "c": 7})");
  reader.enter_object();
  std::string_view key;
  ASSERT_TRUE(reader.next_field(key));
  ASSERT_TRUE(reader.next_field(key));
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(key, "c");
  EXPECT_EQ(reader.integer(), 7);
  EXPECT_FALSE(reader.next_field(key));
  reader.finish();
}

TEST(PullReader, IntegersAreExact) {
  PullReader reader(
      "[9223372036854775807, -9223372036854775808, 18446744073709551615, 9007199254740993]");
  reader.enter_array();
  ASSERT_TRUE(reader.next_element());
  EXPECT_TRUE(reader.is_integer());
  EXPECT_EQ(reader.integer(), INT64_MAX);
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.integer(), INT64_MIN);
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.unsigned_integer(), UINT64_MAX);
  ASSERT_TRUE(reader.next_element());
  EXPECT_EQ(reader.integer(), 9007199254740993);
  EXPECT_FALSE(reader.next_element());
}

TEST(PullReader, RefusesWhatIsNoWholeNumber) {
  for (const char* text : {"1.0", "1e3", "9223372036854775808", "NaN", "-Infinity"}) {
    EXPECT_EQ(refusal([&] { PullReader(text).integer(); }),
              "not valid JSON: not a whole number of 64 bits at byte 0")
        << text;
    EXPECT_EQ(PullReader(text).is_integer(), std::string_view(text) == "9223372036854775808")
        << text;
  }
  EXPECT_EQ(refusal([] { PullReader("-1").unsigned_integer(); }),
            "not valid JSON: not a whole number of 64 bits, zero or more at byte 0");
}

TEST(PullReader, RootMayBeAnyValue) {
  EXPECT_EQ(PullReader(" 2.5 ").number(), 2.5);
  EXPECT_EQ(PullReader("\"x\"").text(), "x");
  EXPECT_TRUE(std::isnan(PullReader("NaN").number()));
}

TEST(PullReader, RawIsTheBytesAsSent) {
  PullReader reader(R"({"a": {"b" : [1, 2 ] } , "c": 1.50 , "d":"q\n"})");
  reader.enter_object();
  std::string_view key;
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(reader.raw(), R"({"b" : [1, 2 ] })");
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(reader.raw(), "1.50");
  ASSERT_TRUE(reader.next_field(key));
  EXPECT_EQ(reader.raw(), R"("q\n")");
  EXPECT_FALSE(reader.next_field(key));
  reader.finish();
}

TEST(PullReader, KeysAndTextsLiveAsLongAsTheReader) {
  PullReader reader(R"({"fi\u0072st": "one", "second": "two"})");
  reader.enter_object();
  std::string_view first;
  std::string_view second;
  ASSERT_TRUE(reader.next_field(first));
  const std::string_view one = reader.text();
  ASSERT_TRUE(reader.next_field(second));
  const std::string_view two = reader.text();
  EXPECT_EQ(first, "first");
  EXPECT_EQ(one, "one");
  EXPECT_EQ(second, "second");
  EXPECT_EQ(two, "two");
}

TEST(PullReader, NamesWhatWasExpected) {
  EXPECT_EQ(refusal([] { PullReader("\"a\"").number(); }),
            "expected a number at byte 0, found a text");
  EXPECT_EQ(refusal([] { PullReader(" [1]").enter_object(); }),
            "expected an object at byte 1, found a list");
  EXPECT_EQ(refusal([] { PullReader("1").text(); }), "expected a text at byte 0, found a number");
  EXPECT_EQ(refusal([] { PullReader("null").boolean(); }),
            "expected true or false at byte 0, found null");
}

TEST(PullReader, DepthHasALimit) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(skip_all(nested(kPullDepthDefault)), "accepted");
  EXPECT_EQ(skip_all(nested(kPullDepthDefault + 1)),
            "not valid JSON: nested deeper than 64 levels at byte 64");
  PullReader deep(nested(kPullDepthMax), kPullDepthMax);
  deep.skip();
  deep.finish();
  EXPECT_EQ(skip_all(std::string(100'000, '[')).substr(0, 15), "not valid JSON:");
}

TEST(PullReader, WhatIsNotJsonIsRefusedEvenWhereSkipped) {
  for (const char* text :
       {"",          "  ",      "{",        "[",          "[1",        "[1,",     "[1,]",
        "[1 2]",     "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\" 1}", "{a:1}",   "[1}",
        "{\"a\":1]", "nul",     "truee",    "nan",        "NaNs",      "Infinit", "-Inf",
        "+1",        "01",      "1.",       ".5",         "1e",        "--1",     "'a'",
        "\"a",       "\"\\x\"", "1 2",      "{} {}",      "[],[]",     "1]",      "1],[2",
        "\"\x01\"",  "]",       "}",        ",",          "[\"a\":1]", "1e999"}) {
    EXPECT_EQ(skip_all(text).substr(0, 15), "not valid JSON:") << text;
  }
  EXPECT_EQ(skip_all("\"\xff\""), "not valid JSON: the text is not UTF-8");
}

TEST(PullReader, EveryPrefixOfARequestIsRefused) {
  const std::string whole =
      R"({"id":"x","inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[[1.5,NaN]]}],"p":{"q":null,"r":false}})";
  EXPECT_EQ(skip_all(whole), "accepted");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(skip_all(whole.substr(0, size)).substr(0, 15), "not valid JSON:") << size;
  }
}

TEST(PullReader, AFaultLeavesTheNextReaderWhole) {
  EXPECT_NE(skip_all("[1, {\"a\": tru}]"), "accepted");
  EXPECT_EQ(skip_all("[1, {\"a\": true}]"), "accepted");
  std::string large = "[";
  for (int i = 0; i < 300'000; ++i) large += "12345,";
  large += "1]";
  EXPECT_EQ(skip_all(large), "accepted");
}

TEST(PullReader, TwoReadersAtOnceDoNotShare) {
  PullReader outer("[\"one\", \"two\"]");
  outer.enter_array();
  ASSERT_TRUE(outer.next_element());
  const std::string_view one = outer.text();
  PullReader inner("\"three\"");
  EXPECT_EQ(inner.text(), "three");
  EXPECT_EQ(one, "one");
  ASSERT_TRUE(outer.next_element());
  EXPECT_EQ(outer.text(), "two");
}

}  // namespace
}  // namespace slipway::json
