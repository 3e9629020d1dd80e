// SPDX-License-Identifier: Apache-2.0
#include "access/account.h"
#include "access/password.h"
#include "api/mlflow/access_routes.h"
#include "api/mlflow/errors.h"
#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

constexpr http::Access kAdministrator = http::Access::admin(http::Door::kToken);
constexpr http::Access kAnyAccount = http::Access::signed_in(http::Door::kToken);

http::Response text_refusal(std::string_view text) {
  http::Response response;
  response.status = 400;
  response.content_type = "text/html; charset=utf-8";
  response.body = text;
  return response;
}

json::Object account_wire(const access::Account& account) {
  return {{"id", account.id}, {"is_admin", account.is_admin}, {"username", account.username}};
}

json::Array roles_wire(storage::Session& session, std::int64_t account) {
  json::Array roles;
  for (const access::Role& role : access::roles_of(session, account))
    roles.push_back(role_wire(role));
  return roles;
}

bool is_self(const http::Request& request, const std::string& username) {
  return request.caller.account != 0 && request.caller.name == username;
}

// Hashed here, on the pool, and only then handed to the writer.
http::Response create(const AccessDeps& deps, const Parameters& parameters, const http::Request&) {
  if (parameters.has("username") && parameters.has("password") &&
      (parameters.text("username").empty() || parameters.text("password").empty())) {
    return text_refusal("Username and password cannot be empty.");
  }
  const std::string username = needed(parameters, "username");
  const std::string password = needed(parameters, "password");
  access::check_password(password);
  const std::string hash = access::hash_password(password);
  const auto made =
      deps.database.write_returning<access::Account>([&](storage::Transaction& transaction) {
        const bool first = !access::any_account(transaction);
        access::Account account =
            access::create_account(transaction, deps.clock, {username, hash, first});
        deps.sign_in.note_change(transaction);
        return account;
      });
  return plain_answer(json::Object{{"user", account_wire(made)}});
}

http::Response get(const AccessDeps& deps, const Parameters& parameters,
                   const http::Request& request) {
  const std::string username = needed(parameters, "username");
  if (!request.caller.admin && !is_self(request, username)) return forbidden_response();
  const auto account = deps.database.read_returning<access::Account>(
      [&](storage::Session& session) { return access::get_account(session, username); });
  return plain_answer(json::Object{{"user", account_wire(account)}});
}

http::Response current(const AccessDeps& deps, const Parameters&, const http::Request& request) {
  if (request.caller.account == 0)
    throw Error(Code::kNotFound, "User with username=" + request.caller.actor() + " not found");
  const auto account = deps.database.read_returning<access::Account>(
      [&](storage::Session& session) { return access::get_account(session, request.caller.name); });
  return plain_answer(json::Object{{"is_basic_auth", true}, {"user", account_wire(account)}});
}

// An account sees itself: who else has one is the administrators' to know.
http::Response list(const AccessDeps& deps, const Parameters&, const http::Request& request) {
  json::Array users;
  deps.database.read([&](storage::Session& session) {
    for (const access::Account& account : access::list_accounts(session)) {
      if (!request.caller.admin && account.id != request.caller.account) continue;
      users.emplace_back(json::Object{{"id", account.id},
                                      {"is_admin", account.is_admin},
                                      {"roles", roles_wire(session, account.id)},
                                      {"username", account.username}});
    }
  });
  return plain_answer(json::Object{{"users", std::move(users)}});
}

// Whoever holds a session of somebody else's must not be able to take the account over: an account
// says its present password to change it.
void check_present_password(const AccessDeps& deps, const Parameters& parameters,
                            const std::string& username, const std::string& password) {
  const std::string present = parameters.text("current_password");
  if (present.empty()) {
    throw Error(Code::kInvalidArgument,
                "Current password is required when changing your own password.");
  }
  if (!deps.sign_in.check({username, present, false}))
    throw Error(Code::kInvalidArgument, "Current password does not match.");
  if (present == password) {
    throw Error(Code::kInvalidArgument, "New password must differ from the current password.");
  }
}

http::Response update_password(const AccessDeps& deps, const Parameters& parameters,
                               const http::Request& request) {
  const std::string username = needed(parameters, "username");
  const std::string password = needed(parameters, "password");
  if (is_self(request, username)) {
    check_present_password(deps, parameters, username, password);
  } else if (!request.caller.admin) {
    return forbidden_response();
  }
  deps.database.read([&](storage::Session& session) { access::get_account(session, username); });
  access::check_password(password);
  const std::string hash = access::hash_password(password);
  deps.database.write([&](storage::Transaction& transaction) {
    access::set_password_hash(transaction, username, hash);
    deps.sign_in.note_change(transaction);
  });
  return plain_answer();
}

