// SPDX-License-Identifier: Apache-2.0
#include "access/api_token.h"

#include "access/token.h"
#include "base/error.h"
#include "base/id.h"

namespace slipway::access {
namespace {

void check(storage::Session& session, const Clock& clock, const Account& account,
           std::string_view name, std::optional<TimeUs> expires_at) {
  if (name.empty() || name.size() > kTokenNameBytesMax) {
    throw Error(Code::kInvalidArgument,
                "a token needs a name of 1 to " + std::to_string(kTokenNameBytesMax) + " bytes");
  }
  if (expires_at && *expires_at <= clock.now())
    throw Error(Code::kInvalidArgument, "a token cannot end before it begins");
  auto row = session.query(
      "SELECT COUNT(*), COALESCE(SUM(CASE WHEN name = ?2 THEN 1 ELSE 0 END), 0) FROM api_token "
      "WHERE account = ?1",
      account.id, name);
  row.step();
  if (row.int64(1) > 0) {
    throw Error(Code::kAlreadyExists,
                account.username + " has a token `" + std::string(name) + "` already");
  }
  if (row.int64(0) >= static_cast<std::int64_t>(kTokensPerAccountMax)) {
    throw Error(Code::kResourceExhausted, account.username + " has " +
                                              std::to_string(kTokensPerAccountMax) +
                                              " tokens, which is the most; revoke one first");
  }
}

}  // namespace

MintedToken mint_api_token(storage::Transaction& transaction, const Clock& clock,
                           std::string_view username, std::string_view name,
                           std::optional<TimeUs> expires_at) {
  const Account account = get_account(transaction, username);
  check(transaction, clock, account, name, expires_at);
  MintedToken minted;
  minted.text = std::string(kApiTokenPrefix) + new_token().substr(4);
  minted.token = {0, account.username, std::string(name), clock.now(), expires_at};
  auto row = transaction.query(
      "INSERT INTO api_token (account, name, token_sha256, created_at, expires_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
      account.id, name, sha256_hex(minted.text), minted.token.created_at, expires_at);
  row.step();
  minted.token.id = row.int64(0);
  while (row.step()) {
  }
  return minted;
}

std::vector<ApiToken> list_api_tokens(storage::Session& session, std::string_view username) {
  if (!username.empty()) get_account(session, username);
  std::vector<ApiToken> tokens;
  auto row = session.query(
      "SELECT t.id, a.username, t.name, t.created_at, t.expires_at FROM api_token t "
      "JOIN account a ON a.id = t.account WHERE ?1 IN ('', a.username) ORDER BY t.id",
      username);
  while (row.step())
    tokens.push_back({row.int64(0), row.text(1), row.text(2), row.int64(3), row.maybe_int64(4)});
  return tokens;
}

void revoke_api_token(storage::Transaction& transaction, std::string_view username,
                      std::string_view name) {
  const Account account = get_account(transaction, username);
  if (transaction.execute("DELETE FROM api_token WHERE account = ?1 AND name = ?2", account.id,
                          name) == 0) {
    throw Error(Code::kNotFound, account.username + " has no token `" + std::string(name) + "`",
                "slipway token list " + account.username);
  }
}

std::optional<TokenHolder> find_token_holder(storage::Session& session, std::string_view text,
                                             TimeUs now) {
  if (!text.starts_with(kApiTokenPrefix)) return std::nullopt;
  // Found by its hash: what the index tells by its time is about a hash that nobody can choose.
  auto row = session.query(
      "SELECT a.id, a.username, a.is_admin, a.created_at, t.expires_at FROM api_token t "
      "JOIN account a ON a.id = t.account WHERE t.token_sha256 = ?1",
      sha256_hex(text));
  if (!row.step()) return std::nullopt;
  const auto expires_at = row.maybe_int64(4);
  if (expires_at && *expires_at <= now) return std::nullopt;
  return TokenHolder{{row.int64(0), row.text(1), row.int64(2) != 0, row.int64(3)}, expires_at};
}

}  // namespace slipway::access
