// SPDX-License-Identifier: Apache-2.0
#include "server/admission.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "access/decision.h"
#include "access/permission.h"
#include "access/token.h"
#include "api/inference/errors.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/resource.h"
#include "api/slipway/errors.h"

namespace slipway::server {
namespace {

constexpr std::string_view kOfPath = "path:";

enum class Family { kSlipway, kInference, kScoring, kMlflow };

// Whose clients ask on this path: it decides how an error reads.
Family family(std::string_view path) {
  while (path.starts_with("//")) path.remove_prefix(1);
  if (path.starts_with("/api/slipway/")) return Family::kSlipway;
  if (path == "/v2" || path.starts_with("/v2/")) return Family::kInference;
  if (path.starts_with("/endpoints/") && path.ends_with("/invocations")) return Family::kScoring;
  return Family::kMlflow;
}

// `status` is the server's own where it refuses by itself (404, 405, 413 …). What a handler threw
// comes with the status that http/ has for its code; there each API's own table knows better.
http::Response refuse(const http::Request& request, const http::Route* route, const Error& error,
                      int status) {
  if (route != nullptr && status == http::status_of(error.code())) status = 0;
  switch (family(request.path)) {
    case Family::kSlipway: return api::error_response(error, status);
    case Family::kInference: return api::inference::error_response(error, status);
    case Family::kScoring: return api::inference::scoring_error_response(error, status);
    case Family::kMlflow: return api::mlflow::refuse(request, route, error, status);
  }
  return api::error_response(error, status);
}

bool changes_state(http::Method method) {
  return method == http::Method::kPost || method == http::Method::kPut ||
         method == http::Method::kPatch || method == http::Method::kDelete;
}

// Asked by somebody on this machine. A reverse proxy here connects over loopback too, for anybody:
// it says so in a header, or passes on the name by which it is known to the world.
bool is_local(const http::Request& request) {
  if (!request.peer_is_loopback) return false;
  for (const char* name : {"X-Forwarded-For", "Forwarded", "X-Forwarded-Host", "X-Real-IP"}) {
    if (request.header(name)) return false;
  }
  const auto host = request.header("Host");
  return !host || access::is_loopback_host(*host);
}

bool needs_store(const http::Access& access) {
  return access.by == "*" || access.by.starts_with(kOfPath);
}

// What admission itself can decide: all but what a finder finds, which the handler asks about.
bool allowed(const AdmissionRules& rules, const http::Request& request,
             const http::Access& access) {
  const http::Caller& caller = request.caller;
  if (access.level == http::Level::kAnybody || caller.admin) return true;
  if (access.level == http::Level::kAdmin) return false;
  if (access.level == http::Level::kSignedIn || !needs_store(access)) return caller.account != 0;
  const std::string id =
      access.by == "*" ? "*" : request.path_parameter(access.by.substr(kOfPath.size()));
  const access::Spoken spoken =
      rules.database->read_returning<access::Spoken>([&](storage::Session& session) {
        return access::read_grants(session, caller.account, {std::string(access.kind), id, ""});
      });
  return access::allows(spoken, static_cast<access::Permission>(caller.otherwise),
                        api::mlflow::permission_of(access.level));
}

http::Caller caller_of(const AdmissionRules& rules, const access::SignedIn& found) {
  using Kind = http::Caller::Kind;
  return {.kind = found.by_token ? Kind::kApiToken : Kind::kPassword,
          .name = found.account.username,
          .account = found.account.id,
          .admin = found.account.is_admin,
          .otherwise = static_cast<int>(rules.otherwise)};
}

http::Caller without_account(http::Caller::Kind kind) {
  return {.kind = kind, .name = {}, .account = 0, .admin = true, .otherwise = 0};
}

// A stage records what it does: runs, models, files. Accounts and grants are not its business.
bool takes_stage_tokens(const AdmissionRules& rules, const http::Request& request,
                        const http::Route& route) {
  return family(request.path) == Family::kMlflow && rules.is_stage_token &&
         route.access.door == http::Door::kOpenOnLoopback &&
         route.access.level != http::Level::kAdmin;
}

bool has_accounts(const AdmissionRules& rules) {
  return rules.sign_in != nullptr && rules.sign_in->has_accounts();
}

// Fills in the caller, or marks the request as to be verified. False: nobody who may come in by
// this door.
bool find_caller(const AdmissionRules& rules, http::Request& request, const http::Route& route) {
  using Kind = http::Caller::Kind;
  if (route.access.door == http::Door::kPublic) return true;
  const auto credential = access::read_credential(request.header("Authorization"));
  if (credential && credential->is_token &&
      access::equal_in_constant_time(credential->secret, rules.token)) {
    request.caller = without_account(Kind::kServerToken);
    return true;
  }
  if (!has_accounts(rules)) {
    // The password of Basic has always been taken for a token, whatever it looks like.
    if (credential && access::equal_in_constant_time(credential->secret, rules.token)) {
      request.caller = without_account(Kind::kServerToken);
      return true;
    }
    if (route.access.door == http::Door::kOpenOnLoopback && is_local(request)) {
      request.caller = without_account(Kind::kLocal);
      return true;
    }
    request.unverified = credential && takes_stage_tokens(rules, request, route);
    return request.unverified;
  }
  if (!credential) return false;
  const auto known = rules.sign_in->remembered(*credential);
  if (known && *known) request.caller = caller_of(rules, **known);
  // A refusal that is remembered may be of a stage's token, which is no account's.
  const bool stage = credential->is_token && takes_stage_tokens(rules, request, route);
  if (known && !*known && !stage) return false;
  request.unverified = !known || !*known || (needs_store(route.access) && !request.caller.admin);
  return true;
}

http::Response refusal(const AdmissionRules& rules, const http::Request& request,
                       const http::Route& route, const Error& error, int status) {
  // MLflow's clients and page know the refusals of its own server.
  const bool as_mlflow = family(request.path) == Family::kMlflow && has_accounts(rules);
  if (as_mlflow && status == 401) return api::mlflow::unauthenticated_response();
  if (as_mlflow && error.code() == Code::kPermissionDenied && request.caller.account != 0)
    return api::mlflow::forbidden_response();
  http::Response response = refuse(request, &route, error, status);
  response.status = status;
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slipway\"");
    // A browser asks for name and password then.
    if (has_accounts(rules))
      response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"slipway\"");
  }
  return response;
}

