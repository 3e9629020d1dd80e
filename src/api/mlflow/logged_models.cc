// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/fields.h"
#include "api/mlflow/redaction.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "base/text.h"
#include "tracking/artifact_uri.h"
#include "tracking/experiment_table.h"
#include "tracking/logged_model_search.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::string_view kOne = "/mlflow/logged-models/{model_id}";

Routes::Work plan_create(const Parameters& parameters, const Clock& clock) {
  tracking::NewLoggedModel model;
  model.experiment_id = tracking::parse_experiment_id(parameters.text("experiment_id"));
  model.name = parameters.text("name");
  model.model_type = parameters.text("model_type");
  model.source_run_id = parameters.text("source_run_id");
  model.params = read_pairs(parameters, "params", Keys::kRequired);
  model.tags = read_pairs(parameters, "tags", Keys::kRequired);
  return [model, now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
    return answer(json::Object{
        {"model", to_json(tracking::create_logged_model(transaction, model, now_ms))}});
  };
}

Routes::Work plan_finalize(const Parameters& parameters, const http::Request& request,
                           const Clock& clock) {
  const json::Value* value = parameters.find("status");
  const auto status = tracking::parse_model_status(value->is_string() ? value->as_string()
                                                   : value->kind() == json::Value::Kind::kInt
                                                       ? std::to_string(value->as_int())
                                                       : "");
  if (!status || *status == tracking::ModelStatus::kUnspecified) {
    parameters.refuse(
        "status",
        "It must be one of LOGGED_MODEL_PENDING, LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED");
  }
  return [id = request.path_parameter("model_id"), status = *status,
          now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
    return answer(json::Object{
        {"model", to_json(tracking::finalize_logged_model(transaction, id, status, now_ms))}});
  };
}

// The answer to an order by something that models do not have.
std::optional<http::Response> refuse_order_field(const std::string& name) {
  if (name.starts_with("metrics.") || tracking::is_logged_model_order(name)) return std::nullopt;
  if (name.find('.') != std::string::npos) {
    throw Error(Code::kInvalidArgument,
                "Invalid order by field name: " + name + ". Only metrics are supported.");
  }
  return error_response({"INVALID_PARAMETER_VALUE", 400, "KAM04", "ATTRIBUTE_NOT_FOUND"},
                        "Invalid order by field name: " + name);
}

http::Response search(storage::Session& session, const Parameters& parameters,
                      const http::Caller& caller) {
  tracking::LoggedModelSearch search;
  const std::vector<std::string> ids = parameters.texts("experiment_ids");
  search.experiment_ids.reserve(ids.size());
  for (const std::string& id : ids)
    search.experiment_ids.push_back(tracking::parse_experiment_id(id));
  search.experiment_ids =
      readable_experiments(session, caller, search.experiment_ids, "logged_model");
  search.filter = parameters.text("filter");
  for (const Parameters& item : parameters.objects("datasets")) {
    search.datasets.push_back({item.text("dataset_name"), item.text("dataset_digest")});
  }
  for (const Parameters& item : parameters.objects("order_by")) {
    std::string field_name = item.text("field_name");
    if (auto refusal = refuse_order_field(field_name)) return *std::move(refusal);
    search.order_by.push_back({std::move(field_name),
                               item.maybe_boolean("ascending").value_or(true),
                               item.text("dataset_name"), item.text("dataset_digest")});
  }
  search.limit = parameters.max_results(100, tracking::kLoggedModelsPageMax);
  search.page_token = parameters.text("page_token");
  const tracking::LoggedModelPage page = tracking::search_logged_models(session, search);
  json::Object body;
  json::Array models;
  Redaction redaction(session, caller);
  for (const tracking::LoggedModel& model : page.models)
    models.push_back(to_json(redaction.of(model)));
  if (!models.empty()) body.set("models", std::move(models));
  if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
  return answer(body);
}

