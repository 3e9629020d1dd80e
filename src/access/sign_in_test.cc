// SPDX-License-Identifier: Apache-2.0
#include "access/sign_in.h"

#include <chrono>
#include <gtest/gtest.h>
#include <thread>

#include "access/api_token.h"
#include "access/password.h"
#include "access/testing.h"
#include "base/error.h"
#include "base/id.h"

namespace slipway::access {
namespace {

TEST(Credential, IsATokenOrNameAndPassword) {
  const auto basic = [](const std::string& pair) {
    return read_credential("Basic " + base64_encode(pair));
  };
  EXPECT_EQ(basic("ann:secret words")->username, "ann");
  EXPECT_EQ(basic("ann:secret words")->secret, "secret words");
  EXPECT_FALSE(basic("ann:secret words")->is_token);
  EXPECT_EQ(basic("ann:a:b")->secret, "a:b");
  EXPECT_TRUE(basic("ann:slpa_1")->is_token);
  EXPECT_TRUE(basic("whoever:slp_1")->is_token);
  EXPECT_TRUE(read_credential("bearer anything")->is_token);
  for (const char* const wrong : {"", "Basic", "Basic !!!", "Digest x", "Bearer "})
    EXPECT_EQ(read_credential(wrong), std::nullopt) << wrong;
  EXPECT_EQ(basic("ann:"), std::nullopt);
  EXPECT_EQ(basic("ann"), std::nullopt);
  EXPECT_EQ(read_credential(std::nullopt), std::nullopt);
}

class SignInTest : public testing::Test, public Fixture {
 protected:
  void change(const std::function<void(storage::Transaction&)>& work) {
    database.write([&](storage::Transaction& transaction) {
      work(transaction);
      sign_in.note_change(transaction);
    });
  }
  void make(const std::string& name, const std::string& password, bool admin = false) {
    change([&](storage::Transaction& transaction) {
      create_account(transaction, clock, {name, hash_password(password), admin});
    });
  }
  std::string who(const Credential& credential) {
    const auto found = sign_in.check(credential);
    return found ? found->account.username + (found->by_token ? " by token" : "") : "nobody";
  }

