// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/predictions.h"

#include <memory>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "ledger/evidence.h"
#include "registry/model_version.h"
#include "registry/provenance.h"
#include "serving/served_version.h"
#include "serving/tensor_json.h"

namespace slipway::api {
namespace {

using serving::PredictionRecord;

json::Array tensors_json(const std::vector<serving::Tensor>& tensors) {
  json::Array list;
  for (const serving::Tensor& tensor : tensors) {
    std::string text;
    serving::append_tensor(text, tensor);
    list.push_back(json::parse(text, {.bare_non_finite = true}));
  }
  return list;
}

json::Object record_json(const PredictionRecord& record) {
  return {{"endpoint", record.endpoint},
          {"model", record.model},
          {"version", record.version},
          {"run_id", record.run_id},
          {"arm", serving::arm_name(record.arm)},
          {"rollout", record.rollout},
          {"step", std::int64_t{record.step}},
          {"direct", record.direct},
          {"client_id", record.client_id},
          {"event_time", format_time(record.event_time)},
          {"recorded_at", format_time(record.recorded_at)},
          {"rows", record.rows},
          {"status", std::int64_t{record.status}},
          {"latency_us", record.latency_us},
          {"slow", record.slow},
          {"nan", record.nan},
          {"sampled", record.sampled},
          {"inputs", tensors_json(record.inputs)},
          {"outputs", tensors_json(record.outputs)}};
}

std::string tag_of(const json::Value& run, std::string_view key) {
  const json::Value* const tags = run.find("tags");
  const json::Value* const tag = tags != nullptr ? tags->find(key) : nullptr;
  return tag != nullptr && tag->is_string() ? tag->as_string() : "";
}

// A tag that holds JSON; as text where it does not.
json::Value tag_json(const json::Value& run, std::string_view key) {
  const std::string text = tag_of(run, key);
  if (text.empty()) return {};
  try {
    return json::parse(text, {.bare_non_finite = true});
  } catch (const Error&) {
    return text;
  }
}

// What the pipeline recorded before the stages' commands ran, from the runs of the provenance
// document.
struct Lineage {
  std::string commit;
  json::Array stages;
  json::Array data;  // every dependency and output once
};

void add_data(Lineage& lineage, const json::Value& list) {
  if (!list.is_array()) return;
  for (const json::Value& item : list.as_array()) {
    bool known = false;
    for (const json::Value& present : lineage.data) known = known || present == item;
    if (!known) lineage.data.push_back(item);
  }
}

void add_run(Lineage& lineage, const json::Value& run) {
  if (!run.is_object()) return;
  const std::string commit = tag_of(run, "slipway.commit");
  const std::string fallback = commit.empty() ? tag_of(run, "mlflow.source.git.commit") : commit;
  if (lineage.commit.empty()) lineage.commit = fallback;
  const std::string stage = tag_of(run, "slipway.stage");
  if (stage.empty()) return;
  const json::Value* const id = run.find("run_id");
  const json::Value deps = tag_json(run, "slipway.deps");
  const json::Value outs = tag_json(run, "slipway.outs");
  add_data(lineage, deps);
  add_data(lineage, outs);
  lineage.stages.emplace_back(json::Object{{"run_id", id != nullptr ? *id : json::Value()},
                                           {"stage", stage},
                                           {"commit", commit},
                                           {"dirty", tag_of(run, "slipway.dirty")},
                                           {"deps", deps},
                                           {"outs", outs},
                                           {"params", tag_json(run, "slipway.params")},
                                           {"environment", tag_json(run, "slipway.env")}});
}

// From the record to version, provenance, stages, data and commit.
json::Object explain_version(storage::Session& session, const PredictionRecord& record) {
  json::Object object;
  const auto version = registry::find_version(session, record.model, record.version);
  object.set("version", version ? json::Value(json::Object{
                                      {"model", version->model},
                                      {"version", version->version},
                                      {"run_id", version->run_id},
                                      {"source", version->source},
                                      {"condition", registry::condition_name(version->condition)},
                                      {"created_at", format_time(version->created_at)}})
                                : json::Value());
  Lineage lineage;
  json::Value provenance;
  if (const auto evidence = registry::find_provenance(session, record.model, record.version)) {
    json::Object document{{"hash", evidence->hash}};
    for (const json::Member& member : evidence->body.as_object())
      document.set(member.first, member.second);
    if (const json::Value* run = evidence->body.find("run")) add_run(lineage, *run);
    if (const json::Value* parents = evidence->body.find("parents");
        parents != nullptr && parents->is_array()) {
      for (const json::Value& parent : parents->as_array()) add_run(lineage, parent);
    }
    if (const json::Value* stages = evidence->body.find("stages");
        stages != nullptr && stages->is_array()) {
      for (const json::Value& stage : stages->as_array()) add_run(lineage, stage);
    }
    provenance = std::move(document);
  }
  object.set("provenance", std::move(provenance));
  const auto outputs = ledger::latest_evidence(
      session, "provenance-outputs", registry::provenance_subject(record.model, record.version));
  if (outputs) {
    if (const json::Value* outs = outputs->body.find("outs")) add_data(lineage, *outs);
  }
  object.set("outputs_document", outputs ? json::Value(outputs->hash) : json::Value());
  object.set("commit", lineage.commit.empty() ? json::Value() : json::Value(lineage.commit));
  object.set("stages", std::move(lineage.stages));
  object.set("data", std::move(lineage.data));
  return object;
}

json::Object not_replayed(const std::string& reason) {
  return {{"done", false}, {"reason", reason}};
}

json::Object replay(const ServingDeps& deps, const PredictionRecord& record) {
  if (record.sampled) return not_replayed("inputs and outputs were left out under overload");
  if (record.error)
    return not_replayed("the request failed with status " + std::to_string(record.status));
  try {
    const auto version = deps.manager.version(record.model, record.version);
    const std::vector<serving::Tensor> outputs = serving::score(*version, record.inputs);
    const bool equal = serving::same_values(outputs, record.outputs);
    return {{"done", true},
            {"equal", equal},
            {"engine", version->engine},
            {"largest_difference", serving::largest_difference(outputs, record.outputs)},
            {"reason", equal ? "" : "the recorded version gives other outputs now"}};
  } catch (const Error& error) {
    return not_replayed(error.what());
  }
}

http::Response explain(const ServingDeps& deps, const std::string& text) {
  const auto wanted = serving::parse_prediction_row(text);
  if (!wanted) {
    throw Error(Code::kInvalidArgument,
                "`" + text.substr(0, 100) +
                    "` is no prediction id; they look like 00000001-42 or 00000001-42/0");
  }
  auto record = deps.log.find(wanted->id);
  if (!record) {
    deps.log.flush();  // it may be younger than the last sync
    record = deps.log.find(wanted->id);
  }
  if (!record)
    throw Error(Code::kNotFound,
                "there is no prediction `" + serving::to_text(wanted->id) + "` in the log");
  if (!record->error && wanted->row >= record->rows) {
    throw Error(Code::kNotFound, "prediction `" + serving::to_text(wanted->id) + "` has " +
                                     std::to_string(record->rows) + " rows, no row " +
                                     std::to_string(wanted->row));
  }
  json::Object answer{{"id", serving::to_text(wanted->id)},
                      {"row", wanted->row},
                      {"prediction", record_json(*record)}};
  const auto version = deps.database.read_returning<json::Object>(
      [&](storage::Session& session) { return explain_version(session, *record); });
  for (const json::Member& member : version) answer.set(member.first, member.second);
  answer.set("replay", replay(deps, *record));
  return json_response(answer);
}

}  // namespace

std::vector<http::Route> prediction_routes(const ServingDeps& given) {
  const auto deps = std::make_shared<const ServingDeps>(given);
  const auto at = [&](const char* pattern) {
    return http::route(
        http::Method::kGet, pattern, kSeeOperations, http::Execution::kPool,
        [deps](const http::Request& r) { return explain(*deps, r.path_parameter("id")); },
        "From a prediction back to model, run, stages, data and commit");
  };
  return {at("/api/slipway/v1/predictions/{id...}")};
}

}  // namespace slipway::api
