// SPDX-License-Identifier: Apache-2.0
#include "access/role.h"

#include "base/error.h"

namespace slipway::access {
namespace {

constexpr std::string_view kOwnPrefix = "__user_";
constexpr const char* kGrantColumns =
    "SELECT id, role, resource_type, resource_pattern, permission FROM role_grant ";

Grant read_grant(const storage::Statement& row) {
  return {row.int64(0), row.int64(1), row.text(2), row.text(3),
          static_cast<Permission>(row.int64(4))};
}

std::vector<Grant> grants_of(storage::Session& session, std::int64_t role) {
  std::vector<Grant> grants;
  auto row = session.query(std::string(kGrantColumns) + "WHERE role = ?1 ORDER BY id", role);
  while (row.step()) grants.push_back(read_grant(row));
  return grants;
}

Role read_role(const storage::Statement& row) {
  return {row.int64(0), row.text(1), row.maybe_text(2), {}};
}

std::vector<Role> with_grants(storage::Session& session, std::vector<Role> roles) {
  for (Role& role : roles) role.grants = grants_of(session, role.id);
  return roles;
}

void check_role_name(std::string_view name) {
  if (name.find_first_not_of(" \t\r\n") == std::string_view::npos)
    throw Error(Code::kInvalidArgument, "Role name cannot be empty.");
  if (name.size() > kRoleNameBytesMax) {
    throw Error(Code::kInvalidArgument,
                "Role name cannot be longer than " + std::to_string(kRoleNameBytesMax) + " bytes.");
  }
  if (name.starts_with(kOwnPrefix)) {
    throw Error(Code::kInvalidArgument,
                "Role name '" + std::string(name) +
                    "' uses the reserved '__user_' prefix, which is held for the per-user "
                    "permission representation. Choose a different name.");
  }
}

bool role_name_taken(storage::Session& session, std::string_view name) {
  auto row = session.query("SELECT 1 FROM role WHERE name = ?1", name);
  return row.step();
}

// Made at the first grant.
std::int64_t own_role(storage::Transaction& transaction, std::int64_t account) {
  {
    auto row = transaction.query("SELECT id FROM role WHERE account = ?1", account);
    if (row.step()) return row.int64(0);
  }
  std::int64_t role = 0;
  {
    auto row = transaction.query("INSERT INTO role (name, account) VALUES (?1, ?2) RETURNING id",
                                 std::string(kOwnPrefix) + std::to_string(account) + "__", account);
    row.step();
    role = row.int64(0);
    while (row.step()) {
    }
  }
  transaction.execute("INSERT INTO role_member (account, role) VALUES (?1, ?2)", account, role);
  return role;
}

std::int64_t insert_grant(storage::Transaction& transaction, const Grant& grant) {
  auto row = transaction.query(
      "INSERT INTO role_grant (role, resource_type, resource_pattern, permission) "
      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (role, resource_type, resource_pattern) DO NOTHING "
      "RETURNING id",
      grant.role, grant.kind, grant.pattern, static_cast<std::int64_t>(grant.permission));
  const std::int64_t id = row.step() ? row.int64(0) : 0;
  while (row.step()) {
  }
  return id;
}

std::string tuple_of(const std::vector<std::string>& names) {
  std::string text = "(";
  for (const std::string& name : names) text += (text.size() > 1 ? ", '" : "'") + name + "'";
  return text + ")";
}

}  // namespace

Role create_role(storage::Transaction& transaction, std::string_view name,
                 const std::optional<std::string>& description) {
  check_role_name(name);
  if (role_name_taken(transaction, name)) {
    throw Error(Code::kAlreadyExists,
                "Role (name=" + std::string(name) + ", workspace=default) already exists.");
  }
  auto row = transaction.query(
      "INSERT INTO role (name, description) VALUES (?1, ?2) RETURNING id, name, description", name,
      description);
  row.step();
  Role role = read_role(row);
  while (row.step()) {
  }
  return role;
}

Role get_role(storage::Session& session, std::int64_t id) {
  Role role;
  {
    auto row = session.query("SELECT id, name, description FROM role WHERE id = ?1", id);
    if (!row.step())
      throw Error(Code::kNotFound, "Role with id=" + std::to_string(id) + " not found");
    role = read_role(row);
  }
  role.grants = grants_of(session, id);
  return role;
}

std::vector<Role> list_roles(storage::Session& session) {
  std::vector<Role> roles;
  {
    auto row = session.query("SELECT id, name, description FROM role ORDER BY id");
    while (row.step()) roles.push_back(read_role(row));
  }
  return with_grants(session, std::move(roles));
}

Role update_role(storage::Transaction& transaction, std::int64_t id,
                 const std::optional<std::string>& name,
                 const std::optional<std::string>& description) {
  const Role role = get_role(transaction, id);
  if (role.name.starts_with(kOwnPrefix)) check_role_name(role.name);  // an account's own stays
  if (name && *name != role.name) {
    check_role_name(*name);
    if (role_name_taken(transaction, *name)) {
      throw Error(Code::kAlreadyExists,
                  "Role with name=" + *name + " already exists in workspace=default");
    }
    transaction.execute("UPDATE role SET name = ?2 WHERE id = ?1", id, *name);
  }
  if (description)
    transaction.execute("UPDATE role SET description = ?2 WHERE id = ?1", id, *description);
  return get_role(transaction, id);
}

void delete_role(storage::Transaction& transaction, std::int64_t id) {
  get_role(transaction, id);
  transaction.execute("DELETE FROM role_grant WHERE role = ?1", id);
  transaction.execute("DELETE FROM role_member WHERE role = ?1", id);
  transaction.execute("DELETE FROM role WHERE id = ?1", id);
}

Grant add_grant(storage::Transaction& transaction, const Grant& grant) {
  check_grant(grant.kind, grant.pattern, grant.permission);
  get_role(transaction, grant.role);
  Grant made = grant;
  made.id = insert_grant(transaction, grant);
  if (made.id == 0) {
    throw Error(Code::kAlreadyExists, "Role permission (role_id=" + std::to_string(grant.role) +
                                          ", resource_type=" + grant.kind + ", resource_pattern=" +
                                          grant.pattern + ") already exists.");
  }
  return made;
}

Grant get_grant(storage::Session& session, std::int64_t id) {
  auto row = session.query(std::string(kGrantColumns) + "WHERE id = ?1", id);
  if (!row.step())
    throw Error(Code::kNotFound, "Role permission with id=" + std::to_string(id) + " not found");
  return read_grant(row);
}

Grant set_grant(storage::Transaction& transaction, std::int64_t id, Permission permission) {
  Grant grant = get_grant(transaction, id);
  check_grant(grant.kind, grant.pattern, permission);
  grant.permission = permission;
  transaction.execute("UPDATE role_grant SET permission = ?2 WHERE id = ?1", id,
                      static_cast<std::int64_t>(permission));
  return grant;
}

void remove_grant(storage::Transaction& transaction, std::int64_t id) {
  get_grant(transaction, id);
  transaction.execute("DELETE FROM role_grant WHERE id = ?1", id);
}

Member assign_role(storage::Transaction& transaction, std::int64_t account, std::int64_t role) {
  const Role wanted = get_role(transaction, role);
  // Another account's own grants are no role to give away.
  if (wanted.name.starts_with(kOwnPrefix)) check_role_name(wanted.name);
  auto row = transaction.query(
      "INSERT INTO role_member (account, role) VALUES (?1, ?2) "
      "ON CONFLICT (account, role) DO NOTHING RETURNING id",
      account, role);
  const std::int64_t id = row.step() ? row.int64(0) : 0;
  while (row.step()) {
  }
  if (id == 0) {
    throw Error(Code::kAlreadyExists, "User role assignment (user_id=" + std::to_string(account) +
                                          ", role_id=" + std::to_string(role) + ") already exists");
  }
  return {id, account, role};
}

void unassign_role(storage::Transaction& transaction, std::int64_t account, std::int64_t role) {
  if (transaction.execute("DELETE FROM role_member WHERE account = ?1 AND role = ?2", account,
                          role) == 0) {
    throw Error(Code::kNotFound, "User role assignment (user_id=" + std::to_string(account) +
                                     ", role_id=" + std::to_string(role) + ") not found");
  }
}

std::vector<Role> roles_of(storage::Session& session, std::int64_t account) {
  std::vector<Role> roles;
  {
    auto row = session.query(
        "SELECT r.id, r.name, r.description FROM role r JOIN role_member m ON m.role = r.id "
        "WHERE m.account = ?1 ORDER BY r.id",
        account);
    while (row.step()) roles.push_back(read_role(row));
  }
  return with_grants(session, std::move(roles));
}

std::vector<Member> members_of(storage::Session& session, std::int64_t role) {
  std::vector<Member> members;
  auto row =
      session.query("SELECT id, account, role FROM role_member WHERE role = ?1 ORDER BY id", role);
  while (row.step()) members.push_back({row.int64(0), row.int64(1), row.int64(2)});
  return members;
}

Grant grant_own(storage::Transaction& transaction, const Account& account, const Grant& grant) {
  Grant own = grant;
  own.role = own_role(transaction, account.id);
  own.id = insert_grant(transaction, own);
  if (own.id == 0) {
    throw Error(Code::kAlreadyExists, "Permission for user=" + account.username +
                                          " on resource_type=" + grant.kind +
                                          ", resource_id=" + grant.pattern + " already exists.");
  }
  return own;
}

void put_own(storage::Transaction& transaction, std::int64_t account, std::string_view kind,
             std::string_view pattern, Permission permission) {
  transaction.execute(
      "INSERT INTO role_grant (role, resource_type, resource_pattern, permission) "
      "VALUES (?1, ?2, ?3, ?4) ON CONFLICT (role, resource_type, resource_pattern) "
      "DO UPDATE SET permission = excluded.permission",
      own_role(transaction, account), kind, pattern, static_cast<std::int64_t>(permission));
}

std::optional<Grant> find_own(storage::Session& session, std::int64_t account,
                              std::string_view kind, std::string_view pattern) {
  auto row = session.query(std::string(kGrantColumns) +
                               "WHERE role = (SELECT id FROM role WHERE account = ?1) "
                               "AND resource_type = ?2 AND resource_pattern = ?3",
                           account, kind, pattern);
  if (!row.step()) return std::nullopt;
  return read_grant(row);
}

std::vector<Grant> list_own(storage::Session& session, std::int64_t account,
                            std::string_view kind) {
  std::vector<Grant> grants;
  auto row = session.query(std::string(kGrantColumns) +
                               "WHERE role = (SELECT id FROM role WHERE account = ?1) "
                               "AND resource_type = ?2 ORDER BY id",
                           account, kind);
  while (row.step()) grants.push_back(read_grant(row));
  return grants;
}

void rename_grants(storage::Transaction& transaction, std::string_view kind, std::string_view from,
                   std::string_view to) {
  // Leftovers of a thing that had the name before would be a gift, and a clash.
  delete_grants(transaction, kind, to);
  transaction.execute(
      "UPDATE role_grant SET resource_pattern = ?3 WHERE resource_type = ?1 AND "
      "resource_pattern = ?2",
      kind, from, to);
}

void delete_grants(storage::Transaction& transaction, std::string_view kind,
                   std::string_view pattern) {
  transaction.execute("DELETE FROM role_grant WHERE resource_type = ?1 AND resource_pattern = ?2",
                      kind, pattern);
}

Permission read_permission(std::string_view name) {
  const auto permission = parse_permission(name);
  if (!permission) {
    throw Error(Code::kInvalidArgument, "Invalid permission '" + std::string(name) +
                                            "'. Valid permissions are: " + permission_names());
  }
  return *permission;
}

void check_grant(std::string_view kind, std::string_view pattern, Permission permission) {
  const bool everything = kind == kEverything;
  const ResourceKind* known = find_resource_kind(kind);
  if (known == nullptr && !everything) {
    std::vector<std::string> names;
    for (const ResourceKind& one : resource_kinds()) names.emplace_back(one.name);
    names.emplace_back(kEverything);
    throw Error(Code::kInvalidArgument, "Invalid resource type '" + std::string(kind) +
                                            "'. Valid resource types are: " + tuple_of(names));
  }
  const std::string named = "Invalid permission '" + std::string(permission_name(permission)) +
                            "' for resource_type='" + std::string(kind) + "'. ";
  if (everything && permission != Permission::kUse && permission != Permission::kManage) {
    throw Error(Code::kInvalidArgument,
                named + "Workspace-wide grants accept only: ('MANAGE', 'USE').");
  }
  if (permission == Permission::kNone) {
    throw Error(Code::kInvalidArgument,
                named +
                    "Resource-level grants accept only: ('DENY', 'EDIT', 'MANAGE', 'READ', "
                    "'USE').");
  }
  if (pattern.empty())
    throw Error(Code::kInvalidArgument, "A grant needs the thing that it is for, or '*'.");
  if (pattern != "*" && (everything || !known->one_by_one)) {
    throw Error(Code::kInvalidArgument,
                "Invalid resource_pattern '" + std::string(pattern) + "' for resource_type='" +
                    std::string(kind) +
                    "'. This resource type supports only wildcard ('*') grants.");
  }
}

}  // namespace slipway::access
