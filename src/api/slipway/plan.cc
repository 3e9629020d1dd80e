// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/plan.h"

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/apply.h"
#include "automation/object.h"
#include "automation/plan.h"
#include "base/error.h"

namespace slipway::api {
namespace {

using automation::PlanFacts;

http::Response post_plan(const AutomationApi& api, const http::Request& request) {
  const automation::PlanRequest wanted = automation::plan_request_from_json(body_object(request));
  const PlanFacts facts{api.deps.requests_per_day, api.deps.watermark};
  const bool named = api.deps.database.read_returning<bool>(
      [](storage::Session& session) { return automation::find_store_id(session).has_value(); });
  if (!named) {
    // The plan names the store that it was made against, so the store needs its name before the
    // first apply.
    api.deps.database.write([&](storage::Transaction& transaction) {
      automation::store_id(transaction, api.deps.clock);
    });
  }
  return json_response(
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        return automation::to_json(automation::make_plan(session, api.deps.clock, facts, wanted));
      }));
}

http::Response post_apply(const AutomationApi& api, const http::Request& request) {
  const json::Object body = body_object(request);
  const PlanFacts facts{api.deps.requests_per_day, api.deps.watermark};
  const json::Value* plan = body.find("plan");
  if (plan != nullptr && !plan->is_object()) {
    throw Error(Code::kInvalidArgument,
                "`plan` must be an object, not " + std::string(json::kind_name(*plan)));
  }
  const automation::PlanRequest wanted =
      plan == nullptr ? automation::plan_request_from_json(body) : automation::PlanRequest();
  const std::string actor = request.caller.actor();
  const json::Object applied =
      api.deps.database.write_returning<json::Object>([&](storage::Transaction& transaction) {
        return automation::to_json(
            plan == nullptr ? automation::apply(transaction, api.deps.clock, facts, wanted, actor)
                            : automation::apply_plan_file(transaction, api.deps.clock, facts,
                                                          plan->as_object(), actor));
      });
  api.changed();
  return json_response(applied);
}

http::Response get_objects(const AutomationApi& api, const http::Request& request) {
  const std::string kind = query_text(request, "kind");
  json::Array objects;
  api.deps.database.read([&](storage::Session& session) {
    for (const automation::Object& object : automation::list_objects(session, kind)) {
      objects.emplace_back(automation::shown_json(object));
    }
  });
  return json_response(json::Object{{"objects", std::move(objects)}});
}

}  // namespace

std::vector<http::Route> plan_routes(const AutomationApi& api) {
  using http::Execution;
  using http::Method;
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      Method::kPost, "/api/slipway/v1/plan", kRunOperations, Execution::kPool,
      [api](const http::Request& request) { return post_plan(api, request); },
      "what a file would change"));
  routes.push_back(http::route(
      Method::kPost, "/api/slipway/v1/apply", kApplyFiles, Execution::kPool,
      [api](const http::Request& request) { return post_apply(api, request); },
      "make what a file says so, all or nothing"));
  routes.push_back(http::route(
      Method::kGet, "/api/slipway/v1/objects", kSeeOperations, Execution::kPool,
      [api](const http::Request& request) { return get_objects(api, request); },
      "objects that files manage"));
  for (http::Route& route : routes) {
    route.body_bytes_max = kPlanBodyBytesMax;
  }
  return routes;
}

}  // namespace slipway::api