void add_reads(Routes& routes) {
  routes.read(
      http::Method::kGet, kOne, may::read(By::kLoggedModel), {},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        const tracking::LoggedModel model = tracking::get_logged_model(
            session, request.path_parameter("model_id"),
            same_ignoring_case(parameters.text("allow_deleted"), "true"));
        return answer(
            json::Object{{"model", to_json(Redaction(session, request.caller).of(model))}});
      },
      "A logged model");
  routes.read(
      http::Method::kPost, "/mlflow/logged-models/search", may::search(),
      {field::required("experiment_ids", Field::Kind::kTexts), field::text("filter"),
       field::list("datasets"), field::integer("max_results"), field::list("order_by"),
       field::text("page_token")},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        return search(session, parameters, request.caller);
      },
      "Logged models that meet a filter, in order, in pages");
}

void add_parts(Routes& routes) {
  routes.write(
      http::Method::kPatch, std::string(kOne) + "/tags", may::edit(By::kLoggedModel),
      {field::list("tags")},
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                tags = read_pairs(parameters, "tags", Keys::kRequired)](
                   storage::Transaction& transaction) {
          tracking::set_logged_model_tags(transaction, id, tags);
          return answer();
        };
      },
      "Sets tags of a logged model");
  routes.write(
      http::Method::kDelete, std::string(kOne) + "/tags/{tag_key}", may::edit(By::kLoggedModel), {},
      [](const Parameters&, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                key = request.path_parameter("tag_key")](storage::Transaction& transaction) {
          tracking::delete_logged_model_tag(transaction, id, key);
          return answer();
        };
      },
      "Removes a tag of a logged model");
  routes.write(
      http::Method::kPost, std::string(kOne) + "/params", may::edit(By::kLoggedModel),
      {field::required("model_id"), field::list("params")},
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                params = read_pairs(parameters, "params", Keys::kRequired)](
                   storage::Transaction& transaction) {
          tracking::log_logged_model_params(transaction, id, params);
          return answer();
        };
      },
      "Adds parameters to a logged model");
}

}  // namespace

std::vector<http::Route> logged_model_routes(const Deps& deps) {
  Routes routes(deps.database);
  const Clock& clock = deps.clock;
  routes.write(
      http::Method::kPost, "/mlflow/logged-models", may::edit(By::kExperimentOfNewModel),
      {field::required("experiment_id"), field::text("name"), field::text("model_type"),
       field::text("source_run_id"), field::list("params"), field::list("tags")},
      [&clock](const Parameters& parameters, const http::Request&) {
        return plan_create(parameters, clock);
      },
      "Creates a logged model");
  routes.write(
      http::Method::kPatch, kOne, may::edit(By::kLoggedModel),
      {field::required("model_id"), {"status", Field::Kind::kAny, true}},
      [&clock](const Parameters& parameters, const http::Request& request) {
        return plan_finalize(parameters, request, clock);
      },
      "Says that a logged model is ready, or that its upload failed");
  routes.write(
      http::Method::kDelete, kOne, may::manage(By::kLoggedModel), {},
      [&clock](const Parameters&, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
          tracking::delete_logged_model(transaction, id, now_ms);
          return answer();
        };
      },
      "Marks a logged model deleted");
  add_reads(routes);
  add_parts(routes);
  tracking::ArtifactStore& store = deps.artifacts;
  routes.read(
      http::Method::kGet, std::string(kOne) + "/artifacts/directories", may::read(By::kLoggedModel),
      {field::text("artifact_directory_path")},
      [&store](storage::Session& session, const Parameters& parameters,
               const http::Request& request) {
        const tracking::LoggedModel model =
            tracking::get_logged_model(session, request.path_parameter("model_id"));
        return list_artifacts(store, model.artifact_uri,
                              parameters.text("artifact_directory_path"));
      },
      "Files of a logged model");
  routes.read(
      http::Method::kGet, std::string(kOne) + "/artifacts/files", may::read(By::kLoggedModel), {},
      [&store](storage::Session& session, const Parameters& parameters,
               const http::Request& request) {
        const tracking::LoggedModel model =
            tracking::get_logged_model(session, request.path_parameter("model_id"));
        if (parameters.text("artifact_file_path").empty()) {
          return error_response({"BAD_REQUEST", 400, "KAM00", "INVALID_PARAMETER_VALUE"},
                                "Request must include the \"artifact_file_path\" query parameter.");
        }
        return send_artifact(store, model.artifact_uri, parameters.text("artifact_file_path"),
                             request);
      },
      "A file of a logged model", Prefixes::kAjax2);
  return routes.take();
}

}  // namespace slipway::api::mlflow
