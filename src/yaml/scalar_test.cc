// SPDX-License-Identifier: Apache-2.0
#include "yaml/scalar.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace slipway::yaml {
namespace {

struct Case {
  std::string text;
  PlainKind kind;
};

// Each row as ruamel.yaml 0.19.1 loads it with typ="safe".
TEST(Scalar, ResolvesAsDvcsReaderDoes) {
  const PlainKind n = PlainKind::kNull, b = PlainKind::kBool, i = PlainKind::kInt,
                  f = PlainKind::kFloat, d = PlainKind::kDate, s = PlainKind::kString;
  for (const Case& c : std::vector<Case>{{"", n},
                                         {"~", n},
                                         {"null", n},
                                         {"NULL", n},
                                         {"nUll", s},
                                         {"true", b},
                                         {"False", b},
                                         {"yes", s},
                                         {"on", s},
                                         {"y", s},
                                         {"tRue", s},
                                         {"1", i},
                                         {"+1", i},
                                         {"-1", i},
                                         {"010", i},
                                         {"0o17", i},
                                         {"0x1F", i},
                                         {"0b11", i},
                                         {"1_000", i},
                                         {"1:30", s},
                                         {"0o9", s},
                                         {"0xg", s},
                                         {"-", s},
                                         {"1.", f},
                                         {"1.5", f},
                                         {".5", f},
                                         {"1e5", f},
                                         {"1e-5", f},
                                         {"1.e5", f},
                                         {".5e5", s},
                                         {".5e+5", f},
                                         {"1e", s},
                                         {".inf", f},
                                         {"-.INF", f},
                                         {".nan", f},
                                         {"-.nan", s},
                                         {"inf", s},
                                         {"nan", s},
                                         {"1.2.3", s},
                                         {"2013-03-01", d},
                                         {"2013-3-1", s},
                                         {"2013-3-1 5:00:00", d},
                                         {"2013-03-01T05:00:00Z", d},
                                         {"2013-03-01 05:00:00 +01:00", d},
                                         {"2013-03-01T05:00", s},
                                         {"<<", PlainKind::kMerge},
                                         {"=", s},
                                         {".", s},
                                         {"1e400", f},
                                         {"1_0.5", f}}) {
    EXPECT_EQ(resolve_plain(c.text), c.kind) << c.text;
  }
}

TEST(Scalar, IntegersOfEveryBase) {
  EXPECT_EQ(canonical_int("010"), "10");
  EXPECT_EQ(canonical_int("0o17"), "15");
  EXPECT_EQ(canonical_int("0x1F"), "31");
  EXPECT_EQ(canonical_int("-0b11"), "-3");
  EXPECT_EQ(canonical_int("1_000"), "1000");
  EXPECT_EQ(canonical_int("-0"), "0");
  EXPECT_EQ(canonical_int("0xffffffffffffffffffff"), "1208925819614629174706175");
  EXPECT_EQ(canonical_int("123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(canonical_int("_"), "");
}

TEST(Scalar, FloatsAsPythonPrintsThem) {
  EXPECT_EQ(python_repr(float_of("1e-5")), "1e-05");
  EXPECT_EQ(python_repr(0.0001), "0.0001");
  EXPECT_EQ(python_repr(1e8), "100000000.0");
  EXPECT_EQ(python_repr(1e15), "1000000000000000.0");
  EXPECT_EQ(python_repr(1e16), "1e+16");
  EXPECT_EQ(python_repr(1e22), "1e+22");
  EXPECT_EQ(python_repr(1.5e300), "1.5e+300");
  EXPECT_EQ(python_repr(-0.0), "-0.0");
  EXPECT_EQ(python_repr(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(python_repr(123456789.125), "123456789.125");
  EXPECT_EQ(python_repr(std::numeric_limits<double>::denorm_min()), "5e-324");
  EXPECT_EQ(python_repr(float_of("-.inf")), "-.inf");
  EXPECT_EQ(python_repr(float_of("1e400")), ".inf");
  EXPECT_EQ(python_repr(float_of(".nan")), ".nan");
  EXPECT_EQ(float_of("1_0.5"), 10.5);
  EXPECT_EQ(float_of("-.5"), -0.5);
}

}  // namespace
}  // namespace slipway::yaml
