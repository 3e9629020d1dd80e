// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/database.h"

namespace slipway::access {

// Somebody who may sign in: with name and password, or with a token of theirs.
struct Account {
  std::int64_t id = 0;
  std::string username;
  bool is_admin = false;  // may do everything
  TimeUs created_at = 0;
};

inline constexpr std::size_t kUsernameBytesMax = 255;

struct NewAccount {
  std::string username;
  std::string password_hash;  // of hash_password(): hashing takes too long for the writer's thread
  bool is_admin = false;
};

// Throw in MLflow's words: kInvalidArgument for an empty or overlong name or one with a colon or a
// control character (which Basic authentication cannot carry), kAlreadyExists, kNotFound.
Account create_account(storage::Transaction& transaction, const Clock& clock,
                       const NewAccount& account);
Account get_account(storage::Session& session, std::string_view username);
std::optional<Account> find_account(storage::Session& session, std::string_view username);
std::optional<Account> find_account(storage::Session& session, std::int64_t id);
std::vector<Account> list_accounts(storage::Session& session);  // by id

void set_password_hash(storage::Transaction& transaction, std::string_view username,
                       std::string_view hash);
// Taking the rights of the last administrator throws kFailedPrecondition: nobody could give them
// back. So does deleting that account.
void set_admin(storage::Transaction& transaction, std::string_view username, bool is_admin);
// With its tokens, its own grants and its memberships.
void delete_account(storage::Transaction& transaction, std::string_view username);

// "" when there is no such account.
std::string password_hash_of(storage::Session& session, std::string_view username);

bool any_account(storage::Session& session);

}  // namespace slipway::access
