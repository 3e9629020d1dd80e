// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/gates.h"

#include <string>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "gate/gate.h"
#include "tracking/session.h"

namespace slipway::api {
namespace {

json::Value gate_json(const gate::Gate& gate) {
  return json::Object{{"name", gate.name}, {"spec", gate::to_json(gate.spec)}};
}

http::Response list(const gate::Deps& deps) {
  json::Array gates;
  deps.database.read([&](storage::Session& session) {
    for (const gate::Gate& gate : gate::list_gates(session)) gates.push_back(gate_json(gate));
  });
  return json_response(json::Object{{"gates", std::move(gates)}});
}

http::Response show(const gate::Deps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  return json_response(deps.database.read_returning<json::Value>(
      [&](storage::Session& session) { return gate_json(gate::get_gate(session, name)); }));
}

http::Response evaluate(const gate::Deps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  for (const auto& [key, value] : body) {
    if (key != "challenger") throw Error(Code::kInvalidArgument, "unknown key `" + key + "`");
  }
  const json::Value* challenger = body.find("challenger");
  if (challenger == nullptr || challenger->kind() != json::Value::Kind::kInt ||
      challenger->as_int() < 1) {
    throw Error(Code::kInvalidArgument, "`challenger` must be the number of a model version");
  }
  gate::EvaluateRequest question;
  question.gate = request.path_parameter("name");
  question.challenger = challenger->as_int();
  question.actor = request.caller.actor();
  return json_response(gate::to_json(gate::evaluate(deps, question)));
}

}  // namespace

std::vector<http::Route> gate_routes(const gate::Deps& deps) {
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      http::Method::kGet, "/api/slipway/v1/gates", kSeeOperations, http::Execution::kPool,
      [deps](const http::Request&) { return list(deps); }, "Gates"));
  routes.push_back(http::route(
      http::Method::kGet, "/api/slipway/v1/gates/{name}", kSeeOperations, http::Execution::kPool,
      [deps](const http::Request& request) { return show(deps, request); }, "A gate"));
  routes.push_back(http::route(
      http::Method::kPost, "/api/slipway/v1/gates/{name}/evaluate", kRunOperations,
      http::Execution::kPool,
      [deps](const http::Request& request) { return evaluate(deps, request); },
      "Compares a version with the champion and keeps the evidence"));
  return routes;
}

}  // namespace slipway::api
