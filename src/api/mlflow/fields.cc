// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/fields.h"

#include "base/error.h"

namespace slipway::api::mlflow {
namespace {

json::Value dataset_inputs(const std::vector<tracking::DatasetInput>& datasets) {
  json::Array list;
  for (const tracking::DatasetInput& input : datasets) {
    json::Object dataset{{"name", input.name},
                         {"digest", input.digest},
                         {"source_type", input.source_type},
                         {"source", input.source}};
    if (!input.schema.empty()) dataset.set("schema", input.schema);
    if (!input.profile.empty()) dataset.set("profile", input.profile);
    json::Object item;
    if (!input.tags.empty()) item.set("tags", key_value_list(input.tags));
    item.set("dataset", std::move(dataset));
    list.emplace_back(std::move(item));
  }
  return list;
}

}  // namespace

std::string_view lifecycle_stage(bool deleted) { return deleted ? "deleted" : "active"; }

tracking::Pairs read_pairs(const Parameters& parameters, std::string_view name, Keys keys) {
  tracking::Pairs pairs;
  for (const Parameters& item : parameters.objects(name)) {
    std::string key = keys == Keys::kRequired ? item.required_text("key") : item.text("key");
    pairs.emplace_back(std::move(key), item.text("value"));
  }
  return pairs;
}

tracking::ViewType read_view_type(const Parameters& parameters, std::string_view name) {
  const json::Value* value = parameters.find(name);
  if (value == nullptr) return tracking::ViewType::kActiveOnly;
  const std::string text = value->is_string() ? value->as_string()
                           : value->kind() == json::Value::Kind::kInt
                               ? std::to_string(value->as_int())
                               : "";
  if (text == "ACTIVE_ONLY" || text == "1") return tracking::ViewType::kActiveOnly;
  if (text == "DELETED_ONLY" || text == "2") return tracking::ViewType::kDeletedOnly;
  if (text == "ALL" || text == "3") return tracking::ViewType::kAll;
  parameters.refuse(name, "It must be one of ACTIVE_ONLY, DELETED_ONLY, ALL");
}

std::string bearer_token(const http::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto header = request.header("Authorization");
  if (!header || !header->starts_with(kScheme)) return "";
  return std::string(header->substr(kScheme.size()));
}

json::Value to_json(const tracking::RunInfo& info) {
  json::Object object{{"run_uuid", info.id},
                      {"experiment_id", std::to_string(info.experiment_id)},
                      {"run_name", info.name},
                      {"user_id", info.user_id},
                      {"status", tracking::status_name(info.status)},
                      {"start_time", info.start_time_ms}};
  if (info.end_time_ms) object.set("end_time", *info.end_time_ms);
  object.set("artifact_uri", info.artifact_uri);
  object.set("lifecycle_stage", lifecycle_stage(info.deleted));
  object.set("run_id", info.id);
  return object;
}

json::Value to_json(const tracking::Run& run, bool with_outputs) {
  json::Object data;
  json::Array metrics;
  metrics.reserve(run.metrics.size());
  for (const tracking::LatestMetric& metric : run.metrics) {
    metrics.emplace_back(json::Object{{"key", metric.key},
                                      {"value", metric.value},
                                      {"timestamp", metric.time_ms},
                                      {"step", metric.step}});
  }
  if (!metrics.empty()) data.set("metrics", std::move(metrics));
  if (!run.params.empty()) data.set("params", key_value_list(run.params));
  if (!run.tags.empty()) data.set("tags", key_value_list(run.tags));
  json::Object inputs;
  if (!run.datasets.empty()) inputs.set("dataset_inputs", dataset_inputs(run.datasets));
  json::Array model_inputs;
  for (const std::string& id : run.model_inputs)
    model_inputs.emplace_back(json::Object{{"model_id", id}});
  if (!model_inputs.empty()) inputs.set("model_inputs", std::move(model_inputs));
  json::Object object{
      {"info", to_json(run.info)}, {"data", std::move(data)}, {"inputs", std::move(inputs)}};
  if (!with_outputs) return object;
  json::Object outputs;
  json::Array models;
  for (const tracking::ModelOutput& model : run.model_outputs) {
    models.emplace_back(json::Object{{"model_id", model.model_id}, {"step", model.step}});
  }
  if (!models.empty()) outputs.set("model_outputs", std::move(models));
  object.set("outputs", std::move(outputs));
  return object;
}

json::Value to_json(const tracking::LoggedModel& model) {
  json::Object info{{"model_id", model.id},
                    {"experiment_id", std::to_string(model.experiment_id)},
                    {"name", model.name},
                    {"creation_timestamp_ms", model.created_at_ms},
                    {"last_updated_timestamp_ms", model.updated_at_ms},
                    {"artifact_uri", model.artifact_uri},
                    {"status", tracking::status_name(model.status)},
                    {"model_type", model.model_type},
                    {"source_run_id", model.source_run_id}};
  if (!model.status_message.empty()) info.set("status_message", model.status_message);
  if (!model.tags.empty()) info.set("tags", key_value_list(model.tags));
  json::Object data;
  if (!model.params.empty()) data.set("params", key_value_list(model.params));
  json::Array metrics;
  for (const tracking::ModelMetric& metric : model.metrics) {
    json::Object item{{"key", metric.key},
                      {"value", metric.value},
                      {"timestamp", metric.time_ms},
                      {"step", metric.step}};
    if (!metric.dataset_name.empty()) item.set("dataset_name", metric.dataset_name);
    if (!metric.dataset_digest.empty()) item.set("dataset_digest", metric.dataset_digest);
    item.set("model_id", model.id);
    item.set("run_id", metric.run_id);
    metrics.emplace_back(std::move(item));
  }
  if (!metrics.empty()) data.set("metrics", std::move(metrics));
  return json::Object{{"info", std::move(info)}, {"data", std::move(data)}};
}

}  // namespace slipway::api::mlflow
