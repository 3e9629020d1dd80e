// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "access/request_rules.h"
#include "access/token.h"
#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

namespace slipway::access {
namespace {

TEST(PresentedToken, ReadsBearerAndThePasswordOfBasic) {
  EXPECT_EQ(presented_token("Bearer slp_1"), "slp_1");
  EXPECT_EQ(presented_token("bearer   slp_1 "), "slp_1");
  EXPECT_EQ(presented_token("Basic " + base64_encode("anybody:slp_1")), "slp_1");
  EXPECT_EQ(presented_token("Basic " + base64_encode(":a:b")), "a:b");
  for (const char* const wrong :
       {"", "Bearer", "Bearer ", "Basic !!!", "Digest x", "slp_1", "Bearerslp_1"}) {
    EXPECT_EQ(presented_token(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(presented_token("Basic " + base64_encode("no-colon")), std::nullopt);
  EXPECT_EQ(presented_token(std::nullopt), std::nullopt);
}

TEST(Token, IsMadeOnceAndKeptPrivate) {
  const auto folder = std::filesystem::temp_directory_path() / ("slipway-token-" + random_hex32());
  std::filesystem::create_directories(folder);
  const std::string token = load_or_create_token(folder);
  EXPECT_EQ(token.size(), 68U);
  EXPECT_TRUE(token.starts_with("slp_"));
  EXPECT_EQ(load_or_create_token(folder), token);
  struct stat facts {};
  ASSERT_EQ(::stat((folder / "token").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  std::filesystem::permissions(folder / "token", std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  EXPECT_THROW(load_or_create_token(folder), Error);
  std::filesystem::remove_all(folder);
}

TEST(Token, ComparesWholeTexts) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

struct HeaderCase {
  const char* host;
  const char* origin;  // null: absent
  bool changes_state;
  bool allowed;
};

TEST(RequestRules, KeepOtherSitesOut) {
  const RequestRules rules{
      .hosts_allowed = {"ml.example.org"}, .listen_host = "127.0.0.1", .listen_port = 5000};
  const HeaderCase cases[] = {
      {"127.0.0.1:5000", nullptr, true, true},
      {"localhost:5000", nullptr, true, true},
      {"LOCALHOST", nullptr, false, true},
      {"[::1]:5000", nullptr, false, true},
      {"[::1].evil.example.org", nullptr, false, false},
      {"[::1", nullptr, false, false},
      {"ml.example.org:443", nullptr, false, true},
      {"evil.example.org:5000", nullptr, false, false},
      {"127.0.0.1.evil.example.org", nullptr, false, false},
      {"localhost.evil.example.org", nullptr, false, false},
      {"localhost:5000", "http://localhost:5000", true, true},
      {"localhost:5000", "http://evil.example.org", true, false},
      {"localhost:5000", "null", true, false},
      {"localhost:5000", "http://evil.example.org", false, true},
  };
  for (const HeaderCase& row : cases) {
    const std::optional<std::string_view> origin =
        row.origin ? std::optional<std::string_view>(row.origin) : std::nullopt;
    EXPECT_EQ(!refuse_by_headers(rules, row.host, origin, row.changes_state).has_value(),
              row.allowed)
        << row.host << " " << (row.origin ? row.origin : "-");
  }
  EXPECT_EQ(refuse_by_headers(rules, "evil.example.org:5000", std::nullopt, false),
            "Invalid Host header 'evil.example.org:5000': start the server with --allow-host "
            "evil.example.org if this name is "
            "meant to reach it");
}

TEST(RequestRules, KnowWhatAFormCanSend) {
  EXPECT_TRUE(is_form_content_type("text/plain;charset=utf-8"));
  EXPECT_TRUE(is_form_content_type("multipart/form-data; boundary=x"));
  EXPECT_FALSE(is_form_content_type("application/json"));
  EXPECT_FALSE(is_form_content_type(std::nullopt));
}

}  // namespace
}  // namespace slipway::access
