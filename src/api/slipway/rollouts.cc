// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/rollouts.h"

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/rollout_controller.h"
#include "automation/rollout_policy.h"
#include "serving/endpoint.h"
#include "serving/rollout.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kRolloutPageMax = 1'000;
constexpr std::int64_t kRolloutPageDefault = 100;

// With `losses`, the ones of its policy that it is judged by, and `latency_limit_ms`, above which a
// request is `slow`; null and null for a rollout that was begun without a policy.
json::Object shown(const AutomationApi& api, const serving::RolloutRow& rollout) {
  const json::Object policy_json = json::parse(rollout.policy).as_object();
  const auto in_policy = [&](std::string_view key) {
    const json::Value* value = policy_json.find(key);
    return value == nullptr ? json::Value() : *value;
  };
  const bool open = serving::is_open(rollout.state);
  const serving::StepCounters live =
      open ? api.deps.counters(rollout.id, rollout.step) : serving::StepCounters();
  json::Object object = open ? serving::to_json(rollout, live) : serving::to_json(rollout);
  object.set("losses", in_policy("losses"));
  object.set("latency_limit_ms", in_policy("latency_limit_ms"));
  if (!open) {
    return object;
  }
  const automation::Judgement judgement = automation::judge(
      automation::rollout_policy(policy_json), automation::judged_steps(rollout, live),
      rollout.started_event_time, api.deps.watermark(rollout.endpoint));
  object.set("judgement", json::Object{{"decision", automation::decision_name(judgement.decision)},
                                       {"reason", judgement.reason},
                                       {"numbers", judgement.numbers}});
  return object;
}

http::Response list(const AutomationApi& api, const http::Request& request) {
  const std::string endpoint = query_text(request, "endpoint");
  const std::int64_t limit =
      query_integer(request, "limit", kRolloutPageDefault, 1, kRolloutPageMax);
  std::vector<serving::RolloutRow> rows;
  api.deps.database.read([&](storage::Session& session) {
    rows = serving::list_rollouts(session, endpoint, limit);
    // One that was deleted still has its rollouts.
    if (endpoint.empty() || !rows.empty() || serving::find_endpoint(session, endpoint)) {
      return;
    }
    std::vector<std::string> names;
    for (const serving::EndpointRow& row : serving::list_endpoints(session)) {
      names.push_back(row.name);
    }
    throw unknown_name("endpoint", endpoint, names, "slipway endpoint list");
  });
  json::Array rollouts;
  for (const serving::RolloutRow& row : rows) {
    rollouts.emplace_back(shown(api, row));
  }
  return json_response(json::Object{{"rollouts", std::move(rollouts)}});
}

http::Response show(const AutomationApi& api, const http::Request& request) {
  const auto row =
      api.deps.database.read_returning<serving::RolloutRow>([&](storage::Session& session) {
        return serving::get_rollout(session, request.path_parameter("id"));
      });
  return json_response(shown(api, row));
}

http::Response pause_or_resume(const AutomationApi& api, const http::Request& request, bool pause) {
  const std::string& id = request.path_parameter("id");
  const auto row = api.deps.database.write_returning<serving::RolloutRow>([&](storage::Transaction&
                                                                                  transaction) {
    const serving::RolloutRow before = serving::get_rollout(transaction, id);
    const serving::Change change{request.caller.actor(), "", api.deps.watermark(before.endpoint)};
    return pause ? serving::pause_rollout(transaction, api.deps.clock, id, change)
                 : serving::resume_rollout(transaction, api.deps.clock, id, change);
  });
  api.changed();
  return json_response(shown(api, row));
}

http::Response end(const AutomationApi& api, const http::Request& request, bool promote) {
  const std::string reason = required_text(body_object(request), "reason");
  const std::string& id = request.path_parameter("id");
  const std::string actor = request.caller.actor();
  const serving::RolloutRow row = promote ? automation::promote_rollout(api.deps, id, actor, reason)
                                          : automation::abort_rollout(api.deps, id, actor, reason);
  api.changed();
  return json_response(shown(api, row));
}

}  // namespace

std::vector<http::Route> rollout_routes(const AutomationApi& api) {
  using http::Execution;
  using http::Method;
  const std::string base = "/api/slipway/v1/rollouts";
  std::vector<http::Route> routes;
  const auto get = [&](const std::string& path, http::Handler handler, const std::string& summary) {
    routes.push_back(http::route(Method::kGet, base + path, kSeeOperations, Execution::kPool,
                                 std::move(handler), summary));
  };
  const auto post = [&](const std::string& path, const http::Access& access, http::Handler handler,
                        const std::string& summary) {
    routes.push_back(http::route(Method::kPost, base + path, access, Execution::kPool,
                                 std::move(handler), summary));
  };
  get(
      "", [api](const http::Request& r) { return list(api, r); }, "rollouts, newest first");
  get(
      "/{id}", [api](const http::Request& r) { return show(api, r); },
      "one rollout with its counters and e-values");
  post(
      "/{id}/pause", kRunOperations,
      [api](const http::Request& r) { return pause_or_resume(api, r, true); },
      "the champion serves all; nothing is decided");
  post(
      "/{id}/resume", kRunOperations,
      [api](const http::Request& r) { return pause_or_resume(api, r, false); },
      "goes on where it was");
  post(
      "/{id}/promote", kDecideOperations,
      [api](const http::Request& r) { return end(api, r, true); },
      "ends it: the alias moves to the challenger");
  post(
      "/{id}/abort", kDecideOperations,
      [api](const http::Request& r) { return end(api, r, false); }, "ends it: production stays");
  return routes;
}

}  // namespace slipway::api
