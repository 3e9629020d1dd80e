// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/account.h"
#include "base/clock.h"
#include "storage/database.h"

namespace slipway::access {

// A secret that acts for an account, so that scripts hold no password: "slpa_" and 64 hex digits,
// 256 random bits. Kept as its SHA-256; its text is shown once.
struct ApiToken {
  std::int64_t id = 0;
  std::string account;  // the username
  std::string name;
  TimeUs created_at = 0;
  std::optional<TimeUs> expires_at;  // absent: never
};

inline constexpr std::size_t kTokensPerAccountMax = 100;
inline constexpr std::size_t kTokenNameBytesMax = 100;
inline constexpr std::string_view kApiTokenPrefix = "slpa_";

struct MintedToken {
  ApiToken token;
  std::string text;
};

// kNotFound: no such account; kAlreadyExists: it has a token of that name; kInvalidArgument: an
// empty or overlong name, or a time that is past; kResourceExhausted: kTokensPerAccountMax.
MintedToken mint_api_token(storage::Transaction& transaction, const Clock& clock,
                           std::string_view username, std::string_view name,
                           std::optional<TimeUs> expires_at);

std::vector<ApiToken> list_api_tokens(storage::Session& session,
                                      std::string_view username);  // "" = of all accounts
// kNotFound.
void revoke_api_token(storage::Transaction& transaction, std::string_view username,
                      std::string_view name);

struct TokenHolder {
  Account account;
  std::optional<TimeUs> expires_at;
};
// Whose token it is; nullopt for text that is none, or none any more.
std::optional<TokenHolder> find_token_holder(storage::Session& session, std::string_view text,
                                             TimeUs now);

}  // namespace slipway::access
