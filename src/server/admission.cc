// SPDX-License-Identifier: Apache-2.0
#include "server/admission.h"

#include <memory>
#include <utility>

#include "access/token.h"
#include "api/inference/errors.h"
#include "api/mlflow/errors.h"
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

bool token_fits(const AdmissionRules& rules, const http::Request& request) {
  const auto token = access::presented_token(request.header("Authorization"));
  if (!token) return false;
  if (access::equal_in_constant_time(*token, rules.token)) return true;
  return family(request.path) == Family::kMlflow && rules.is_stage_token &&
         rules.is_stage_token(*token);
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

std::optional<http::Response> admit(const AdmissionRules& rules, const http::Request& request,
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
  if (route.permission == http::Permission::kPublic) return std::nullopt;
  if (route.permission == http::Permission::kOpenOnLoopback && is_local(request))
    return std::nullopt;
  if (token_fits(rules, request)) return std::nullopt;
  const bool presented = request.header("Authorization").has_value();
  return no(
      Code::kUnauthenticated,
      presented ? "this token is not known here" : "this needs the server's token", 401,
      "export SLIPWAY_TOKEN=$(cat .slipway/token)   (MLflow's client: MLFLOW_TRACKING_TOKEN)");
}

}  // namespace

http::ServerHooks admission_hooks(AdmissionRules rules) {
  http::ServerHooks hooks;
  const auto shared = std::make_shared<const AdmissionRules>(std::move(rules));
  hooks.admit = [shared](const http::Request& request, const http::Route& route) {
    return admit(*shared, request, route);
  };
  hooks.refuse = refuse;
  return hooks;
}

}  // namespace slipway::server
