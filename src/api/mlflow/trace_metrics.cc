// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_metrics.h"

#include <algorithm>

#include "api/mlflow/trace_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/experiment_table.h"

namespace slipway::api::mlflow {
namespace {

// By their numbers in protobuf; 0 is none.
constexpr std::string_view kViews[] = {"METRIC_VIEW_TYPE_UNSPECIFIED", "TRACES", "SPANS",
                                       "ASSESSMENTS"};
constexpr std::string_view kAggregations[] = {
    "AGGREGATION_TYPE_UNSPECIFIED", "COUNT", "SUM", "AVG", "PERCENTILE", "MIN", "MAX"};

// The number of an enum's word or number; 0 for anything else.
template <std::size_t N>
std::size_t enum_number(const json::Value& value, const std::string_view (&words)[N]) {
  if (value.kind() == json::Value::Kind::kInt && value.as_int() > 0 &&
      value.as_int() < static_cast<std::int64_t>(N))
    return static_cast<std::size_t>(value.as_int());
  if (!value.is_string()) return 0;
  const auto* found = std::find(std::begin(words), std::end(words), value.as_string());
  return found == std::end(words) ? 0 : static_cast<std::size_t>(found - std::begin(words));
}

tracing::MetricAggregation read_aggregation(const Parameters& given) {
  tracing::MetricAggregation asked;
  const json::Value* type = given.find("aggregation_type");
  const std::size_t number = type == nullptr ? 0 : enum_number(*type, kAggregations);
  if (number == 0)
    given.refuse("aggregation_type", "It must be one of COUNT, SUM, AVG, PERCENTILE, MIN, MAX");
  asked.aggregation = static_cast<tracing::Aggregation>(number - 1);
  const bool percentile = asked.aggregation == tracing::Aggregation::kPercentile;
  if (!percentile && given.has("percentile_value"))
    given.refuse("percentile_value", "It goes with PERCENTILE alone");
  if (!percentile) return asked;
  asked.percentile = given.required_number("percentile_value");
  if (!(asked.percentile >= 0 && asked.percentile <= 100))
    given.refuse("percentile_value", "It must be between 0 and 100");
  return asked;
}

std::vector<std::int64_t> read_experiments(const Parameters& parameters) {
  std::vector<std::int64_t> ids;
  for (const std::string& id : parameters.texts("experiment_ids"))
    ids.push_back(tracking::parse_experiment_id(id));
  return ids;
}

tracing::MetricQuery read_query(const Parameters& parameters) {
  tracing::MetricQuery query;
  query.experiment_ids = read_experiments(parameters);
  const std::size_t view = enum_number(*parameters.find("view_type"), kViews);
  if (view == 0) parameters.refuse("view_type", "It must be one of TRACES, SPANS, ASSESSMENTS");
  query.view = static_cast<tracing::MetricView>(view - 1);
  query.metric_name = parameters.text("metric_name");
  for (const Parameters& given : parameters.objects("aggregations"))
    query.aggregations.push_back(read_aggregation(given));
  query.dimensions = parameters.texts("dimensions");
  query.filters = parameters.texts("filters");
  query.interval_s = parameters.maybe_int64("time_interval_seconds");
  query.start_ms = parameters.maybe_int64("start_time_ms");
  query.end_ms = parameters.maybe_int64("end_time_ms");
  query.limit = parameters.maybe_int64("max_results").value_or(query.limit);
  return query;
}

http::Response metrics(storage::Session& session, const Parameters& parameters) {
  const tracing::MetricQuery query = read_query(parameters);
  json::Array points;
  for (const tracing::MetricPoint& point : tracing::query_metrics(session, query)) {
    json::Object item{{"metric_name", query.metric_name}};
    json::Object dimensions;
    for (const auto& [name, value] : point.dimensions) dimensions.set(name, value);
    if (!dimensions.empty()) item.set("dimensions", std::move(dimensions));
    json::Object values;
    for (const auto& [name, value] : point.values) values.set(name, value);
    item.set("values", std::move(values));
    points.emplace_back(std::move(item));
  }
  json::Object body;
  if (!points.empty()) body.set("data_points", std::move(points));
  return answer(body);
}

http::Response correlation(storage::Session& session, const Parameters& parameters) {
  const tracing::FilterCorrelation found = tracing::correlate_filters(
      session, read_experiments(parameters), parameters.text("filter_string1"),
      parameters.text("filter_string2"), parameters.text("base_filter"));
  json::Object body;
  if (found.npmi) body.set("npmi", *found.npmi);
  if (found.npmi_smoothed) body.set("npmi_smoothed", *found.npmi_smoothed);
  body.set("filter1_count", found.first);
  body.set("filter2_count", found.second);
  body.set("joint_count", found.joint);
  body.set("total_count", found.total);
  return answer(body);
}

}  // namespace

std::vector<http::Route> trace_metric_routes(const Deps& deps) {
  Routes routes(deps.database);
  routes.read(
      http::Method::kPost, "/mlflow/traces/metrics", may::read(By::kExperimentsOfTraces),
      {field::required("experiment_ids", Field::Kind::kTexts),
       field::required("view_type", Field::Kind::kAny), field::required("metric_name"),
       field::required("aggregations", Field::Kind::kList), field::texts("dimensions"),
       field::texts("filters"), field::integer("time_interval_seconds"),
       field::integer("start_time_ms"), field::integer("end_time_ms"),
       field::integer("max_results"), field::text("page_token")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return metrics(session, parameters);
      },
      "Sums over traces, spans or assessments", Prefixes::kBoth3);
  routes.read(
      http::Method::kPost, "/mlflow/traces/calculate-filter-correlation",
      may::read(By::kExperimentsOfTraces),
      {field::required("experiment_ids", Field::Kind::kTexts), field::required("filter_string1"),
       field::required("filter_string2"), field::text("base_filter")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return correlation(session, parameters);
      },
      "How two filters of traces go together", Prefixes::kBoth3);
  return routes.take();
}

}  // namespace slipway::api::mlflow
