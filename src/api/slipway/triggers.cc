// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/triggers.h"

#include <fstream>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/object.h"
#include "automation/retraining.h"
#include "automation/trainer.h"
#include "automation/trigger.h"
#include "base/error.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kRetrainingPageMax = 1'000;
constexpr std::int64_t kRetrainingPageDefault = 100;
constexpr std::int64_t kRetrainingsShown = 20;
constexpr std::int64_t kSettleDefaultS = 600;
constexpr std::int64_t kSettleMaxS = 86'400;

automation::Object get_trigger(storage::Session& session, const std::string& name) {
  if (auto object = automation::find_object(session, "Trigger", name)) {
    return *object;
  }
  throw Error(Code::kNotFound, "there is no trigger `" + name + "`", "slipway trigger list");
}

json::Object shown(storage::Session& session, const automation::Object& object,
                   std::int64_t retrainings_max) {
  const automation::TriggerState state = automation::get_trigger_state(session, object.name);
  json::Object trigger = automation::to_json(state);
  trigger.set("state", state.paused ? "paused" : "active");
  trigger.set("pipeline", *object.spec.find("pipeline"));
  trigger.set("endpoint", *object.spec.find("endpoint"));
  trigger.set("gate", *object.spec.find("gate"));
  trigger.set("last_fired",
              state.last_started ? json::Value(format_time(*state.last_started)) : json::Value());
  trigger.set("spec", object.spec);
  if (retrainings_max > 0) {
    json::Array retrainings;
    for (const automation::Retraining& retraining :
         automation::retrainings_of(session, object.name, retrainings_max)) {
      retrainings.emplace_back(automation::to_json(retraining));
    }
    trigger.set("retrainings", std::move(retrainings));
  }
  return trigger;
}

http::Response list_triggers(const AutomationApi& api, const http::Request&) {
  json::Array triggers;
  api.deps.database.read([&](storage::Session& session) {
    for (const automation::Object& object : automation::list_objects(session, "Trigger")) {
      triggers.emplace_back(shown(session, object, 0));
    }
  });
  return json_response(json::Object{{"triggers", std::move(triggers)}});
}

http::Response show_trigger(const AutomationApi& api, const http::Request& request) {
  return json_response(
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        return shown(session, get_trigger(session, request.path_parameter("name")),
                     kRetrainingsShown);
      }));
}

http::Response pause_or_resume(const AutomationApi& api, const http::Request& request, bool pause) {
  const std::string& name = request.path_parameter("name");
  const json::Object body = body_object(request);
  const std::string reason = pause ? required_text(body, "reason") : optional_text(body, "reason");
  const std::string actor = request.caller.actor();
  const json::Object trigger =
      api.deps.database.write_returning<json::Object>([&](storage::Transaction& transaction) {
        const automation::Object object = get_trigger(transaction, name);
        const TimeUs now = api.deps.watermark(automation::trigger_spec(object.spec).endpoint);
        if (pause) {
          automation::pause_trigger(transaction, api.deps.clock, name, actor, reason, now, "");
        } else {
          automation::resume_trigger(transaction, api.deps.clock, name, actor, now);
        }
        return shown(transaction, object, 0);
      });
  api.worker.wake();
  return json_response(trigger);
}

http::Response fire(const AutomationApi& api, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  const std::string reason = optional_text(body_object(request), "reason");
  const auto firing =
      api.deps.database.write_returning<automation::Firing>([&](storage::Transaction& transaction) {
        const automation::TriggerSpec spec =
            automation::trigger_spec(get_trigger(transaction, name).spec);
        return automation::fire_trigger(transaction, api.deps.clock, name, spec,
                                        api.deps.watermark(spec.endpoint), request.caller.actor(),
                                        reason);
      });
  api.worker.wake();
  return json_response(json::Object{{"firing", firing.id},
                                    {"event", firing.event_id},
                                    {"trigger", name},
                                    {"state", firing.state}});
}

