// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "access/account.h"
#include "api/mlflow/access_routes.h"
#include "api/mlflow/errors.h"
#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

constexpr http::Access kAdministrator = http::Access::admin(http::Door::kToken);
constexpr http::Access kAnyAccount = http::Access::signed_in(http::Door::kToken);
constexpr std::string_view kWorkspace = "default";

bool is_blank(const std::string& text) {
  return text.find_first_not_of(" \t\r\n") == std::string::npos;
}

void check_workspace(const std::string& workspace) {
  if (is_blank(workspace)) throw Error(Code::kInvalidArgument, "Workspace cannot be empty.");
  if (workspace != kWorkspace) {
    throw Error(Code::kInvalidArgument,
                "There are no workspaces on this server but 'default', so there is no '" +
                    workspace + "'.");
  }
}

std::optional<std::string> description_of(const Parameters& parameters, std::string_view refusal) {
  const json::Value* value = parameters.find("description");
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) throw Error(Code::kInvalidArgument, std::string(refusal));
  return value->as_string();
}

http::Response create(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  parameters.check({{"name", Field::Kind::kAny, true}, {"workspace", Field::Kind::kAny, true}});
  const std::string name = needed(parameters, "name");
  if (is_blank(name)) throw Error(Code::kInvalidArgument, "Role name cannot be empty.");
  check_workspace(needed(parameters, "workspace"));
  const auto description = description_of(parameters, "Role description must be a string or null.");
  const auto role =
      deps.database.write_returning<access::Role>([&](storage::Transaction& transaction) {
        return access::create_role(transaction, name, description);
      });
  return plain_answer(json::Object{{"role", role_wire(role)}});
}

http::Response get(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_id");
  const auto role = deps.database.read_returning<access::Role>(
      [&](storage::Session& session) { return access::get_role(session, id); });
  return plain_answer(json::Object{{"role", role_wire(role)}});
}

json::Array roles_wire(const std::vector<access::Role>& roles) {
  json::Array list;
  list.reserve(roles.size());
  for (const access::Role& role : roles) list.push_back(role_wire(role));
  return list;
}

http::Response list(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  const std::vector<std::string> workspaces = parameters.texts("workspace");
  for (const std::string& workspace : workspaces) {
    if (is_blank(workspace)) {
      throw Error(Code::kInvalidArgument,
                  "Parameter 'workspace' must be a non-empty string when provided.");
    }
  }
  const bool none = !workspaces.empty() &&
                    std::find(workspaces.begin(), workspaces.end(), kWorkspace) == workspaces.end();
  const auto roles =
      deps.database.read_returning<std::vector<access::Role>>([&](storage::Session& session) {
        return none ? std::vector<access::Role>() : access::list_roles(session);
      });
  return plain_answer(json::Object{{"roles", roles_wire(roles)}});
}

http::Response update(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_id");
  const auto name = parameters.maybe_text("name");
  const auto description = description_of(parameters, "Role description must be a string.");
  if (!name && !description) {
    throw Error(Code::kInvalidArgument,
                "At least one of 'name' or 'description' must be provided to update a role.");
  }
  const auto role =
      deps.database.write_returning<access::Role>([&](storage::Transaction& transaction) {
        return access::update_role(transaction, id, name, description);
      });
  return plain_answer(json::Object{{"role", role_wire(role)}});
}

http::Response remove(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_id");
  deps.database.write(
      [&](storage::Transaction& transaction) { access::delete_role(transaction, id); });
  return plain_answer();
}

http::Response add_permission(const AccessDeps& deps, const Parameters& parameters,
                              const http::Request&) {
  access::Grant grant;
  grant.role = needed_integer(parameters, "role_id");
  grant.kind = needed(parameters, "resource_type");
  grant.pattern = needed(parameters, "resource_pattern");
  grant.permission = access::read_permission(needed(parameters, "permission"));
  const auto made = deps.database.write_returning<access::Grant>(
      [&](storage::Transaction& transaction) { return access::add_grant(transaction, grant); });
  return plain_answer(json::Object{{"role_permission", grant_wire(made)}});
}

http::Response update_permission(const AccessDeps& deps, const Parameters& parameters,
                                 const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_permission_id");
  const std::string name = needed(parameters, "permission");
  const auto grant =
      deps.database.write_returning<access::Grant>([&](storage::Transaction& transaction) {
        access::get_grant(transaction, id);
        return access::set_grant(transaction, id, access::read_permission(name));
      });
  return plain_answer(json::Object{{"role_permission", grant_wire(grant)}});
}

http::Response remove_permission(const AccessDeps& deps, const Parameters& parameters,
                                 const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_permission_id");
  deps.database.write(
      [&](storage::Transaction& transaction) { access::remove_grant(transaction, id); });
  return plain_answer();
}