http::Response unauthenticated(const AdmissionRules& rules, const http::Request& request,
                               const http::Route& route) {
  const bool presented = request.header("Authorization").has_value();
  if (has_accounts(rules)) {
    return refusal(rules, request, route,
                   Error(Code::kUnauthenticated,
                         presented ? "name and password, or the token, are not known here"
                                   : "this needs an account",
                         "export SLIPWAY_TOKEN=…   (slipway token create makes one)"),
                   401);
  }
  return refusal(rules, request, route,
                 Error(Code::kUnauthenticated,
                       presented ? "this token is not known here" : "this needs the server's token",
                       "export SLIPWAY_TOKEN=$(cat .slipway/token)   (MLflow's client: "
                       "MLFLOW_TRACKING_TOKEN)"),
                 401);
}

http::Response forbidden(const AdmissionRules& rules, const http::Request& request,
                         const http::Route& route) {
  const http::Access& access = route.access;
  std::string what = access.level == http::Level::kAdmin
                         ? "be an administrator"
                         : "have " + std::string(http::level_name(access.level)) + " on " +
                               std::string(access.kind);
  return refusal(rules, request, route,
                 Error(Code::kPermissionDenied,
                       request.caller.actor() + " may not do this: it takes to " + what),
                 403);
}

std::optional<http::Response> admit(const AdmissionRules& rules, http::Request& request,
                                    const http::Route& route) {
  if (request.path != "/health" && request.path != "/version") {
    const auto refused =
        access::refuse_by_headers(rules.headers, request.header("Host"), request.header("Origin"),
                                  changes_state(request.method));
    if (refused)
      return refusal(rules, request, route, Error(Code::kPermissionDenied, *refused), 403);
  }
  if (family(request.path) == Family::kSlipway && changes_state(request.method) &&
      access::is_form_content_type(request.header("Content-Type"))) {
    return refusal(rules, request, route,
                   Error(Code::kInvalidArgument, "a form cannot write here: send application/json"),
                   415);
  }
  if (!find_caller(rules, request, route)) return unauthenticated(rules, request, route);
  if (request.unverified || allowed(rules, request, route.access)) return std::nullopt;
  return forbidden(rules, request, route);
}

