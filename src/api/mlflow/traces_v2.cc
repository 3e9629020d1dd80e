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

// A list of {key, value}; MLflow points at the whole list when a key is missing.
tracing::Pairs read_list(const Parameters& parameters, std::string_view name) {
  tracing::Pairs pairs;
  for (const Parameters& item : parameters.objects(name)) {
    if (!item.has("key")) parameters.refuse_type(name);
    pairs.emplace_back(item.text("key"), item.text("value"));
  }
  check_pairs(parameters, name, pairs.size());
  return pairs;
}

http::Response info_answer(const tracing::TraceInfo& info) {
  return answer(json::Object{{"trace_info", to_json_v2(info)}});
}

Routes::Work plan_begin(const Parameters& parameters) {
  tracing::TraceInfo given;
  given.metadata = read_list(parameters, "request_metadata");
  given.tags = read_list(parameters, "tags");
  given.experiment_id = read_experiment_id(parameters);
  given.request_time_ms = parameters.maybe_int64("timestamp_ms").value_or(0);
  return [given](storage::Transaction& transaction) {
    return info_answer(tracing::begin_trace(transaction, given));
  };
}

tracing::TraceState read_status(const Parameters& parameters) {
  const json::Value* value = parameters.find("status");
  constexpr std::string_view kWords[] = {"TRACE_STATUS_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};
  std::string_view word;
  if (value != nullptr && value->is_string()) word = value->as_string();
  if (value != nullptr && value->kind() == json::Value::Kind::kInt && value->as_int() > 0 &&
      value->as_int() < 4)
    word = kWords[static_cast<std::size_t>(value->as_int())];
  const auto state = tracing::parse_state(word);
  if (!state || *state == tracing::TraceState::kUnspecified)
    parameters.refuse("status", "It must be one of OK, ERROR, IN_PROGRESS");
  return *state;
}

Routes::Work plan_end(const Parameters& parameters, const http::Request& request) {
  return [id = request.path_parameter("trace_id"),
          end_ms = parameters.maybe_int64("timestamp_ms").value_or(0),
          state = read_status(parameters), metadata = read_list(parameters, "request_metadata"),
          tags = read_list(parameters, "tags")](storage::Transaction& transaction) {
    return info_answer(tracing::end_trace(transaction, id, end_ms, state, metadata, tags));
  };
}

http::Response search(storage::Session& session, const Parameters& parameters,
                      const http::Caller& caller) {
  tracing::TraceSearch search;
  for (const std::string& id : parameters.texts("experiment_ids"))
    search.experiment_ids.push_back(tracking::parse_experiment_id(id));
  search.experiment_ids = readable_experiments(session, caller, search.experiment_ids, "trace");
  search.filter = parameters.text("filter");
  search.order_by = parameters.texts("order_by");
  search.limit = parameters.max_results(100, tracing::kTracesPageMax);
  search.page_token = parameters.text("page_token");
  const tracing::TracePage page = tracing::search_traces(session, search);
  json::Array traces;
  for (const tracing::TraceInfo& trace : page.traces) traces.push_back(to_json_v2(trace));
  json::Object body;
  if (!traces.empty()) body.set("traces", std::move(traces));
  if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
  return answer(body);
}

}  // namespace

std::vector<http::Route> trace_v2_routes(const Deps& deps) {
  Routes routes(deps.database);
  routes.write(
      http::Method::kPost, kTraces, may::edit(By::kExperimentOfTraces),
      {field::text("experiment_id"), field::integer("timestamp_ms"),
       field::list("request_metadata"), field::list("tags")},
      [](const Parameters& parameters, const http::Request&) { return plan_begin(parameters); },
      "Begins a trace (API 2.0)");
  routes.write(
      http::Method::kPatch, std::string(kTraces) + "/{trace_id}", may::edit(By::kTrace),
      {field::integer("timestamp_ms"), field::list("request_metadata"), field::list("tags")},
      plan_end, "Ends a trace (API 2.0)");
  routes.read(
      http::Method::kGet, std::string(kTraces) + "/{trace_id}/info", may::read(By::kTrace), {},
      [](storage::Session& session, const Parameters&, const http::Request& request) {
        return info_answer(tracing::get_trace(session, request.path_parameter("trace_id")));
      },
      "A trace without its spans (API 2.0)");
  routes.read(
      http::Method::kGet, kTraces, may::search(),
      {field::required("experiment_ids", Field::Kind::kTexts), field::text("filter"),
       field::integer("max_results", tracing::kTracesPageMax), field::texts("order_by"),
       field::text("page_token")},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        return search(session, parameters, request.caller);
      },
      "Traces that meet a filter, in order, in pages (API 2.0)");
  return routes.take();
}

}  // namespace slipway::api::mlflow