  SignIn sign_in{database, clock};
};

TEST_F(SignInTest, AStoreIsClosedByItsFirstAccount) {
  EXPECT_FALSE(sign_in.has_accounts());
  make("ann", "a-password-of-ann", true);
  EXPECT_TRUE(sign_in.has_accounts());
  SignIn another(database, clock);
  EXPECT_TRUE(another.has_accounts());
}

TEST_F(SignInTest, KnowsPasswordsAndTokens) {
  make("ann", "a-password-of-ann", true);
  make("bob", "a-password-of-bob");
  EXPECT_EQ(who({"ann", "a-password-of-ann"}), "ann");
  EXPECT_EQ(who({"ann", "a-password-of-bob"}), "nobody");
  EXPECT_EQ(who({"zed", "a-password-of-ann"}), "nobody");
  EXPECT_EQ(who({"", "a-password-of-ann"}), "nobody");
  std::string text;
  change([&](storage::Transaction& transaction) {
    text = mint_api_token(transaction, clock, "bob", "ci", clock.now() + 10'000'000).text;
  });
  EXPECT_TRUE(text.starts_with("slpa_"));
  EXPECT_EQ(text.size(), 69U);
  EXPECT_EQ(who({"", text, true}), "bob by token");
  EXPECT_EQ(who({"", "slpa_" + std::string(64, '0'), true}), "nobody");
  EXPECT_EQ(who({"bob", text}), "nobody");  // no password
  clock.advance(10'000'001);
  EXPECT_EQ(sign_in.remembered({"", text, true}), std::nullopt);  // not longer than it lives
  EXPECT_EQ(who({"", text, true}), "nobody");
}

TEST_F(SignInTest, RemembersForAMinuteAndForgetsAtOnceWhenSomethingChanges) {
  make("ann", "a-password-of-ann", true);
  const Credential right{"ann", "a-password-of-ann"};
  const Credential wrong{"ann", "a-password-of-bob"};
  EXPECT_EQ(sign_in.remembered(right), std::nullopt);
  sign_in.check(right);
  sign_in.check(wrong);
  ASSERT_TRUE(sign_in.remembered(right).has_value());
  EXPECT_EQ((*sign_in.remembered(right))->account.username, "ann");
  ASSERT_TRUE(sign_in.remembered(wrong).has_value());
  EXPECT_FALSE(sign_in.remembered(wrong)->has_value());
  clock.advance(SignIn::kRefusalRememberedUs);
  EXPECT_EQ(sign_in.remembered(wrong), std::nullopt);
  EXPECT_TRUE(sign_in.remembered(right).has_value());
  change([&](storage::Transaction& transaction) {
    set_password_hash(transaction, "ann", hash_password("another-password"));
  });
  EXPECT_EQ(sign_in.remembered(right), std::nullopt);
  EXPECT_EQ(who(right), "nobody");
  EXPECT_EQ(who({"ann", "another-password"}), "ann");
  clock.advance(SignIn::kRememberedUs);
  EXPECT_EQ(sign_in.remembered({"ann", "another-password"}), std::nullopt);
}

TEST_F(SignInTest, RemembersSoManyAndNoMore) {
  make("ann", "a-password-of-ann", true);
  SignIn small(database, clock, {.remembered_max = 2, .checks_max = 2});
  for (const char* token : {"slpa_1", "slpa_2", "slpa_3"}) small.check({"", token, true});
  EXPECT_EQ(small.remembered({"", "slpa_1", true}), std::nullopt);
  EXPECT_TRUE(small.remembered({"", "slpa_2", true}).has_value());
  EXPECT_TRUE(small.remembered({"", "slpa_3", true}).has_value());
}

TEST_F(SignInTest, TheShippedPasswordOpensNoAdministratorsAccount) {
  make("admin", "password1234", true);  // as an import of an old server might bring it
  make("bob", "password1234", false);
  EXPECT_EQ(who({"admin", "password1234"}), "nobody");
  EXPECT_EQ(who({"bob", "password1234"}), "bob");
}

// Not a statistic: a name that nobody has must cost a hash, not a look-up.
TEST_F(SignInTest, ANameThatNobodyHasTakesAsLongAsAWrongPassword) {
  make("ann", "a-password-of-ann", true);
  const auto time = [&](const Credential& credential) {
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(who(credential), "nobody");
    return std::chrono::steady_clock::now() - begin;
  };
  time({"ann", "warm-up"});
  const auto known = time({"ann", "a-wrong-password"});
  const auto unknown = time({"zed", "a-wrong-password"});
  EXPECT_GT(unknown, known / 4);
  EXPECT_GT(known, unknown / 4);
}

TEST_F(SignInTest, TooManyChecksAtOnceAreSentAway) {
  make("ann", "a-password-of-ann", true);
  SignIn narrow(database, clock, {.remembered_max = 100, .checks_max = 1});
  std::atomic<int> sent_away{0};
  std::atomic<int> refused{0};
  std::vector<std::jthread> threads;
  threads.reserve(12);
  for (int i = 0; i < 12; ++i) {
    threads.emplace_back([&, i] {
      try {
        if (!narrow.check({"ann", "wrong-" + std::to_string(i)})) ++refused;
      } catch (const Error& error) {
        if (error.code() == Code::kUnavailable) ++sent_away;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(sent_away + refused, 12);
  EXPECT_GE(refused, 1 + SignIn::kWaitingMax);
  EXPECT_GE(sent_away, 1);
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST_F(SignInTest, AccountsAndTokensHaveRules) {
  make("ann", "a-password-of-ann", true);
  const auto tried = [&](const std::function<void(storage::Transaction&)>& work) {
    return refusal([&] { change(work); });
  };
  EXPECT_EQ(tried([&](auto& t) {
              create_account(t, clock, {"", "-", false});
            }),
            "Username cannot be empty.");
  EXPECT_EQ(tried([&](auto& t) {
              create_account(t, clock, {"ann", "-", false});
            }),
            "User (username=ann) already exists.");
  EXPECT_NE(tried([&](auto& t) { create_account(t, clock, {"a:b", "-", false}); }), "");
  EXPECT_NE(tried([&](auto& t) {
              create_account(t, clock, {std::string(256, 'a'), "-", false});
            }),
            "");
  EXPECT_EQ(tried([&](auto& t) { set_admin(t, "ann", false); }),
            "User with username=ann is the only administrator; make another one first");
  EXPECT_EQ(tried([&](auto& t) { delete_account(t, "ann"); }),
            "User with username=ann is the only administrator; make another one first");
  EXPECT_EQ(tried([&](auto& t) { delete_account(t, "zed"); }), "User with username=zed not found");
  for (std::size_t i = 0; i < kTokensPerAccountMax; ++i) {
    change(
        [&](auto& t) { mint_api_token(t, clock, "ann", "t" + std::to_string(i), std::nullopt); });
  }
  EXPECT_EQ(tried([&](auto& t) { mint_api_token(t, clock, "ann", "t0", std::nullopt); }),
            "ann has a token `t0` already");
  EXPECT_EQ(tried([&](auto& t) { mint_api_token(t, clock, "ann", "more", std::nullopt); }),
            "ann has 100 tokens, which is the most; revoke one first");
  EXPECT_EQ(tried([&](auto& t) { mint_api_token(t, clock, "ann", "", std::nullopt); }),
            "a token needs a name of 1 to 100 bytes");
  EXPECT_EQ(tried([&](auto& t) { mint_api_token(t, clock, "ann", "past", clock.now()); }),
            "a token cannot end before it begins");
  EXPECT_EQ(tried([&](auto& t) { revoke_api_token(t, "ann", "nope"); }), "ann has no token `nope`");
}

}  // namespace
}  // namespace slipway::access
