// SPDX-License-Identifier: Apache-2.0
#include "access/account.h"

#include <algorithm>

#include "base/error.h"

namespace slipway::access {
namespace {

constexpr const char* kColumns = "SELECT id, username, is_admin, created_at FROM account ";

Account read(const storage::Statement& row) {
  return {row.int64(0), row.text(1), row.int64(2) != 0, row.int64(3)};
}

void check_username(std::string_view name) {
  if (name.empty()) throw Error(Code::kInvalidArgument, "Username cannot be empty.");
  if (name.size() > kUsernameBytesMax) {
    throw Error(Code::kInvalidArgument,
                "Username cannot be longer than " + std::to_string(kUsernameBytesMax) + " bytes.");
  }
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) {
    return c == ':' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (odd) {
    throw Error(Code::kInvalidArgument,
                "Username cannot hold a colon or control characters, which basic authentication "
                "has no way to send.");
  }
}

void keep_one_admin(storage::Session& session, const Account& leaving) {
  if (!leaving.is_admin) return;
  auto row = session.query("SELECT COUNT(*) FROM account WHERE is_admin = 1");
  row.step();
  if (row.int64(0) > 1) return;
  throw Error(Code::kFailedPrecondition, "User with username=" + leaving.username +
                                             " is the only administrator; make another one first");
}

}  // namespace

Account create_account(storage::Transaction& transaction, const Clock& clock,
                       const NewAccount& account) {
  check_username(account.username);
  if (find_account(transaction, account.username)) {
    throw Error(Code::kAlreadyExists, "User (username=" + account.username + ") already exists.");
  }
  auto row = transaction.query(
      "INSERT INTO account (username, password_hash, is_admin, created_at) VALUES (?1, ?2, ?3, ?4) "
      "RETURNING id, username, is_admin, created_at",
      account.username, account.password_hash, account.is_admin, clock.now());
  row.step();
  Account made = read(row);
  while (row.step()) {
  }
  return made;
}

std::optional<Account> find_account(storage::Session& session, std::string_view username) {
  auto row = session.query(std::string(kColumns) + "WHERE username = ?1", username);
  if (!row.step()) return std::nullopt;
  return read(row);
}

std::optional<Account> find_account(storage::Session& session, std::int64_t id) {
  auto row = session.query(std::string(kColumns) + "WHERE id = ?1", id);
  if (!row.step()) return std::nullopt;
  return read(row);
}

Account get_account(storage::Session& session, std::string_view username) {
  auto account = find_account(session, username);
  if (!account) {
    throw Error(Code::kNotFound, "User with username=" + std::string(username) + " not found");
  }
  return *account;
}

std::vector<Account> list_accounts(storage::Session& session) {
  std::vector<Account> accounts;
  auto row = session.query(std::string(kColumns) + "ORDER BY id");
  while (row.step()) accounts.push_back(read(row));
  return accounts;
}

void set_password_hash(storage::Transaction& transaction, std::string_view username,
                       std::string_view hash) {
  get_account(transaction, username);
  transaction.execute("UPDATE account SET password_hash = ?2 WHERE username = ?1", username, hash);
}

void set_admin(storage::Transaction& transaction, std::string_view username, bool is_admin) {
  const Account account = get_account(transaction, username);
  if (!is_admin) keep_one_admin(transaction, account);
  transaction.execute("UPDATE account SET is_admin = ?2 WHERE id = ?1", account.id, is_admin);
}

void delete_account(storage::Transaction& transaction, std::string_view username) {
  const Account account = get_account(transaction, username);
  keep_one_admin(transaction, account);
  transaction.execute("DELETE FROM api_token WHERE account = ?1", account.id);
  transaction.execute(
      "DELETE FROM role_grant WHERE role IN (SELECT id FROM role WHERE account = ?1)", account.id);
  transaction.execute("DELETE FROM role_member WHERE account = ?1", account.id);
  transaction.execute("DELETE FROM role WHERE account = ?1", account.id);
  transaction.execute("DELETE FROM account WHERE id = ?1", account.id);
}

std::string password_hash_of(storage::Session& session, std::string_view username) {
  auto row = session.query("SELECT password_hash FROM account WHERE username = ?1", username);
  return row.step() ? row.text(0) : "";
}

bool any_account(storage::Session& session) {
  auto row = session.query("SELECT 1 FROM account LIMIT 1");
  return row.step();
}

}  // namespace slipway::access
