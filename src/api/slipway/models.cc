// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/models.h"

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/promotion.h"
#include "base/error.h"
#include "ledger/event.h"
#include "registry/alias.h"

namespace slipway::api {
namespace {

http::Response promote(const AutomationApi& api, const http::Request& request) {
  const json::Object body = body_object(request);
  const json::Value* version = body.find("version");
  if (version == nullptr || version->kind() != json::Value::Kind::kInt || version->as_int() < 1) {
    throw Error(Code::kInvalidArgument, "`version` must be the number of a version, 1 or more");
  }
  automation::PromotionRequest wanted;
  wanted.model = request.path_parameter("name");
  wanted.version = version->as_int();
  wanted.alias = optional_text(body, "alias", "champion");
  wanted.actor = request.caller.actor();
  wanted.reason = optional_text(body, "reason");
  const automation::Promotion promotion = automation::promote(api.deps, wanted);
  if (promotion.result == automation::PromotionResult::kRefused && promotion.by != "gate") {
    throw Error(Code::kFailedPrecondition, promotion.reason);
  }
  api.changed();
  return json_response(automation::to_json(promotion));
}

json::Value or_null(const std::optional<std::int64_t>& number) {
  return number ? json::Value(*number) : json::Value();
}

http::Response history(const AutomationApi& api, const http::Request& request) {
  const std::string& model = request.path_parameter("name");
  const std::string& alias = request.path_parameter("alias");
  json::Array moves;
  api.deps.database.read([&](storage::Session& session) {
    for (const registry::AliasMove& move : registry::alias_history(session, model, alias)) {
      moves.emplace_back(
          json::Object{{"move", move.move},
                       {"from", or_null(move.from)},
                       {"to", or_null(move.to)},
                       {"actor", move.actor},
                       {"reason", move.reason},
                       {"evidence", json::Array(move.evidence.begin(), move.evidence.end())},
                       {"event_time", ledger::time_or_null(move.event_time)},
                       {"recorded_at", format_time(move.recorded_at)},
                       {"direct", move.direct},
                       {"rollback", move.rollback},
                       {"rollout", move.rollout}});
    }
  });
  return json_response(
      json::Object{{"model", model}, {"alias", alias}, {"moves", std::move(moves)}});
}

}  // namespace

std::vector<http::Route> model_routes(const AutomationApi& api) {
  using http::Execution;
  using http::Method;
  return {http::route(
              Method::kPost, "/api/slipway/v1/models/{name}/promote", kDecideOperations,
              Execution::kPool, [api](const http::Request& r) { return promote(api, r); },
              "the gate, then the alias or a rollout"),
          http::route(
              Method::kGet, "/api/slipway/v1/models/{name}/aliases/{alias}/history", kSeeOperations,
              Execution::kPool, [api](const http::Request& r) { return history(api, r); },
              "who moved an alias, why and on which evidence")};
}

}  // namespace slipway::api
