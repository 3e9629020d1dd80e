// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/accounts.h"

#include <string>
#include <utility>

#include "access/account.h"
#include "access/api_token.h"
#include "access/audit.h"
#include "access/password.h"
#include "api/slipway/errors.h"
#include "base/error.h"
#include "json/value.h"

namespace slipway::api {
namespace {

constexpr http::Access kAdministrator = http::Access::admin(http::Door::kToken);
constexpr http::Access kAnyAccount = http::Access::signed_in(http::Door::kToken);

json::Object account_json(const access::Account& account) {
  return {{"name", account.username},
          {"id", account.id},
          {"admin", account.is_admin},
          {"created_at", format_time(account.created_at)}};
}

json::Object token_json(const access::ApiToken& token) {
  return {{"name", token.name},
          {"user", token.account},
          {"created_at", format_time(token.created_at)},
          {"expires_at",
           token.expires_at ? json::Value(format_time(*token.expires_at)) : json::Value()}};
}

bool boolean_member(const json::Object& body, std::string_view field) {
  const json::Value* value = body.find(field);
  if (value == nullptr || value->is_null()) return false;
  if (!value->is_bool())
    throw Error(Code::kInvalidArgument, "`" + std::string(field) + "` must be true or false");
  return value->as_bool();
}

http::Response list_users(const AccountDeps& deps, const http::Request&) {
  json::Array users;
  deps.database.read([&](storage::Session& session) {
    for (const access::Account& account : access::list_accounts(session))
      users.emplace_back(account_json(account));
  });
  return json_response(json::Object{{"users", std::move(users)}});
}

// Hashed here, on the pool, not on the writer's thread.
http::Response create_user(const AccountDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  const std::string username = required_text(body, "username");
  const std::string password = required_text(body, "password");
  const bool admin = boolean_member(body, "admin");
  access::check_password(password);
  const std::string hash = access::hash_password(password);
  const auto account =
      deps.database.write_returning<access::Account>([&](storage::Transaction& transaction) {
        const bool first = !access::any_account(transaction);
        access::Account made =
            access::create_account(transaction, deps.clock, {username, hash, admin || first});
        deps.sign_in.note_change(transaction);
        return made;
      });
  return json_response(account_json(account));
}

http::Response delete_user(const AccountDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  if (request.caller.account != 0 && request.caller.name == name) {
    throw Error(Code::kFailedPrecondition,
                "nobody deletes their own account: another administrator can");
  }
  deps.database.write([&](storage::Transaction& transaction) {
    access::delete_account(transaction, name);
    deps.sign_in.note_change(transaction);
  });
  return json_response(json::Object{{"deleted", name}});
}

http::Response set_password(const AccountDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  const std::string password = required_text(body_object(request), "password");
  deps.database.read([&](storage::Session& session) { access::get_account(session, name); });
  access::check_password(password);
  const std::string hash = access::hash_password(password);
  deps.database.write([&](storage::Transaction& transaction) {
    access::set_password_hash(transaction, name, hash);
    deps.sign_in.note_change(transaction);
  });
  return json_response(json::Object{{"user", name}});
}

http::Response set_admin(const AccountDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  const bool admin = boolean_member(body_object(request), "admin");
  deps.database.write([&](storage::Transaction& transaction) {
    access::set_admin(transaction, name, admin);
    deps.sign_in.note_change(transaction);
  });
  return json_response(json::Object{{"user", name}, {"admin", admin}});
}

// Whose tokens a request is about: its own account's, or, for an administrator, anybody's.
std::string token_user(const http::Request& request, const std::string& wanted) {
  if (request.caller.admin || wanted == request.caller.name) return wanted;
  if (wanted.empty()) return request.caller.name;
  throw Error(Code::kPermissionDenied,
              "only an administrator may see or change the tokens of others");
}

http::Response list_tokens(const AccountDeps& deps, const http::Request& request) {
  const std::string user = token_user(request, query_text(request, "user"));
  json::Array tokens;
  deps.database.read([&](storage::Session& session) {
    for (const access::ApiToken& token : access::list_api_tokens(session, user))
      tokens.emplace_back(token_json(token));
  });
  return json_response(json::Object{{"tokens", std::move(tokens)}});
}

http::Response create_token(const AccountDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  std::string user = optional_text(body, "user");
  if (user.empty()) user = request.caller.name;
  if (user.empty()) {
    throw Error(Code::kInvalidArgument, "`user` is required: the server's token is no account's",
                "slipway token create NAME --user USER");
  }
  user = token_user(request, user);
  const std::string name = required_text(body, "name");
  std::optional<TimeUs> expires_at;
  if (const std::string ttl = optional_text(body, "ttl"); !ttl.empty()) {
    const auto duration = parse_duration(ttl);
    if (!duration) {
      throw Error(Code::kInvalidArgument,
                  "`ttl` must be a duration as in 90s, 12h or 10d, not `" + ttl + "`");
    }
    expires_at = deps.clock.now() + *duration;
  }
  const auto minted =
      deps.database.write_returning<access::MintedToken>([&](storage::Transaction& transaction) {
        access::MintedToken made =
            access::mint_api_token(transaction, deps.clock, user, name, expires_at);
        deps.sign_in.note_change(transaction);
        return made;
      });
  json::Object answer = token_json(minted.token);
  answer.set("token", minted.text);
  return json_response(answer);
}

http::Response revoke_token(const AccountDeps& deps, const http::Request& request) {
  const std::string user = token_user(request, request.path_parameter("name"));
  const std::string& token = request.path_parameter("token");
  deps.database.write([&](storage::Transaction& transaction) {
    access::revoke_api_token(transaction, user, token);
    deps.sign_in.note_change(transaction);
  });
  return json_response(json::Object{{"revoked", token}, {"user", user}});
}

http::Response list_audit(const AccountDeps& deps, const http::Request& request) {
  access::AuditFilter filter;
  filter.actor = query_text(request, "actor");
  filter.before_seq = query_integer(request, "before", 0, 0, INT64_MAX);
  filter.limit = query_integer(request, "limit", 100, 1, access::kAuditPageMax);
  const std::string refused = query_text(request, "refused");
  if (!refused.empty() && refused != "true" && refused != "false")
    throw Error(Code::kInvalidArgument, "`refused` must be true or false, not `" + refused + "`");
  filter.refused_only = refused == "true";
  json::Array entries;
  deps.database.read([&](storage::Session& session) {
    for (const access::AuditEntry& entry : access::list_audit(session, filter)) {
      entries.emplace_back(json::Object{{"seq", entry.seq},
                                        {"at", format_time(entry.at)},
                                        {"actor", entry.actor},
                                        {"peer", entry.peer},
                                        {"method", entry.method},
                                        {"route", entry.route},
                                        {"resource", entry.resource},
                                        {"status", entry.status},
                                        {"times", entry.times}});
    }
  });
  return json_response(json::Object{{"audit", std::move(entries)}});
}

}  // namespace

std::vector<http::Route> account_routes(const AccountDeps& deps) {
  std::vector<http::Route> routes;
  using Work = http::Response (*)(const AccountDeps&, const http::Request&);
  const auto add = [&](http::Method method, const std::string& path, const http::Access& access,
                       Work work, std::string summary) {
    routes.push_back(http::route(
        method, "/api/slipway/v1" + path, access, http::Execution::kPool,
        [deps, work](const http::Request& request) { return work(deps, request); },
        std::move(summary)));
  };
  using http::Method;
  add(Method::kGet, "/users", kAdministrator, list_users, "accounts");
  add(Method::kPost, "/users", kAdministrator, create_user,
      "makes an account; the first becomes an administrator");
  add(Method::kDelete, "/users/{name}", kAdministrator, delete_user, "deletes an account");
  add(Method::kPost, "/users/{name}/password", kAdministrator, set_password,
      "gives an account another password");
  add(Method::kPost, "/users/{name}/admin", kAdministrator, set_admin,
      "makes an account an administrator, or no longer");
  add(Method::kGet, "/tokens", kAnyAccount, list_tokens, "tokens of accounts, never their text");
  add(Method::kPost, "/tokens", kAnyAccount, create_token,
      "makes a token of an account; its text is shown this once");
  add(Method::kDelete, "/users/{name}/tokens/{token}", kAnyAccount, revoke_token, "ends a token");
  add(Method::kGet, "/audit", kAdministrator, list_audit,
      "who changed what and who was refused, newest first");
  return routes;
}

}  // namespace slipway::api
