// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/errors.h"
#include "api/mlflow/trace_json.h"
#include "api/mlflow/trace_routes.h"
#include "base/error.h"
#include "tracing/trace_search.h"
#include "tracing/trace_table.h"
#include "tracking/experiment_table.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::string_view kTraces = "/mlflow/traces";

std::vector<std::int64_t> read_locations(const Parameters& parameters) {
  std::vector<std::int64_t> ids;
  for (const Parameters& location : parameters.objects("locations")) {
    if (const auto experiment = location.object("mlflow_experiment"))
      ids.push_back(tracking::parse_experiment_id(experiment->text("experiment_id")));
  }
  return ids;
}

http::Response search(storage::Session& session, const Parameters& parameters,
                      const http::Caller& caller) {
  tracing::TraceSearch search;
  search.experiment_ids =
      readable_experiments(session, caller, read_locations(parameters), "trace");
  search.filter = parameters.text("filter");
  search.order_by = parameters.texts("order_by");
  search.limit = parameters.max_results(100, tracing::kTracesPageMax);
  search.page_token = parameters.text("page_token");
  const tracing::TracePage page = tracing::search_traces(session, search);
  json::Array traces;
  for (const tracing::TraceInfo& trace : page.traces) traces.push_back(to_json(trace));
  json::Object body;
  if (!traces.empty()) body.set("traces", std::move(traces));
  if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
  return answer_line(body);
}

http::Response infos(storage::Session& session, const Parameters& parameters) {
  std::optional<std::vector<std::int64_t>> experiments;
  if (parameters.has("experiment_ids")) {
    experiments.emplace();
    for (const std::string& id : parameters.texts("experiment_ids"))
      experiments->push_back(tracking::parse_experiment_id(id));
  }
  json::Array traces;
  for (const tracing::TraceInfo& trace :
       tracing::find_traces(session, parameters.texts("trace_ids"), experiments))
    traces.push_back(to_json(trace));
  json::Object body;
  if (!traces.empty()) body.set("trace_infos", std::move(traces));
  return answer_line(body);
}

Routes::Work plan_start(const Parameters& parameters, const Clock& clock) {
  const auto trace = parameters.object("trace");
  const auto info = trace->object("trace_info");
  if (!info) {
    throw Error(Code::kInvalidArgument, "Missing value for required parameter '" +
                                            trace->path_of("trace_info") + "'." +
                                            std::string(kSeeDocs));
  }
  return [given = read_trace_info(*info),
          now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
    return trace_answer(tracing::start_trace(transaction, given, now_ms));
  };
}

Routes::Work plan_delete(const Parameters& parameters) {
  tracing::TraceDeletion deletion;
  deletion.trace_ids = parameters.texts("request_ids");
  deletion.time_ms_max = parameters.maybe_int64("max_timestamp_millis");
  deletion.traces_max = parameters.maybe_int64("max_traces");
  tracing::check_deletion(deletion);
  deletion.experiment_id = read_experiment_id(parameters);
  return [deletion](storage::Transaction& transaction) {
    return answer(json::Object{{"traces_deleted", tracing::delete_traces(transaction, deletion)}});
  };
}

}  // namespace

std::vector<http::Route> trace_routes(const Deps& deps) {
  Routes routes(deps.database);
  const Clock& clock = deps.clock;
  routes.write(
      http::Method::kPost, kTraces, may::edit(By::kNewTrace), {{"trace", Field::Kind::kAny, true}},
      [&clock](const Parameters& parameters, const http::Request&) {
        return plan_start(parameters, clock);
      },
      "Stores a trace, or completes one whose spans came first", Prefixes::kBoth3);
  routes.read(
      http::Method::kGet, std::string(kTraces) + "/{trace_id}", may::read(By::kTrace), {},
      [](storage::Session& session, const Parameters&, const http::Request& request) {
        return trace_answer(tracing::get_trace(session, request.path_parameter("trace_id")));
      },
      "A trace without its spans", Prefixes::kBoth3);
  routes.read(
      http::Method::kPost, std::string(kTraces) + "/batchGetInfos", may::read(By::kTraces),
      {field::required("trace_ids", Field::Kind::kTexts), field::texts("experiment_ids")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return infos(session, parameters);
      },
      "Traces without their spans", Prefixes::kBoth3);
  routes.read(
      http::Method::kPost, std::string(kTraces) + "/search", may::search(),
      {field::required("locations", Field::Kind::kList), field::text("filter"),
       field::integer("max_results", tracing::kTracesPageMax), field::texts("order_by"),
       field::text("page_token")},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        return search(session, parameters, request.caller);
      },
      "Traces that meet a filter, in order, in pages", Prefixes::kBoth3);
  for (const Prefixes prefixes : {Prefixes::kBoth2, Prefixes::kBoth3}) {
    routes.write(
        http::Method::kPost, std::string(kTraces) + "/delete-traces",
        may::manage(By::kExperimentOfTraces),
        {field::required("experiment_id"), field::integer("max_timestamp_millis"),
         field::integer("max_traces"), field::texts("request_ids")},
        [](const Parameters& parameters, const http::Request&) { return plan_delete(parameters); },
        "Deletes traces by their ids, or the oldest", prefixes);
  }
  return routes.take();
}

std::vector<http::Route> tracing_routes(const Deps& deps) {
  std::vector<http::Route> all;
  for (auto* table : {trace_routes, trace_v2_routes, trace_tag_routes, trace_span_routes,
                      assessment_routes, trace_metric_routes}) {
    for (http::Route& route : table(deps)) all.push_back(std::move(route));
  }
  return all;
}

}  // namespace slipway::api::mlflow
