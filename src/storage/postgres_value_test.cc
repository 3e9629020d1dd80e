// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_value.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"

namespace slipway::storage {
namespace {

using Kind = Value::Kind;

std::string encoded(const Value& value) {
  std::string out;
  encode(value, out);
  return out;
}

TEST(PostgresValue, NumbersGoOutAndComeBack) {
  for (const std::int64_t whole :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{258},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}) {
    const Value back = decode(kPostgresInt8, encoded(Value::of(whole)));
    EXPECT_EQ(back.kind, Kind::kInt);
    EXPECT_EQ(back.integer, whole);
  }
  for (const double real : {0.0, -0.0, 1.5, -1e308, 5e-324, HUGE_VAL}) {
    const Value back = decode(kPostgresFloat8, encoded(Value::of(real)));
    EXPECT_EQ(back.kind, Kind::kReal);
    EXPECT_EQ(back.real, real);
    EXPECT_EQ(std::signbit(back.real), std::signbit(real));
  }
  EXPECT_EQ(encoded(Value::of(std::int64_t{258})), std::string("\0\0\0\0\0\0\1\2", 8));
}

TEST(PostgresValue, NarrowerTypesAreRead) {
  EXPECT_EQ(decode(kPostgresInt4, std::string("\xff\xff\xff\xfe", 4)).integer, -2);
  EXPECT_EQ(decode(kPostgresInt2, std::string("\xff\xfe", 2)).integer, -2);
  EXPECT_EQ(decode(kPostgresBool, std::string("\1", 1)).integer, 1);
  EXPECT_EQ(decode(kPostgresBool, std::string("\0", 1)).integer, 0);
  EXPECT_EQ(decode(kPostgresFloat4, std::string("\x3f\xc0\0\0", 4)).real, 1.5);
}

// As `SELECT x::numeric` sends them.
TEST(PostgresValue, SumsAreIntegersWhereTheyAre) {
  const auto numeric = [](const char* bytes, std::size_t size) {
    return decode(kPostgresNumeric, std::string_view(bytes, size));
  };
  EXPECT_EQ(numeric("\0\0\0\0\0\0\0\0", 8).integer, 0);
  EXPECT_EQ(numeric("\0\2\0\1\0\0\0\0\0\1\x09\x29", 12).integer, 12'345);
  EXPECT_EQ(numeric("\0\1\0\1\0\0\0\0\0\7", 10).integer, 70'000);
  EXPECT_EQ(numeric("\0\1\0\0\x40\0\0\0\0\7", 10).integer, -7);
  const Value fraction = numeric("\0\2\0\0\0\0\0\1\0\1\x13\x88", 12);
  EXPECT_EQ(fraction.kind, Kind::kReal);
  EXPECT_DOUBLE_EQ(fraction.real, 1.5);
}

TEST(PostgresValue, ArraysHaveAHeadAndLengths) {
  std::string array;
  encode_array_head(Kind::kText, 2, array);
  encode_element(Value::text("ab"), array);
  encode_element(Value::missing(Kind::kText), array);
  EXPECT_EQ(array, std::string("\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\2\0\0\0\1"
                               "\0\0\0\2ab\xff\xff\xff\xff",
                               30));
}

TEST(PostgresValue, WhatCannotBeIsRefused) {
  const auto refusal = [](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(code_name(error.code())) + ": " + error.what();
    }
    return std::string();
  };
  EXPECT_EQ(refusal([] { encoded(Value::text(std::string_view("a\0b", 3))); }),
            "invalid_argument: a text with a NUL character cannot be stored");
  EXPECT_EQ(encoded(Value::blob(std::string_view("a\0b", 3))).size(), 3U);
  EXPECT_EQ(refusal([] { decode(kPostgresInt8, "1234567"); }),
            "data_loss: the database sent a value that is too short");
  EXPECT_EQ(refusal([] { decode(600, "x"); }),
            "internal: the database answered with a column of type 600");
}

}  // namespace
}  // namespace slipway::storage
