// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "access/account.h"
#include "api/mlflow/access_routes.h"
#include "api/mlflow/errors.h"
#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

constexpr http::Access kAnyAccount = http::Access::signed_in(http::Door::kToken);

// The thing that a request is about, checked as a grant on it would be.
struct Target {
  std::string username;
  std::string kind;
  std::string id;
};

void refuse_workspace(const std::string& kind) {
  if (kind != access::kEverything) return;
  throw Error(Code::kInvalidArgument,
              "resource_type 'workspace' is not supported by the per-user permission convenience "
              "APIs. Use set_workspace_permission / delete_workspace_permission for workspace-wide "
              "grants.");
}

Target read_target(const Parameters& parameters) {
  Target target{needed(parameters, "username"), needed(parameters, "resource_type"),
                needed(parameters, "resource_id")};
  refuse_workspace(target.kind);
  return target;
}

// Who may say who may: administrators, and whoever may MANAGE the thing. A grant on all of a kind
// is an administrator's to give.
bool may_delegate(storage::Session& session, const http::Caller& caller, const std::string& kind,
                  const std::string& id) {
  if (caller.admin) return true;
  return id != "*" && may_do(session, caller, http::Level::kManage, {kind, id, ""});
}

http::Response grant(const AccessDeps& deps, const Parameters& parameters,
                     const http::Request& request) {
  const Target target = read_target(parameters);
  const access::Permission permission = access::read_permission(needed(parameters, "permission"));
  access::check_grant(target.kind, target.id, permission);
  return deps.database.write_returning<http::Response>([&](storage::Transaction& transaction) {
    if (!may_delegate(transaction, request.caller, target.kind, target.id))
      return forbidden_response();
    access::grant_own(transaction, access::get_account(transaction, target.username),
                      {0, 0, target.kind, target.id, permission});
    return plain_answer();
  });
}

http::Response revoke(const AccessDeps& deps, const Parameters& parameters,
                      const http::Request& request) {
  const Target target = read_target(parameters);
  access::check_grant(target.kind, target.id, access::Permission::kRead);
  return deps.database.write_returning<http::Response>([&](storage::Transaction& transaction) {
    if (!may_delegate(transaction, request.caller, target.kind, target.id))
      return forbidden_response();
    const access::Account account = access::get_account(transaction, target.username);
    const auto own = access::find_own(transaction, account.id, target.kind, target.id);
    if (!own) {
      throw Error(Code::kNotFound, "Permission for user=" + target.username + " on resource_type=" +
                                       target.kind + ", resource_id=" + target.id + " not found.");
    }
    access::remove_grant(transaction, own->id);
    return plain_answer();
  });
}

// What the decision itself would say: all roles folded, and the default.
http::Response get(const AccessDeps& deps, const Parameters& parameters,
                   const http::Request& request) {
  const Target target = read_target(parameters);
  access::check_grant(target.kind, target.id, access::Permission::kRead);
  if (!request.caller.admin && request.caller.name != target.username) return forbidden_response();
  const auto permission =
      deps.database.read_returning<access::Permission>([&](storage::Session& session) {
        const access::Account account = access::get_account(session, target.username);
        return access::effective(
            access::read_grants(session, account.id, {target.kind, target.id, ""}).whole,
            deps.otherwise);
      });
  return plain_answer(json::Object{{"allowed", permission >= access::Permission::kUse},
                                   {"permission", access::permission_name(permission)}});
}

http::Response grants_answer(const AccessDeps& deps, const std::string& username) {
  json::Array rows;
  bool is_admin = false;
  deps.database.read([&](storage::Session& session) {
    const access::Account account = access::get_account(session, username);
    is_admin = account.is_admin;
    for (const access::Role& role : access::roles_of(session, account.id)) {
      for (const access::Grant& grant : role.grants) {
        rows.emplace_back(json::Object{{"permission", access::permission_name(grant.permission)},
                                       {"resource_pattern", grant.pattern},
                                       {"resource_type", grant.kind},
                                       {"role_id", role.id},
                                       {"role_name", role.name},
                                       {"workspace", "default"}});
      }
    }
  });
  return plain_answer(json::Object{{"is_admin", is_admin}, {"permissions", std::move(rows)}});
}

http::Response list(const AccessDeps& deps, const Parameters& parameters,
                    const http::Request& request) {
  const std::string username = needed(parameters, "username");
  if (!request.caller.admin && request.caller.name != username) return forbidden_response();
  return grants_answer(deps, username);
}

http::Response list_current(const AccessDeps& deps, const Parameters&,
                            const http::Request& request) {
  return grants_answer(deps, request.caller.name);
}

// --- clients before 3.17: one set of calls per kind of thing

struct OldKind {
  std::string_view kind;
  std::string_view base;    // "/mlflow/experiments/permissions"
  std::string_view id;      // the parameter that names the thing
  std::string_view answer;  // the member of an answer
  std::string_view words;   // of refusals
};
constexpr std::array kOldKinds = {
    OldKind{"experiment", "/mlflow/experiments/permissions", "experiment_id",
            "experiment_permission", "Experiment permission"},
    OldKind{"registered_model", "/mlflow/registered-models/permissions", "name",
            "registered_model_permission", "Registered model permission"},
};