http::Response update_admin(const AccessDeps& deps, const Parameters& parameters,
                            const http::Request&) {
  const std::string username = needed(parameters, "username");
  const auto is_admin = parameters.maybe_boolean("is_admin");
  if (!is_admin) needed(parameters, "is_admin");
  deps.database.write([&](storage::Transaction& transaction) {
    access::set_admin(transaction, username, *is_admin);
    deps.sign_in.note_change(transaction);
  });
  return plain_answer();
}

http::Response remove(const AccessDeps& deps, const Parameters& parameters,
                      const http::Request& request) {
  const std::string username = needed(parameters, "username");
  if (is_self(request, username)) {
    return error_response({"BAD_REQUEST", 400, "KAM00", "INVALID_PARAMETER_VALUE"},
                          "Users cannot delete their own account. Ask another admin to delete this "
                          "user instead.");
  }
  deps.database.write([&](storage::Transaction& transaction) {
    access::delete_account(transaction, username);
    deps.sign_in.note_change(transaction);
  });
  return plain_answer();
}

}  // namespace

http::Response plain_answer(const json::Value& body) {
  http::Response response;
  response.body = json::write(body) + "\n";
  return response;
}

http::Response plain_answer() { return plain_answer(json::Object{}); }

void add_access_route(std::vector<http::Route>& routes, http::Method method, int version,
                      std::string_view path, const http::Access& access,
                      const AccessHandler& handler, const std::string& summary) {
  const std::string tail = std::to_string(version) + ".0" + std::string(path);
  for (const std::string& prefix : {std::string("/api/"), std::string("/ajax-api/")}) {
    routes.push_back(http::route(
        method, prefix + tail, access, http::Execution::kPool,
        [handler](const http::Request& request) { return handler(Parameters(request), request); },
        summary));
  }
}

std::string needed(const Parameters& parameters, std::string_view name) {
  parameters.check({field::required(name, Field::Kind::kAny)});
  return parameters.required_text(name);
}

std::int64_t needed_integer(const Parameters& parameters, std::string_view name) {
  parameters.check({field::required(name, Field::Kind::kAny)});
  try {
    return parameters.required_int64(name);
  } catch (const Error&) {
    const json::Value& value = *parameters.find(name);
    const std::string shown =
        value.is_string() ? "'" + value.as_string() + "'" : json::write(value);
    throw Error(Code::kInvalidArgument,
                "Parameter '" + std::string(name) + "' must be an integer. Got: " + shown);
  }
}

std::vector<http::Route> user_routes(const AccessDeps& deps) {
  std::vector<http::Route> routes;
  using Work = http::Response (*)(const AccessDeps&, const Parameters&, const http::Request&);
  const auto add = [&](http::Method method, std::string_view path, const http::Access& access,
                       Work work, std::string summary) {
    add_access_route(
        routes, method, 2, path, access,
        [deps, work](const Parameters& parameters, const http::Request& request) {
          return work(deps, parameters, request);
        },
        std::move(summary));
  };
  using http::Method;
  add(Method::kPost, "/mlflow/users/create", kAdministrator, create, "Makes an account");
  add(Method::kGet, "/mlflow/users/get", kAnyAccount, get, "An account by its name");
  add(Method::kGet, "/mlflow/users/current", kAnyAccount, current, "Whose request this is");
  add(Method::kGet, "/mlflow/users/list", kAnyAccount, list, "Accounts with their roles");
  add(Method::kPatch, "/mlflow/users/update-password", kAnyAccount, update_password,
      "Gives an account another password");
  add(Method::kPatch, "/mlflow/users/update-admin", kAdministrator, update_admin,
      "Makes an account an administrator, or no longer");
  add(Method::kDelete, "/mlflow/users/delete", kAdministrator, remove, "Deletes an account");
  return routes;
}

std::vector<http::Route> access_routes(const AccessDeps& deps) {
  std::vector<http::Route> all;
  for (auto* table : {user_routes, role_routes, permission_routes, old_permission_routes}) {
    for (http::Route& route : table(deps)) all.push_back(std::move(route));
  }
  return all;
}

}  // namespace slipway::api::mlflow
