// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/monitors.h"

#include <memory>
#include <string>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "monitoring/alarm.h"
#include "monitoring/export.h"
#include "monitoring/monitor.h"
#include "monitoring/webhook.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kBlocksDefault = 100;
constexpr std::int64_t kBlocksMax = 10'000;
constexpr std::int64_t kAlarmsDefault = 100;
constexpr std::int64_t kAlarmsMax = 1'000;
constexpr std::int64_t kAlarmsOfMonitor = 20;
constexpr std::int64_t kDeliveriesOfMonitor = 20;
constexpr std::int64_t kLeaveOutMax = 3'650;

json::Array alarms_json(const std::vector<monitoring::Alarm>& alarms) {
  json::Array list;
  for (const monitoring::Alarm& alarm : alarms) list.push_back(monitoring::to_json(alarm));
  return list;
}

json::Object monitor_json(const MonitorDeps& deps, storage::Session& session,
                          const monitoring::Monitor& monitor) {
  monitoring::MonitorStatus status = monitoring::monitor_status(session, monitor.name);
  status.watermark = deps.log.watermark(monitor.spec.endpoint);
  return json::Object{{"name", monitor.name},
                      {"spec", monitoring::to_json(monitor.spec)},
                      {"status", monitoring::to_json(status)}};
}

json::Array deliveries_json(storage::Session& session, const std::string& webhook) {
  json::Array list;
  if (webhook.empty()) return list;
  for (const monitoring::Delivery& delivery :
       monitoring::list_deliveries(session, webhook, kDeliveriesOfMonitor)) {
    list.emplace_back(json::Object{{"seq", delivery.seq},
                                   {"webhook", delivery.webhook},
                                   {"state", delivery.state},
                                   {"attempts", delivery.attempts},
                                   {"error", delivery.last_error}});
  }
  return list;
}

http::Response list(const MonitorDeps& deps) {
  json::Array monitors;
  deps.database.read([&](storage::Session& session) {
    for (const monitoring::Monitor& monitor : monitoring::list_monitors(session)) {
      monitors.emplace_back(monitor_json(deps, session, monitor));
    }
  });
  return json_response(json::Object{{"monitors", std::move(monitors)}});
}

http::Response show(const MonitorDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  const std::int64_t limit = query_integer(request, "blocks", kBlocksDefault, 0, kBlocksMax);
  return json_response(deps.database.read_returning<json::Object>([&](storage::Session& session) {
    const monitoring::Monitor monitor = monitoring::get_monitor(session, name);
    json::Object body = monitor_json(deps, session, monitor);
    json::Array blocks;
    const double loss_scale = monitoring::loss_scale(monitor.spec.loss);
    for (const monitoring::BlockRow& block : monitoring::list_blocks(session, name, limit)) {
      blocks.push_back(monitoring::to_json(block, loss_scale));
    }
    body.set("blocks", std::move(blocks));
    body.set("alarms", alarms_json(monitoring::list_alarms(session, name, kAlarmsOfMonitor)));
    body.set("deliveries", deliveries_json(session, monitor.spec.webhook));
    return body;
  }));
}

TimeUs read_until(const http::Request& request) {
  const std::string text = query_text(request, "until");
  if (text.empty()) return 0;
  const std::optional<TimeUs> time = parse_time(text);
  if (!time || *time <= 0) {
    throw Error(Code::kInvalidArgument,
                "`until` must be a time like 2013-03-01T05:00:00Z, not `" + text + "`");
  }
  return *time;
}

http::Response export_csv(const MonitorDeps& deps, const http::Request& request) {
  const std::string format = query_text(request, "format");
  if (!format.empty() && format != "csv") {
    throw Error(Code::kInvalidArgument, "`format` must be csv, not `" + format + "`");
  }
  monitoring::ExportOptions options;
  options.until = read_until(request);
  options.leave_out_days = query_integer(request, "leave_out", 0, 0, kLeaveOutMax);
  const auto data = std::make_shared<monitoring::LabelledExport>(
      deps.database, deps.log, deps.artifacts, request.path_parameter("name"), options);
  http::Response response;
  response.content_type = "text/csv; charset=utf-8; header=present";
  response.source = [data](std::string& out) { return data->next(out); };
  return response;
}

http::Response alarms(const MonitorDeps& deps, const http::Request& request) {
  const std::string monitor = query_text(request, "monitor");
  const std::int64_t limit = query_integer(request, "limit", kAlarmsDefault, 1, kAlarmsMax);
  return json_response(deps.database.read_returning<json::Object>([&](storage::Session& session) {
    const std::vector<monitoring::Alarm> found = monitoring::list_alarms(session, monitor, limit);
    // One that was deleted still has its alarms.
    if (!monitor.empty() && found.empty() && !monitoring::find_monitor(session, monitor)) {
      std::vector<std::string> names;
      for (const monitoring::Monitor& known : monitoring::list_monitors(session)) {
        names.push_back(known.name);
      }
      throw unknown_name("monitor", monitor, names, "slipway monitor list");
    }
    return json::Object{{"alarms", alarms_json(found)}};
  }));
}

http::Response alarm(const MonitorDeps& deps, const http::Request& request) {
  const std::string& id = request.path_parameter("id");
  return json_response(deps.database.read_returning<json::Value>([&](storage::Session& session) {
    const std::optional<monitoring::Alarm> found = monitoring::find_alarm(session, id);
    if (!found) throw Error(Code::kNotFound, "there is no alarm `" + id + "`");
    return monitoring::to_json(*found);
  }));
}

}  // namespace

std::vector<http::Route> monitor_routes(const MonitorDeps& deps) {
  constexpr auto kGet = http::Method::kGet;
  constexpr auto kPool = http::Execution::kPool;
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      kGet, "/api/slipway/v1/monitors", kSeeOperations, kPool,
      [deps](const http::Request&) { return list(deps); }, "Monitors and what they see"));
  routes.push_back(http::route(
      kGet, "/api/slipway/v1/monitors/{name}", kSeeOperations, kPool,
      [deps](const http::Request& request) { return show(deps, request); },
      "A monitor with its newest blocks and alarms"));
  routes.push_back(http::route(
      kGet, "/api/slipway/v1/monitors/{name}/export", kExportOperations, kPool,
      [deps](const http::Request& request) { return export_csv(deps, request); },
      "Labelled predictions as CSV"));
  routes.push_back(http::route(
      kGet, "/api/slipway/v1/alarms", kSeeOperations, kPool,
      [deps](const http::Request& request) { return alarms(deps, request); },
      "Alarms, newest first"));
  routes.push_back(http::route(
      kGet, "/api/slipway/v1/alarms/{id}", kSeeOperations, kPool,
      [deps](const http::Request& request) { return alarm(deps, request); }, "An alarm"));
  return routes;
}

}  // namespace slipway::api