http::Response list_permissions(const AccessDeps& deps, const Parameters& parameters,
                                const http::Request&) {
  const std::int64_t id = needed_integer(parameters, "role_id");
  json::Array grants;
  deps.database.read([&](storage::Session& session) {
    for (const access::Grant& grant : access::get_role(session, id).grants)
      grants.push_back(grant_wire(grant));
  });
  return plain_answer(json::Object{{"role_permissions", std::move(grants)}});
}

json::Value member_wire(const access::Member& member) {
  return json::Object{{"id", member.id}, {"role_id", member.role}, {"user_id", member.account}};
}

http::Response assign(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  const std::string username = needed(parameters, "username");
  const std::int64_t role = needed_integer(parameters, "role_id");
  const auto member =
      deps.database.write_returning<access::Member>([&](storage::Transaction& transaction) {
        return access::assign_role(transaction, access::get_account(transaction, username).id,
                                   role);
      });
  return plain_answer(json::Object{{"assignment", member_wire(member)}});
}

http::Response unassign(const AccessDeps& deps, const Parameters& parameters,
                        const http::Request&) {
  const std::string username = needed(parameters, "username");
  const std::int64_t role = needed_integer(parameters, "role_id");
  deps.database.write([&](storage::Transaction& transaction) {
    access::unassign_role(transaction, access::get_account(transaction, username).id, role);
  });
  return plain_answer();
}

http::Response list_of_user(const AccessDeps& deps, const Parameters& parameters,
                            const http::Request& request) {
  const std::string username = needed(parameters, "username");
  if (!request.caller.admin && request.caller.name != username) return forbidden_response();
  const auto roles =
      deps.database.read_returning<std::vector<access::Role>>([&](storage::Session& session) {
        return access::roles_of(session, access::get_account(session, username).id);
      });
  return plain_answer(json::Object{{"roles", roles_wire(roles)}});
}

http::Response list_members(const AccessDeps& deps, const Parameters& parameters,
                            const http::Request&) {
  const std::int64_t role = needed_integer(parameters, "role_id");
  json::Array members;
  deps.database.read([&](storage::Session& session) {
    for (const access::Member& member : access::members_of(session, role))
      members.push_back(member_wire(member));
  });
  return plain_answer(json::Object{{"assignments", std::move(members)}});
}

}  // namespace

json::Value grant_wire(const access::Grant& grant) {
  return json::Object{{"id", grant.id},
                      {"permission", access::permission_name(grant.permission)},
                      {"resource_pattern", grant.pattern},
                      {"resource_type", grant.kind},
                      {"role_id", grant.role}};
}

json::Value role_wire(const access::Role& role) {
  json::Array grants;
  grants.reserve(role.grants.size());
  for (const access::Grant& grant : role.grants) grants.push_back(grant_wire(grant));
  return json::Object{
      {"description", role.description ? json::Value(*role.description) : json::Value()},
      {"id", role.id},
      {"name", role.name},
      {"permissions", std::move(grants)},
      {"workspace", kWorkspace}};
}

std::vector<http::Route> role_routes(const AccessDeps& deps) {
  std::vector<http::Route> routes;
  using Work = http::Response (*)(const AccessDeps&, const Parameters&, const http::Request&);
  const auto add = [&](http::Method method, std::string_view path, const http::Access& access,
                       Work work, std::string summary) {
    add_access_route(
        routes, method, 3, path, access,
        [deps, work](const Parameters& parameters, const http::Request& request) {
          return work(deps, parameters, request);
        },
        std::move(summary));
  };
  using http::Method;
  const http::Access& admin = kAdministrator;
  add(Method::kPost, "/mlflow/roles/create", admin, create, "Makes a role");
  add(Method::kGet, "/mlflow/roles/get", admin, get, "A role with its permissions");
  add(Method::kGet, "/mlflow/roles/list", admin, list, "Roles with their permissions");
  add(Method::kPatch, "/mlflow/roles/update", admin, update, "Renames or describes a role");
  add(Method::kDelete, "/mlflow/roles/delete", admin, remove, "Deletes a role");
  add(Method::kPost, "/mlflow/roles/permissions/add", admin, add_permission,
      "Adds a permission to a role");
  add(Method::kPatch, "/mlflow/roles/permissions/update", admin, update_permission,
      "Changes a permission of a role");
  add(Method::kDelete, "/mlflow/roles/permissions/remove", admin, remove_permission,
      "Takes a permission from a role");
  add(Method::kGet, "/mlflow/roles/permissions/list", admin, list_permissions,
      "Permissions of a role");
  add(Method::kPost, "/mlflow/roles/assign", admin, assign, "Gives an account a role");
  add(Method::kDelete, "/mlflow/roles/unassign", admin, unassign, "Takes a role from an account");
  add(Method::kGet, "/mlflow/users/roles/list", kAnyAccount, list_of_user, "Roles of an account");
  add(Method::kGet, "/mlflow/roles/users/list", admin, list_members, "Accounts with a role");
  return routes;
}

}  // namespace slipway::api::mlflow