http::Response list_retrainings(const AutomationApi& api, const http::Request& request) {
  const std::int64_t limit =
      query_integer(request, "limit", kRetrainingPageDefault, 1, kRetrainingPageMax);
  const std::string trigger = query_text(request, "trigger");
  json::Array retrainings;
  api.deps.database.read([&](storage::Session& session) {
    for (const auto& retraining : automation::retrainings_of(session, trigger, limit)) {
      retrainings.emplace_back(automation::to_json(retraining));
    }
    // One that was deleted still has its retrainings.
    if (trigger.empty() || !retrainings.empty() ||
        automation::find_object(session, "Trigger", trigger)) {
      return;
    }
    std::vector<std::string> names;
    for (const automation::Object& known : automation::list_objects(session, "Trigger")) {
      names.push_back(known.name);
    }
    throw unknown_name("trigger", trigger, names, "slipway trigger list");
  });
  return json_response(json::Object{{"retrainings", std::move(retrainings)}});
}

automation::Retraining retraining_of(const AutomationApi& api, const http::Request& request) {
  return api.deps.database.read_returning<automation::Retraining>([&](storage::Session& session) {
    return automation::get_retraining(session, request.path_parameter("id"));
  });
}

http::Response show_log(const AutomationApi& api, const http::Request& request) {
  const automation::Retraining retraining = retraining_of(api, request);
  // By id, not by the stored path: the data folder may have been moved since.
  std::ifstream file(automation::retraining_log_path(api.deps.places, retraining.id),
                     std::ios::binary | std::ios::ate);
  http::Response response;
  response.content_type = "text/plain; charset=utf-8";
  if (!file) {
    return response;  // it ended before its child began
  }
  const auto size = static_cast<std::uint64_t>(file.tellg());
  const std::uint64_t from = size > kLogBytesMax ? size - kLogBytesMax : 0;
  file.seekg(static_cast<std::streamoff>(from));
  response.body.resize(static_cast<std::size_t>(size - from));
  file.read(response.body.data(), static_cast<std::streamsize>(response.body.size()));
  return response;
}

http::Response settle(const AutomationApi& api, const http::Request& request) {
  const json::Object body = body_object(request);
  std::int64_t timeout_s = kSettleDefaultS;
  if (const json::Value* value = body.find("timeout_s"); value != nullptr) {
    if (value->kind() != json::Value::Kind::kInt || value->as_int() < 1 ||
        value->as_int() > kSettleMaxS) {
      throw Error(Code::kInvalidArgument,
                  "`timeout_s` must be an integer from 1 to " + std::to_string(kSettleMaxS));
    }
    timeout_s = value->as_int();
  }
  const automation::Worker::Settled settled =
      api.worker.settle(request.path_parameter("name"), timeout_s * kMicrosPerSecond);
  return json_response(json::Object{{"settled", settled.settled}, {"events", settled.events}});
}

}  // namespace

std::vector<http::Route> trigger_routes(const AutomationApi& api) {
  using http::Execution;
  using http::Method;
  const std::string base = "/api/slipway/v1";
  std::vector<http::Route> routes;
  const auto get = [&](const std::string& path, http::Handler handler, const std::string& summary) {
    routes.push_back(http::route(Method::kGet, base + path, kSeeOperations, Execution::kPool,
                                 std::move(handler), summary));
  };
  const auto post = [&](const std::string& path, http::Handler handler,
                        const std::string& summary) {
    routes.push_back(http::route(Method::kPost, base + path, kRunOperations, Execution::kPool,
                                 std::move(handler), summary));
  };
  get(
      "/triggers", [api](const http::Request& r) { return list_triggers(api, r); },
      "triggers and their state");
  get(
      "/triggers/{name}", [api](const http::Request& r) { return show_trigger(api, r); },
      "one trigger and its newest retrainings");
  post(
      "/triggers/{name}/pause",
      [api](const http::Request& r) { return pause_or_resume(api, r, true); },
      "starts nothing until resumed");
  post(
      "/triggers/{name}/resume",
      [api](const http::Request& r) { return pause_or_resume(api, r, false); }, "goes on");
  post(
      "/triggers/{name}/fire", [api](const http::Request& r) { return fire(api, r); },
      "retrain now");
  get(
      "/retrainings", [api](const http::Request& r) { return list_retrainings(api, r); },
      "retrainings, newest first");
  get(
      "/retrainings/{id}",
      [api](const http::Request& r) {
        return json_response(automation::to_json(retraining_of(api, r)));
      },
      "one retraining");
  get(
      "/retrainings/{id}/log", [api](const http::Request& r) { return show_log(api, r); },
      "what its pipeline printed");
  post(
      "/endpoints/{name}/settle", [api](const http::Request& r) { return settle(api, r); },
      "wait until everything that has happened is worked off");
  return routes;
}

}  // namespace slipway::api
