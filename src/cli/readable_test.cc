// SPDX-License-Identifier: Apache-2.0
#include "cli/readable.h"

#include <gtest/gtest.h>
#include <limits>

#include "base/clock.h"

namespace slipway::cli {
namespace {

TEST(Readable, OneLineKeepsNoControlCharacters) {
  EXPECT_EQ(one_line("a\nb\x1b[31mc\x7f"), "a b [31mc ");
  EXPECT_EQ(one_line("a\xc2\x9b"
                     "31mb"),
            "a 31mb");  // CSI as one character
  EXPECT_EQ(one_line("späte Flüge ✈"), "späte Flüge ✈");
  EXPECT_EQ(one_line("\xff\xc2"), "\xff\xc2");  // not UTF-8: left alone, not read past its end
}

TEST(Readable, NumbersHaveSixDigitsUnlessWholeOrExact) {
  EXPECT_EQ(readable(46.13276870801588), "46.1328");
  EXPECT_EQ(readable(46.13276870801588, true), "46.13276870801588");
  EXPECT_EQ(readable(266977.0), "266977");
  EXPECT_EQ(readable(34871234.0), "34871234");
  EXPECT_EQ(readable(3.4871e+20), "3.4871e+20");
  EXPECT_EQ(readable(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(readable(std::int64_t{-7}), "-7");
}

TEST(Readable, AnythingElseIsAWordAPersonKnows) {
  EXPECT_EQ(readable(nullptr), "-");
  EXPECT_EQ(readable(""), "-");
  EXPECT_EQ(readable(json::Array()), "-");
  EXPECT_EQ(readable(json::Object()), "-");
  EXPECT_EQ(readable(false), "no");
  EXPECT_EQ(readable("2013-03-01T05:00:00.250000Z"), "2013-03-01T05:00:00Z");
  EXPECT_EQ(readable("2013-03-01T05:00:00.250000Z", true), "2013-03-01T05:00:00.250000Z");
  EXPECT_EQ(readable("2013-03-01T05:00:99.250000Z"), "2013-03-01T05:00:99.250000Z");  // no time
  EXPECT_EQ(readable(json::parse(R"([{"alarm":"late"},{"every":"14d"}])")),
            "alarm late; every 14d");
}

TEST(Readable, ColumnsAreThoseOfATerminal) {
  EXPECT_EQ(columns_of("späte"), 5U);
  EXPECT_EQ(columns_of("spa\u0308te"), 5U);
  EXPECT_EQ(columns_of("航班"), 4U);
  EXPECT_EQ(columns_of("🛫"), 2U);
  EXPECT_EQ(cut("late-arrival", 12), "late-arrival");
  EXPECT_EQ(cut("late-arrivals", 12), "late-arri...");
  EXPECT_EQ(cut("航班航班", 7), "航班...");
  EXPECT_EQ(cut("航班航班", 6), "航...");
}

TEST(Readable, BytesAndDurations) {
  EXPECT_EQ(readable_bytes(999), "999 B");
  EXPECT_EQ(readable_bytes(11'394'248), "11.4 MB");
  EXPECT_EQ(readable_bytes(999'990'000), "1.0 GB");
  EXPECT_EQ(readable_duration(0), "0 ms");
  EXPECT_EQ(readable_duration(5'190'000), "5.1 s");
  EXPECT_EQ(readable_duration(250 * kMicrosPerSecond), "4 min 10 s");
  EXPECT_EQ(readable_duration(7'505 * kMicrosPerSecond), "2 h 5 min");
}

}  // namespace
}  // namespace slipway::cli
