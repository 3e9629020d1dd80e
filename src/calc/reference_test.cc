// SPDX-License-Identifier: Apache-2.0
// Every statistic against the values that another tool computed (src/stats/testdata, made by
// make_references.py there).
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>

#include "base/file.h"
#include "calc/calc.h"

namespace slipway::calc {
namespace {

const std::filesystem::path kFolder = "src/stats/testdata";
constexpr std::size_t kCasesMin = 15;
constexpr double kRelative = 1e-9;
constexpr double kRelativeTiny = 1e-6;  // of p-values below 1e-15
constexpr double kTiny = 1e-15;
constexpr double kAbsolute = 1e-12;

bool numbers_agree(double actual, double expected) {
  const double difference = std::abs(actual - expected);
  const double size = std::abs(expected);
  if (size < kTiny) return difference <= kRelativeTiny * size || difference <= 1e-300;
  return difference <= std::max(kRelative * size, kAbsolute);
}

// Where `actual` differs from `expected`: a path and both values; empty when nowhere.
std::string difference(const std::string& path, const json::Value& actual,
                       const json::Value& expected) {
  const std::string both =
      path + ": " + json::write(actual) + " instead of " + json::write(expected);
  if (expected.is_array()) {
    if (!actual.is_array() || actual.as_array().size() != expected.as_array().size()) return both;
    for (std::size_t i = 0; i < expected.as_array().size(); ++i) {
      const std::string inner = difference(path + "[" + std::to_string(i) + "]",
                                           actual.as_array()[i], expected.as_array()[i]);
      if (!inner.empty()) return inner;
    }
    return {};
  }
  if (expected.is_number()) {
    return actual.is_number() && numbers_agree(actual.as_double(), expected.as_double()) ? ""
                                                                                         : both;
  }
  return actual == expected ? "" : both;
}

class ReferenceTest : public testing::TestWithParam<std::string> {};

TEST_P(ReferenceTest, AgreesWithOtherTools) {
  const json::Value file = json::parse(read_file(kFolder / (GetParam() + ".json")));
  const json::Array& cases = file.find("cases")->as_array();
  EXPECT_GE(cases.size(), kCasesMin);
  EXPECT_FALSE(file.find("tool")->as_string().empty());
  for (const json::Value& item : cases) {
    const json::Value& input = *item.find("input");
    SCOPED_TRACE(GetParam() + " of " + json::write(input).substr(0, 300));
    const json::Value output = run(GetParam(), input);
    bool has_null = false;
    for (const json::Member& member : output.as_object())
      has_null = has_null || member.second.is_null();
    EXPECT_TRUE(!has_null || output.find("note") != nullptr) << "a null without a note";
    for (const json::Member& member : item.find("output")->as_object()) {
      const json::Value* const actual = output.find(member.first);
      ASSERT_NE(actual, nullptr) << "no key " << member.first;
      EXPECT_EQ(difference(member.first, *actual, member.second), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Statistics, ReferenceTest, testing::ValuesIn(names()),
                         [](const auto& entry) {
                           std::string name = entry.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(ReferenceFiles, EveryOneBelongsToAName) {
  const std::vector<std::string> known = names();
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() != ".json") continue;
    EXPECT_TRUE(std::ranges::binary_search(known, file.path().stem().string())) << file.path();
  }
}

}  // namespace
}  // namespace slipway::calc
