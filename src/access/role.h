// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/account.h"
#include "access/permission.h"
#include "storage/database.h"

namespace slipway::access {

// One permission on one thing, or with the pattern "*" on all things of a kind.
struct Grant {
  std::int64_t id = 0;
  std::int64_t role = 0;
  std::string kind;     // of resource_kinds()
  std::string pattern;  // an experiment's id, a model's name …; or "*"
  Permission permission = Permission::kNone;
};

// A set of grants. An account's own grants are a role too, "__user_ID__", which nobody else has.
struct Role {
  std::int64_t id = 0;
  std::string name;
  std::optional<std::string> description;
  std::vector<Grant> grants;  // by id
};

inline constexpr std::size_t kRoleNameBytesMax = 255;

// All below throw in MLflow's words: kNotFound, kAlreadyExists, kInvalidArgument.

Role create_role(storage::Transaction& transaction, std::string_view name,
                 const std::optional<std::string>& description);
Role get_role(storage::Session& session, std::int64_t id);
std::vector<Role> list_roles(storage::Session& session);  // by id
// What is absent stays.
Role update_role(storage::Transaction& transaction, std::int64_t id,
                 const std::optional<std::string>& name,
                 const std::optional<std::string>& description);
void delete_role(storage::Transaction& transaction, std::int64_t id);

Grant add_grant(storage::Transaction& transaction, const Grant& grant);  // its id is not read
Grant get_grant(storage::Session& session, std::int64_t id);
Grant set_grant(storage::Transaction& transaction, std::int64_t id, Permission permission);
void remove_grant(storage::Transaction& transaction, std::int64_t id);

struct Member {
  std::int64_t id = 0;  // of the membership
  std::int64_t account = 0;
  std::int64_t role = 0;
};
Member assign_role(storage::Transaction& transaction, std::int64_t account, std::int64_t role);
void unassign_role(storage::Transaction& transaction, std::int64_t account, std::int64_t role);
std::vector<Role> roles_of(storage::Session& session, std::int64_t account);   // by id
std::vector<Member> members_of(storage::Session& session, std::int64_t role);  // by id

// The grants of one account alone.
//   grant_own   kAlreadyExists where there is one on this thing
//   put_own     sets it in any case: what somebody makes is theirs
Grant grant_own(storage::Transaction& transaction, const Account& account, const Grant& grant);
void put_own(storage::Transaction& transaction, std::int64_t account, std::string_view kind,
             std::string_view pattern, Permission permission);
std::optional<Grant> find_own(storage::Session& session, std::int64_t account,
                              std::string_view kind, std::string_view pattern);
std::vector<Grant> list_own(storage::Session& session, std::int64_t account, std::string_view kind);

// A thing that is known by its name got another, or is gone: its grants go with it.
void rename_grants(storage::Transaction& transaction, std::string_view kind, std::string_view from,
                   std::string_view to);
void delete_grants(storage::Transaction& transaction, std::string_view kind,
                   std::string_view pattern);

// Checks of what a request names. kInvalidArgument.
Permission read_permission(std::string_view name);
// "workspace" stands beside resource_kinds(): MLflow's slot for everything.
void check_grant(std::string_view kind, std::string_view pattern, Permission permission);
inline constexpr std::string_view kEverything = "workspace";

}  // namespace slipway::access
