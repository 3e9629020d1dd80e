// SPDX-License-Identifier: Apache-2.0
#include "server/admission.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "access/permission.h"
#include "access/token.h"
#include "api/inference/errors.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/resource.h"
#include "api/slipway/errors.h"

namespace slipway::server {
namespace {

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

// nullopt: nobody who may come in by this door.
std::optional<http::Caller> find_caller(const AdmissionRules& rules, const http::Request& request,
                                        http::Door door) {
  using Kind = http::Caller::Kind;
  const auto one = [](Kind kind) {
    return http::Caller{.kind = kind, .name = {}, .account = 0, .admin = true};
  };
  if (door == http::Door::kPublic) return http::Caller();
  const auto token = access::presented_token(request.header("Authorization"));
  if (token && access::equal_in_constant_time(*token, rules.token)) return one(Kind::kServerToken);
  if (door == http::Door::kOpenOnLoopback && is_local(request)) return one(Kind::kLocal);
  if (token && family(request.path) == Family::kMlflow && rules.is_stage_token &&
      rules.is_stage_token(*token)) {
    return one(Kind::kStageToken);
  }
  return std::nullopt;
}

std::optional<http::Response> admit(const AdmissionRules& rules, http::Request& request,
                                    const http::Route& route) {
  const auto no = [&](Code code, const std::string& message, int status,
                      const std::string& hint = {}) {
    http::Response response = refuse(request, &route, Error(code, message, hint), status);
    response.status = status;
    if (status == 401)
      response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"slipway\"");
    return response;
  };
  if (request.path != "/health" && request.path != "/version") {
    const auto refused =
        access::refuse_by_headers(rules.headers, request.header("Host"), request.header("Origin"),
                                  changes_state(request.method));
    if (refused) return no(Code::kPermissionDenied, *refused, 403);
  }
  if (family(request.path) == Family::kSlipway && changes_state(request.method) &&
      access::is_form_content_type(request.header("Content-Type"))) {
    return no(Code::kInvalidArgument, "a form cannot write here: send application/json", 415);
  }
  if (auto caller = find_caller(rules, request, route.access.door)) {
    request.caller = std::move(*caller);
    return std::nullopt;
  }
  const bool presented = request.header("Authorization").has_value();
  return no(
      Code::kUnauthenticated,
      presented ? "this token is not known here" : "this needs the server's token", 401,
      "export SLIPWAY_TOKEN=$(cat .slipway/token)   (MLflow's client: MLFLOW_TRACKING_TOKEN)");
}

// "" if the access of the route can be decided; else why not.
std::string undecidable(const http::Route& route) {
  constexpr std::string_view kOfPath = "path:";
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
  hooks.refuse = refuse;
  return hooks;
}

}  // namespace slipway::server