json::Value old_wire(const OldKind& old, const access::Account& account,
                     const access::Grant& grant) {
  json::Object inner{{std::string(old.id), grant.pattern},
                     {"permission", access::permission_name(grant.permission)},
                     {"user_id", account.id}};
  return json::Object{{std::string(old.answer), std::move(inner)}};
}

// These clients know the level that later ones leave out.
access::Permission old_permission(const Parameters& parameters) {
  const access::Permission permission = access::read_permission(needed(parameters, "permission"));
  if (permission == access::Permission::kDeny)
    throw Error(Code::kInvalidArgument,
                "Invalid permission 'DENY'. Valid permissions are: ('READ', 'USE', 'EDIT', "
                "'MANAGE', 'NO_PERMISSIONS')");
  return permission;
}

access::Grant old_grant_of(storage::Session& session, const OldKind& old,
                           const access::Account& account, const std::string& id) {
  auto own = access::find_own(session, account.id, old.kind, id);
  if (!own) {
    throw Error(Code::kNotFound, std::string(old.words) + " with " + std::string(old.id) + "=" +
                                     id + " and username=" + account.username + " not found");
  }
  return *own;
}

using OldWork = std::function<http::Response(storage::Transaction&, const access::Account&,
                                             const std::string& id)>;

// Reads who and what, decides, works: in one write.
http::Response old_call(const AccessDeps& deps, const OldKind& old, const Parameters& parameters,
                        const http::Request& request, const OldWork& work) {
  const std::string id = needed(parameters, old.id);
  const std::string username = needed(parameters, "username");
  return deps.database.write_returning<http::Response>([&](storage::Transaction& transaction) {
    if (!may_delegate(transaction, request.caller, std::string(old.kind), id))
      return forbidden_response();
    return work(transaction, access::get_account(transaction, username), id);
  });
}

void add_old(std::vector<http::Route>& routes, const AccessDeps& deps, const OldKind& old) {
  using http::Method;
  const std::string base(old.base);
  add_access_route(
      routes, Method::kPost, 2, base + "/create", kAnyAccount,
      [deps, old](const Parameters& parameters, const http::Request& request) {
        const access::Permission permission = old_permission(parameters);
        return old_call(deps, old, parameters, request,
                        [&](storage::Transaction& transaction, const access::Account& account,
                            const std::string& id) {
                          return plain_answer(old_wire(
                              old, account,
                              access::grant_own(transaction, account,
                                                {0, 0, std::string(old.kind), id, permission})));
                        });
      },
      "Gives an account permission, as clients before 3.17 do");
  add_access_route(
      routes, Method::kGet, 2, base + "/get", kAnyAccount,
      [deps, old](const Parameters& parameters, const http::Request& request) {
        return old_call(deps, old, parameters, request,
                        [&](storage::Transaction& transaction, const access::Account& account,
                            const std::string& id) {
                          return plain_answer(
                              old_wire(old, account, old_grant_of(transaction, old, account, id)));
                        });
      },
      "The permission of an account, as clients before 3.17 ask");
  add_access_route(
      routes, Method::kPatch, 2, base + "/update", kAnyAccount,
      [deps, old](const Parameters& parameters, const http::Request& request) {
        const access::Permission permission = old_permission(parameters);
        return old_call(deps, old, parameters, request,
                        [&](storage::Transaction& transaction, const access::Account& account,
                            const std::string& id) {
                          old_grant_of(transaction, old, account, id);
                          access::put_own(transaction, account.id, old.kind, id, permission);
                          return plain_answer();
                        });
      },
      "Changes the permission of an account, as clients before 3.17 do");
  add_access_route(
      routes, Method::kDelete, 2, base + "/delete", kAnyAccount,
      [deps, old](const Parameters& parameters, const http::Request& request) {
        return old_call(deps, old, parameters, request,
                        [&](storage::Transaction& transaction, const access::Account& account,
                            const std::string& id) {
                          access::remove_grant(transaction,
                                               old_grant_of(transaction, old, account, id).id);
                          return plain_answer();
                        });
      },
      "Takes the permission of an account, as clients before 3.17 do");
}

}  // namespace

std::vector<http::Route> permission_routes(const AccessDeps& deps) {
  std::vector<http::Route> routes;
  using Work = http::Response (*)(const AccessDeps&, const Parameters&, const http::Request&);
  const auto add = [&](http::Method method, std::string_view path, Work work, std::string summary) {
    add_access_route(
        routes, method, 3, path, kAnyAccount,
        [deps, work](const Parameters& parameters, const http::Request& request) {
          return work(deps, parameters, request);
        },
        std::move(summary));
  };
  using http::Method;
  add(Method::kPost, "/mlflow/users/permissions/grant", grant, "Gives an account a permission");
  add(Method::kPost, "/mlflow/users/permissions/revoke", revoke,
      "Takes a permission from an account");
  add(Method::kGet, "/mlflow/users/permissions/get", get, "What an account may do with a thing");
  add(Method::kGet, "/mlflow/users/permissions/list", list, "All permissions of an account");
  add(Method::kGet, "/mlflow/users/current/permissions", list_current,
      "All permissions of whose request this is");
  return routes;
}

std::vector<http::Route> old_permission_routes(const AccessDeps& deps) {
  std::vector<http::Route> routes;
  for (const OldKind& old : kOldKinds) add_old(routes, deps, old);
  return routes;
}

}  // namespace slipway::api::mlflow