// On the pool: what may take its time.
std::optional<http::Response> verify(const AdmissionRules& rules, http::Request& request,
                                     const http::Route& route) {
  const auto credential = access::read_credential(request.header("Authorization"));
  if (!credential) return unauthenticated(rules, request, route);
  if (request.caller.account == 0 && takes_stage_tokens(rules, request, route) &&
      rules.is_stage_token(credential->secret)) {
    request.caller = without_account(http::Caller::Kind::kStageToken);
  }
  if (request.caller.kind == http::Caller::Kind::kNobody && has_accounts(rules)) {
    if (const auto found = rules.sign_in->check(*credential))
      request.caller = caller_of(rules, *found);
  }
  if (request.caller.kind == http::Caller::Kind::kNobody)
    return unauthenticated(rules, request, route);
  if (allowed(rules, request, route.access)) return std::nullopt;
  return forbidden(rules, request, route);
}

// "" if the access of the route can be decided; else why not.
std::string undecidable(const http::Route& route) {
  const http::Access& access = route.access;
  const bool is_public = access.door == http::Door::kPublic;
  if (is_public != (access.level == http::Level::kAnybody))
    return is_public ? "is behind a public door but asks for more than to be anybody"
                     : "asks nothing of its caller and is behind a door that is not public";
  const bool about_caller =
      is_public || access.level == http::Level::kSignedIn || access.level == http::Level::kAdmin;
  if (access.kind.empty())
    return about_caller ? "" : "asks for a permission but does not say on what";
  const std::string by(access.by);
  if (access::find_resource_kind(access.kind) == nullptr)
    return "asks for permission on `" + std::string(access.kind) +
           "`, a kind that nobody can be given";
  if (by.starts_with(kOfPath)) {
    const std::string parameter = "{" + by.substr(kOfPath.size()) + "}";
    return route.pattern.find(parameter) != std::string::npos
               ? ""
               : "is about " + parameter + ", which its path does not have";
  }
  const auto finders = api::mlflow::finder_names();
  if (by == "*" || std::find(finders.begin(), finders.end(), access.by) != finders.end()) return "";
  return "says that the thing is found by `" + by + "`, which nothing here can find";
}

}  // namespace

void check_access(const std::vector<http::Route>& routes) {
  for (const http::Route& route : routes) {
    const std::string fault = undecidable(route);
    if (fault.empty()) continue;
    throw Error(Code::kFailedPrecondition,
                "the route " + std::string(http::method_name(route.method)) + " " + route.pattern +
                    " " + fault,
                "declare its access (http/access.h); a server does not start without");
  }
}

http::ServerHooks admission_hooks(AdmissionRules rules) {
  http::ServerHooks hooks;
  const auto shared = std::make_shared<const AdmissionRules>(std::move(rules));
  hooks.admit = [shared](http::Request& request, const http::Route& route) {
    return admit(*shared, request, route);
  };
  hooks.verify = [shared](http::Request& request, const http::Route& route) {
    return verify(*shared, request, route);
  };
  hooks.refuse = refuse;
  return hooks;
}

}  // namespace slipway::server
