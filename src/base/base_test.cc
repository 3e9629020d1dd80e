// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <set>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/result.h"

namespace slipway {
namespace {

TEST(Time, IsWrittenInUtcWithSixDecimals) {
  EXPECT_EQ(format_time(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_time(1'372'604'400'123'456), "2013-06-30T15:00:00.123456Z");
  EXPECT_EQ(format_time(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, IsReadInTheFormsThatPeopleWrite) {
  EXPECT_EQ(parse_time("2013-03-01"), 1'362'096'000'000'000);
  EXPECT_EQ(parse_time("2013-03-01T05:15:00Z"), 1'362'114'900'000'000);
  EXPECT_EQ(parse_time("2013-03-01 05:15"), 1'362'114'900'000'000);
  EXPECT_EQ(parse_time("2013-03-01T05:15:00.25+01:00"), 1'362'111'300'250'000);
  EXPECT_EQ(parse_time("2013-03-01T05:15:00.1234567Z"), 1'362'114'900'123'456);
  for (const char* const wrong :
       {"", "yesterday", "2013-02-30", "2013-03-01T25:00", "2013-03-01T05:15:00Zx", "2013-3-1",
        "2013-03-01T05:15:00.", "2013-03-01T05:15:00+1:00", "1362114900"}) {
    EXPECT_EQ(parse_time(wrong), std::nullopt) << wrong;
  }
}

TEST(Time, SurvivesBeingWrittenAndRead) {
  for (const TimeUs time :
       {TimeUs{0}, TimeUs{1}, TimeUs{1'372'604'400'123'456}, TimeUs{253'402'300'799'999'999}}) {
    EXPECT_EQ(parse_time(format_time(time)), time);
  }
}

TEST(Duration, HasANumberAndAUnit) {
  EXPECT_EQ(parse_duration("10d"), 10 * kMicrosPerDay);
  EXPECT_EQ(parse_duration("1.5s"), 1'500'000);
  EXPECT_EQ(parse_duration("250ms"), 250'000);
  for (const char* const wrong :
       {"", "10", "d", "-1d", "1 d", "0s", "1y", "99999999999999d", "1.s"}) {
    EXPECT_EQ(parse_duration(wrong), std::nullopt) << wrong;
  }
}

TEST(Id, RunIdsAreHexAndDifferent) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = random_hex32();
    EXPECT_EQ(id.size(), 32U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Id, UlidsSortInCallOrderAlsoWhenTheClockStandsOrGoesBack) {
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_ulid(4'000'000'000'000'000 - i);
    EXPECT_EQ(id.size(), 26U);
    EXPECT_GT(id, last);
    last = id;
  }
}

TEST(Id, Sha256AndBase64AreTheStandardOnes) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  std::string out;
  ASSERT_TRUE(base64_decode("Zm9vYg==", out));
  EXPECT_EQ(out, "foob");
  for (const char* const wrong : {"Zg=", "Z===", "Zg==Zg==", "Z!==", "=Zg="})
    EXPECT_FALSE(base64_decode(wrong, out)) << wrong;
}

TEST(Id, TheStableHashNeverChanges) {
  // Rollout arms of the past depend on these.
  EXPECT_EQ(stable_hash64(0, ""), stable_hash64(0, ""));
  EXPECT_NE(stable_hash64(0, "a"), stable_hash64(1, "a"));
  int below_quarter = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (stable_hash64(42, "w-" + std::to_string(i)) < UINT64_MAX / 4) ++below_quarter;
  }
  EXPECT_NEAR(below_quarter, 5'000, 300);  // five standard deviations
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("slipway-file-" + random_hex32());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(FileTest, WritesWholeAndLeavesNothingBeside) {
  write_file_atomic(folder_ / "a", "one", true);
  write_file_atomic(folder_ / "a", std::string("tw\0o", 4));
  EXPECT_EQ(read_file(folder_ / "a"), std::string("tw\0o", 4));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FileTest, NamesWhatItCannotOpen) {
  try {
    read_file(folder_ / "none");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_EQ(std::string(error.what()),
              "cannot open `" + (folder_ / "none").string() + "`: No such file or directory");
  }
  EXPECT_EQ(read_file_if_exists(folder_ / "none"), std::nullopt);
  EXPECT_THROW(write_file_atomic(folder_ / "none" / "a", "x"), Error);
}

TEST_F(FileTest, StopsReadingAtTheLimit) {
  write_file_atomic(folder_ / "a", std::string(100, 'x'));
  EXPECT_EQ(read_file(folder_ / "a", 100).size(), 100U);
  try {
    read_file(folder_ / "a", 99);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_EQ(std::string(error.what()),
              "`" + (folder_ / "a").string() + "` is longer than 99 bytes");
  }
}

TEST(SafePath, RefusesEveryWayOut) {
  for (const char* const good : {"a", "a/b", "a/b.c", "…/ü", "a b", "..a", "a..", ".hidden/x"})
    EXPECT_TRUE(is_safe_relative_path(good)) << good;
  for (const char* const bad :
       {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\\b", "a\nb"}) {
    EXPECT_FALSE(is_safe_relative_path(bad)) << bad;
  }
  EXPECT_FALSE(is_safe_relative_path(std::string_view("a\0b", 3)));
  EXPECT_FALSE(is_safe_relative_path(std::string(256, 'a')));
  EXPECT_TRUE(is_safe_relative_path(std::string(255, 'a')));
  std::string longest;
  while (longest.size() < 3'999) longest += "a/";
  longest += "a";
  EXPECT_FALSE(is_safe_relative_path(longest + "aaa"));
}

TEST(Utf8, IsJudgedStrictly) {
  EXPECT_TRUE(is_utf8("plain ü € 😀"));
  for (const char* const bad :
       {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(is_utf8(bad));
}

TEST(ResultType, CarriesAValueOrAnError) {
  Result<int> good = 3;
  EXPECT_EQ(good.value(), 3);
  const Result<int> bad = Error(Code::kNotFound, "no such run");
  EXPECT_FALSE(bad.ok());
  EXPECT_THROW(bad.value(), Error);
}

}  // namespace
}  // namespace slipway
