// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/endpoints.h"

#include <chrono>
#include <memory>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/rollout_controller.h"
#include "base/log.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "serving/endpoint.h"
#include "serving/predictor.h"
#include "serving/rollout.h"

namespace slipway::api {
namespace {

using serving::EndpointRow;
using serving::HoldRow;

constexpr int kRollbackAttemptsMax = 5;  // each lost to a step or an end of the rollout meanwhile

// In the word and unit of the file; kept in µs.
double latency_limit_ms(const EndpointRow& row) {
  return static_cast<double>(row.latency_limit_us) / static_cast<double>(kMicrosPerMilli);
}

json::Value served_json(const std::shared_ptr<const serving::ServedVersion>& served) {
  if (!served) return {};
  return json::Object{
      {"model", served->model},        {"version", served->version},
      {"run_id", served->run_id},      {"engine", served->engine},
      {"cost_us", served->cost_us(1)}, {"loaded_at", format_time(served->loaded_at)}};
}

json::Value hold_json(const std::optional<HoldRow>& hold) {
  if (!hold) return {};
  json::Object object{{"reason", hold->reason},
                      {"actor", hold->actor},
                      {"set_at", format_time(hold->set_at)},
                      {"until", ledger::time_or_null(hold->until)}};
  if (hold->version > 0) object.set("version", hold->version);
  return object;
}

// All that is known about one endpoint at this moment.
json::Object endpoint_json(const ServingDeps& deps, storage::Session& session,
                           const EndpointRow& row) {
  json::Object object{{"name", row.name}, {"model", row.model}};
  if (row.version > 0)
    object.set("version", row.version);
  else
    object.set("alias", row.alias);
  object.set("clock", serving::clock_name(row.clock));
  object.set("latency_limit_ms", latency_limit_ms(row));
  object.set("canary", row.canary.empty() ? json::Value() : json::parse(row.canary));
  const auto route = deps.manager.router().find(row.name);
  object.set("champion", route ? served_json(route->champion) : json::Value());
  object.set("challenger", route ? served_json(route->challenger) : json::Value());
  object.set("problem", route ? route->problem : "not loaded yet");
  object.set("loading", !route || route->loading);
  const auto rollout = serving::find_active_rollout(session, row.name);
  object.set("rollout", rollout ? json::Value(serving::to_json(
                                      *rollout, deps.log.counters(rollout->id, rollout->step)))
                                : json::Value());
  object.set("hold", hold_json(serving::find_hold(session, row.name, deps.clock.now())));
  object.set("watermark", ledger::time_or_null(deps.log.watermark(row.name)));
  // Requests outside of rollouts that the version now at 100 % has answered here.
  if (route && route->champion)
    object.set("counters", serving::to_json(deps.log.baseline(row.name, route->champion->version)));
  object.set("created_at", format_time(row.created_at));
  object.set("updated_at", format_time(row.updated_at));
  return object;
}

http::Response list(const ServingDeps& deps) {
  json::Array items;
  deps.database.read([&](storage::Session& session) {
    for (const EndpointRow& row : serving::list_endpoints(session))
      items.emplace_back(endpoint_json(deps, session, row));
  });
  return json_response(json::Object{{"endpoints", std::move(items)}});
}

http::Response show(const ServingDeps& deps, const std::string& name) {
  return json_response(deps.database.read_returning<json::Object>([&](storage::Session& session) {
    return endpoint_json(deps, session, serving::get_endpoint(session, name));
  }));
}

struct RollbackRequest {
  std::string actor;
  std::string endpoint;
  std::string reason;
  TimeUs ttl_us = serving::kHoldDefaultUs;
};

RollbackRequest read_rollback(const http::Request& request) {
  const json::Object body = body_object(request);
  RollbackRequest wish;
  wish.actor = request.caller.actor();
  wish.endpoint = request.path_parameter("name");
  wish.reason = optional_text(body, "reason", "rolled back by hand");
  if (wish.reason.size() > kReasonBytesMax) {
    throw Error(Code::kInvalidArgument,
                "`reason` is longer than " + std::to_string(kReasonBytesMax) + " bytes");
  }
  const std::string ttl = optional_text(body, "ttl");
  if (!ttl.empty()) {
    const auto duration = parse_duration(ttl);
    if (!duration)
      throw Error(Code::kInvalidArgument,
                  "`ttl` must be a duration as in 90s, 12h or 10d, not `" + ttl + "`");
    wish.ttl_us = *duration;
  }
  return wish;
}

// The version that the alias held before the one it holds now came there. A rollback itself is no
// such coming: asked twice, two versions are gone back.
std::int64_t version_before(storage::Session& session, const EndpointRow& row,
                            std::int64_t current) {
  for (const registry::AliasMove& move : registry::alias_history(session, row.model, row.alias)) {
    if (move.rollback || !move.to || *move.to != current) continue;
    if (move.from) return *move.from;
    break;
  }
  throw Error(Code::kFailedPrecondition, "alias `" + row.alias + "` of model `" + row.model +
                                             "` held no version before " + std::to_string(current));
}

json::Object move_back(storage::Transaction& transaction, const ServingDeps& deps,
                       const EndpointRow& row, const RollbackRequest& wish, TimeUs event_time) {
  const auto target = registry::find_alias(transaction, row.model, row.alias);
  if (!target)
    throw Error(Code::kFailedPrecondition,
                "model `" + row.model + "` has no alias `" + row.alias + "` to move back");
  registry::AliasChange change;
  change.model = row.model;
  change.alias = row.alias;
  change.version = version_before(transaction, row, target->version);
  change.actor = wish.actor;
  change.reason = wish.reason;
  change.event_time = event_time;
  change.direct = true;
  change.rollback = true;
  const registry::AliasMove move = registry::move_alias(transaction, deps.clock, change);
  return {{"action", "alias_moved"},
          {"alias", row.alias},
          {"from", target->version},
          {"to", *change.version},
          {"move", move.move}};
}

// What the log has counted of the endpoint's rollout, so far that it can be counted again.
struct Counted {
  std::string rollout;  // "" = none
  int step = 0;
  serving::StepCounters counters;
};

Counted count(const ServingDeps& deps, const std::string& endpoint) {
  Counted counted;
  const auto rollout = deps.database.read_returning<std::optional<serving::RolloutRow>>(
      [&](storage::Session& session) { return serving::find_active_rollout(session, endpoint); });
  if (!rollout) return counted;
  counted.rollout = rollout->id;
  counted.step = rollout->step;
  counted.counters = deps.log.counters(rollout->id, rollout->step);
  try {
    deps.log.flush();
  } catch (const Error& error) {
    // A log in trouble is a reason for a rollback, not against it.
    log::warning("a rollback could not wait for the prediction log",
                 {{"endpoint", endpoint}, {"reason", error.what()}});
  }
  return counted;
}

// nullopt: the endpoint's rollout is not the one, or not at the step, that was counted.
std::optional<json::Object> roll_back(storage::Transaction& transaction, const ServingDeps& deps,
                                      const RollbackRequest& wish, const Counted& counted) {
  const EndpointRow row = serving::get_endpoint(transaction, wish.endpoint);
  const TimeUs event_time = deps.log.watermark(row.name);
  const serving::Change change{wish.actor, "", event_time};
  HoldRow hold;
  hold.endpoint = row.name;
  hold.reason = wish.reason;
  hold.actor = wish.actor;
  hold.until = deps.clock.now() + wish.ttl_us;
  json::Object done;
  const auto rollout = serving::find_active_rollout(transaction, row.name);
  if ((rollout ? rollout->id : "") != counted.rollout ||
      (rollout && rollout->step != counted.step)) {
    return std::nullopt;
  }
  if (rollout) {
    automation::abort_in_rollback(
        transaction, deps.clock, *rollout,
        {counted.counters, wish.actor, "rolled back by hand: " + wish.reason, event_time});
    done = {{"action", "rollout_aborted"},
            {"rollout", rollout->id},
            {"from", rollout->challenger},
            {"to", rollout->champion}};
  } else if (row.version > 0) {
    const auto present = serving::find_hold(transaction, row.name, deps.clock.now());
    if (present && present->version > 0)
      throw Error(Code::kFailedPrecondition,
                  "endpoint `" + row.name + "` is rolled back already: " + present->reason);
    if (row.previous_version == 0)
      throw Error(Code::kFailedPrecondition,
                  "endpoint `" + row.name + "` was never pinned to another version");
    hold.version = row.previous_version;
    done = {{"action", "version_held"}, {"from", row.version}, {"to", row.previous_version}};
  } else {
    done = move_back(transaction, deps, row, wish, event_time);
  }
  serving::set_hold(transaction, deps.clock, hold, change);
  done.set("hold_until", format_time(hold.until));
  transaction.after_commit([&manager = deps.manager] { manager.refresh(); });
  return done;
}

// Routes to what is in memory before the answer is given, and leaves loading to the manager's
// threads: break-glass is not to wait for a version, its own or another endpoint's.
void route_now(const ServingDeps& deps) {
  deps.manager.refresh_within(std::chrono::milliseconds(0));
}

http::Response rollback(const ServingDeps& deps, const http::Request& request) {
  const RollbackRequest wish = read_rollback(request);
  for (int attempt = 0; attempt < kRollbackAttemptsMax; ++attempt) {
    const Counted counted = count(deps, wish.endpoint);
    const auto done = deps.database.write_returning<std::optional<json::Object>>(
        [&](storage::Transaction& transaction) {
          return roll_back(transaction, deps, wish, counted);
        });
    if (!done) continue;
    route_now(deps);
    if (!counted.rollout.empty()) deps.log.retain_from("rollout:" + counted.rollout, INT64_MAX);
    return json_response(*done);
  }
  throw Error(Code::kConflict,
              "the rollout of endpoint `" + wish.endpoint + "` kept moving on; try again");
}

http::Response release(const ServingDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  bool held = false;
  deps.database.write([&](storage::Transaction& transaction) {
    held = serving::release_hold(transaction, deps.clock, name,
                                 {request.caller.actor(), "", deps.log.watermark(name)});
  });
  route_now(deps);
  return json_response(json::Object{{"released", held}});
}

http::Response move_watermark(const ServingDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  const auto event_time = optional_time(body_object(request), "event_time");
  if (!event_time) throw Error(Code::kInvalidArgument, "`event_time` is missing");
  const EndpointRow row = deps.database.read_returning<EndpointRow>(
      [&](storage::Session& session) { return serving::get_endpoint(session, name); });
  if (row.clock != serving::EndpointClock::kEvent) {
    throw Error(Code::kFailedPrecondition,
                "endpoint `" + name +
                    "` runs on the wall clock; only one with `clock: event` is told the time");
  }
  if (*event_time > deps.clock.now() + serving::kEventTimeAheadMaxUs) {
    throw Error(Code::kInvalidArgument, "`event_time` " + format_time(*event_time) +
                                            " is more than 5 minutes ahead of now");
  }
  const TimeUs holds = deps.log.advance_watermark(name, *event_time);
  deps.log.flush();
  return json_response(json::Object{{"watermark", format_time(holds)}});
}

}  // namespace

std::vector<http::Route> endpoint_routes(const ServingDeps& given) {
  using http::Execution;
  using http::Method;
  const auto deps = std::make_shared<const ServingDeps>(given);
  const std::string base = "/api/slipway/v1/endpoints";
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      Method::kGet, base, kSeeOperations, Execution::kPool,
      [deps](const http::Request&) { return list(*deps); }, "All endpoints with what they serve"));
  routes.push_back(http::route(
      Method::kGet, base + "/{name}", kSeeEndpoint, Execution::kPool,
      [deps](const http::Request& r) { return show(*deps, r.path_parameter("name")); },
      "An endpoint: versions, rollout, hold, watermark, counters"));
  routes.push_back(http::route(
      Method::kPost, base + "/{name}/rollback", kDecideEndpoint, Execution::kPool,
      [deps](const http::Request& r) { return rollback(*deps, r); },
      "Back to the version before, and hold automation off"));
  routes.push_back(http::route(
      Method::kPost, base + "/{name}/release", kDecideEndpoint, Execution::kPool,
      [deps](const http::Request& r) { return release(*deps, r); }, "End the hold"));
  routes.push_back(http::route(
      Method::kPost, base + "/{name}/watermark", kRunEndpoint, Execution::kPool,
      [deps](const http::Request& r) { return move_watermark(*deps, r); },
      "Say how far event time has come"));
  return routes;
}

}  // namespace slipway::api
