// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/fields.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/artifact_uri.h"
#include "tracking/experiment_table.h"
#include "tracking/logged_model_search.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::string_view kOne = "/mlflow/logged-models/{model_id}";

// The experiment's id, which clients send as text and some as a number.
std::int64_t read_experiment_id(const Parameters& parameters) {
  const std::vector<std::string> id = parameters.texts("experiment_id");
  if (id.empty() || id.front().empty())
    return tracking::parse_experiment_id(parameters.required_text("experiment_id"));
  return tracking::parse_experiment_id(id.front());
}

Routes::Work plan_create(const Parameters& parameters, const Clock& clock) {
  tracking::NewLoggedModel model;
  model.experiment_id = read_experiment_id(parameters);
  model.name = parameters.text("name");
  model.model_type = parameters.text("model_type");
  model.source_run_id = parameters.text("source_run_id");
  model.params = read_pairs(parameters, "params");
  model.tags = read_pairs(parameters, "tags");
  return [model, now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
    return answer(json::Object{
        {"model", to_json(tracking::create_logged_model(transaction, model, now_ms))}});
  };
}

Routes::Work plan_finalize(const Parameters& parameters, const http::Request& request,
                           const Clock& clock) {
  const json::Value* value = parameters.find("status");
  if (value == nullptr) (void)parameters.required_text("status");  // says that it is missing
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

http::Response search(storage::Session& session, const Parameters& parameters) {
  tracking::LoggedModelSearch search;
  for (const std::string& id : parameters.texts("experiment_ids")) {
    search.experiment_ids.push_back(tracking::parse_experiment_id(id));
  }
  search.filter = parameters.text("filter");
  for (const Parameters& item : parameters.objects("datasets")) {
    search.datasets.push_back({item.text("dataset_name"), item.text("dataset_digest")});
  }
  for (const Parameters& item : parameters.objects("order_by")) {
    search.order_by.push_back({item.required_text("field_name"),
                               item.maybe_boolean("ascending").value_or(true),
                               item.text("dataset_name"), item.text("dataset_digest")});
  }
  search.limit = parameters.max_results(100, tracking::kLoggedModelsPageMax);
  search.page_token = parameters.text("page_token");
  const tracking::LoggedModelPage page = tracking::search_logged_models(session, search);
  json::Object body;
  json::Array models;
  for (const tracking::LoggedModel& model : page.models) models.push_back(to_json(model));
  if (!models.empty()) body.set("models", std::move(models));
  if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
  return answer(body);
}

void add_reads(Routes& routes) {
  routes.read(
      http::Method::kGet, kOne,
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        return answer(json::Object{
            {"model", to_json(tracking::get_logged_model(
                          session, request.path_parameter("model_id"),
                          parameters.maybe_boolean("allow_deleted").value_or(false)))}});
      },
      "A logged model");
  routes.read(
      http::Method::kPost, "/mlflow/logged-models/search",
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return search(session, parameters);
      },
      "Logged models that meet a filter, in order, in pages");
}

void add_parts(Routes& routes) {
  routes.write(
      http::Method::kPatch, std::string(kOne) + "/tags",
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                tags = read_pairs(parameters, "tags")](storage::Transaction& transaction) {
          tracking::set_logged_model_tags(transaction, id, tags);
          return answer();
        };
      },
      "Sets tags of a logged model");
  routes.write(
      http::Method::kDelete, std::string(kOne) + "/tags/{tag_key}",
      [](const Parameters&, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                key = request.path_parameter("tag_key")](storage::Transaction& transaction) {
          tracking::delete_logged_model_tag(transaction, id, key);
          return answer();
        };
      },
      "Removes a tag of a logged model");
  routes.write(
      http::Method::kPost, std::string(kOne) + "/params",
      [](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [id = request.path_parameter("model_id"),
                params = read_pairs(parameters, "params")](storage::Transaction& transaction) {
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
      http::Method::kPost, "/mlflow/logged-models",
      [&clock](const Parameters& parameters, const http::Request&) {
        return plan_create(parameters, clock);
      },
      "Creates a logged model");
  routes.write(
      http::Method::kPatch, kOne,
      [&clock](const Parameters& parameters, const http::Request& request) {
        return plan_finalize(parameters, request, clock);
      },
      "Says that a logged model is ready, or that its upload failed");
  routes.write(
      http::Method::kDelete, kOne,
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
      http::Method::kGet, std::string(kOne) + "/artifacts/directories",
      [&store](storage::Session& session, const Parameters& parameters,
               const http::Request& request) {
        const tracking::LoggedModel model =
            tracking::get_logged_model(session, request.path_parameter("model_id"));
        return list_artifacts(store, model.artifact_uri,
                              parameters.text("artifact_directory_path"));
      },
      "Files of a logged model");
  routes.read(
      http::Method::kGet, std::string(kOne) + "/artifacts/files",
      [&store](storage::Session& session, const Parameters& parameters,
               const http::Request& request) {
        const tracking::LoggedModel model =
            tracking::get_logged_model(session, request.path_parameter("model_id"));
        return send_artifact(store, model.artifact_uri,
                             parameters.required_text("artifact_file_path"), request);
      },
      "A file of a logged model", Prefixes::kAjax2);
  return routes.take();
}

}  // namespace slipway::api::mlflow
