// SPDX-License-Identifier: Apache-2.0
#include "cli/noun.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::cli {
namespace {

TEST(Noun, AnIdMayBeItsFirstCharacters) {
  const std::vector<std::string> ids{"01ABC", "01ABD", "02XYZ", "02XYZ"};
  EXPECT_EQ(whole_id("rollout", "01abc", ids), "01ABC");
  EXPECT_EQ(whole_id("rollout", "02", ids), "02XYZ");  // one id that stands twice is one id
  EXPECT_EQ(whole_id("rollout", "03", ids), "03");  // whoever is asked for it says that it is not
  try {
    whole_id("rollout", "01", ids);
    FAIL() << "two begin so";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kInvalidArgument);
    EXPECT_STREQ(error.what(),
                 "more than one rollout begins with `01`: write more of it, as in `01ABC`");
  }
}

TEST(Noun, OnlyANearNameIsOffered) {
  EXPECT_EQ(did_you_mean("late-arival", {"early", "late-arrival"}),
            ", did you mean `late-arrival`?");
  EXPECT_EQ(did_you_mean("nope", {"early", "late-arrival"}), "");
}

TEST(Noun, APageIsFullWhenItHoldsWhatTheServerSendsAtMost) {
  EXPECT_TRUE(is_full(kRollouts, json::Array(1'000)));
  EXPECT_FALSE(is_full(kRollouts, json::Array(999)));
  EXPECT_FALSE(is_full(kEndpoints, json::Array(5'000)));  // the server sends all of them
}

TEST(Noun, APathHoldsNoDots) {
  EXPECT_EQ(api_path("/endpoints/{}/labels", {"späte Flüge/1"}),
            "/api/slipway/v1/endpoints/sp%C3%A4te%20Fl%C3%BCge%2F1/labels");
  EXPECT_EQ(api_path("/endpoints/{}", {"..."}), "/api/slipway/v1/endpoints/...");
  for (const char* const dots : {".", ".."})
    EXPECT_THROW(api_path("/endpoints/{}", {dots}), Error) << dots;
}

}  // namespace
}  // namespace slipway::cli
