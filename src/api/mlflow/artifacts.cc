// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/model_versions.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "tracking/artifact_index.h"
#include "tracking/artifact_uri.h"
#include "tracking/run_table.h"

namespace slipway::api::mlflow {
namespace {

// What MLflow's page uploads by hand. A little more is read, to be refused in MLflow's words.
constexpr std::uint64_t kPageUploadBytesMax = 10U << 20;
constexpr std::uint64_t kPageUploadReadMax = 12U << 20;

// Records a stored file and answers once that is committed.
void acknowledge(const Deps& deps, const std::string& path,
                 const tracking::ArtifactStore::Stored& stored, const http::Response& response,
                 http::Responder responder) {
  submit(
      deps.database,
      [path, stored, response, now = deps.clock.now()](storage::Transaction& transaction) {
        tracking::record_artifact(transaction, path, stored, now);
        return response;
      },
      std::move(responder));
}

// POST ?run_uuid=&path= with the file as the body, from MLflow's page.
void upload(const Deps& deps, http::Request& request, http::Responder responder) {
  const auto run_id = request.query_value("run_uuid");
  const auto path = request.query_value("path");
  if (!run_id || run_id->empty())
    throw Error(Code::kInvalidArgument, "Request must specify run_uuid.");
  if (!path || path->empty()) throw Error(Code::kInvalidArgument, "Request must specify path.");
  tracking::check_artifact_path(*path, false);
  if (request.body.size() > kPageUploadBytesMax) {
    throw Error(Code::kInvalidArgument, "Artifact size is too large. Max size is 10MB.");
  }
  if (request.body.empty()) throw Error(Code::kInvalidArgument, "Request must specify data.");
  tracking::RunInfo run;
  bool allowed = false;
  deps.database.read([&](storage::Session& session) {
    allowed = may_run(session, request.caller, http::Level::kEdit, *run_id);
    if (allowed) run = tracking::get_active_run(session, *run_id);
  });
  if (!allowed) return responder.send(forbidden_response());
  const std::string target = path_in_store(run.artifact_uri, *path);
  acknowledge(deps, target, deps.artifacts.put(target, request.body), http::Response(),
              std::move(responder));
}

// GET ?run_id=&path=, without MLflow's prefix and without a table of fields.
http::Response send_run_artifact(const Deps& deps, const http::Request& request) {
  const auto path = request.query_value("path");
  if (!path) return error_page(400);
  tracking::check_artifact_path(*path, false);
  auto run_id = request.query_value("run_id");
  if (!run_id || run_id->empty()) run_id = request.query_value("run_uuid");
  if (!run_id || run_id->empty()) throw Error(Code::kNotFound, "Run with id=None not found");
  tracking::RunInfo run;
  bool allowed = false;
  deps.database.read([&](storage::Session& session) {
    allowed = may_run(session, request.caller, http::Level::kRead, *run_id);
    if (allowed) run = tracking::get_run_info(session, *run_id);
  });
  if (!allowed) return forbidden_response();
  return send_artifact(deps.artifacts, run.artifact_uri, *path, request);
}

// GET ?name=&version=&path=: a file of a registered version, wherever its source leads in this
// server's store.
http::Response send_version_artifact(const Deps& deps, const http::Request& request) {
  const auto path = request.query_value("path");
  if (!path) return error_page(400);
  tracking::check_artifact_path(*path, false);
  const std::string name(request.query_value("name").value_or(""));
  registry::check_model_name(name);
  const std::int64_t number = parse_version(request.query_value("version").value_or(""));
  registry::ModelVersion version;
  std::optional<std::string> root;
  bool allowed = false;
  deps.database.read([&](storage::Session& session) {
    allowed = permitted(session, may::read(By::kModelVersion),
                        Parameters(json::Object{{"name", name}}, ""), request);
    if (!allowed) return;
    version = registry::get_version(session, name, number);
    root = tracking::resolve_artifacts(session, version.location);
  });
  if (!allowed) return forbidden_response();
  if (!root) {
    throw Error(Code::kUnimplemented,
                "the files of this version are at '" + version.location +
                    "', which this server does not serve: read them from there");
  }
  return send_file(deps.artifacts, tracking::join_path(*root, *path), request);
}

}  // namespace

std::vector<http::Route> artifact_routes(const Deps& deps) {
  Routes routes(deps.database);
  tracking::ArtifactStore& store = deps.artifacts;
  routes.read(
      http::Method::kGet, "/mlflow/artifacts/list", may::read(By::kRun),
      {field::required("run_id"), field::text("path"), field::text("page_token")},
      [&store](storage::Session& session, const Parameters& parameters, const http::Request&) {
        const tracking::RunInfo run =
            tracking::get_run_info(session, parameters.required_text("run_id"));
        return list_artifacts(store, run.artifact_uri, parameters.text("path"));
      },
      "Files of a run");
  routes.add(http::route(
      http::Method::kGet, "/get-artifact", declared(may::read(By::kRun)), http::Execution::kPool,
      [deps](const http::Request& request) { return send_run_artifact(deps, request); },
      "A file of a run"));
  routes.add(http::route(
      http::Method::kGet, "/model-versions/get-artifact", declared(may::read(By::kModelVersion)),
      http::Execution::kPool,
      [deps](const http::Request& request) { return send_version_artifact(deps, request); },
      "A file of a registered version"));
  routes.add({.method = http::Method::kPost,
              .pattern = "/ajax-api/2.0/mlflow/upload-artifact",
              .access = declared(may::edit(By::kRun)),
              .execution = http::Execution::kPool,
              .handler =
                  [deps](http::Request& request, http::Responder responder) {
                    upload(deps, request, std::move(responder));
                  },
              .body_bytes_max = kPageUploadReadMax,
              .summary = "Stores a file of a run, at most 10 MiB"});
  return routes.take();
}

}  // namespace slipway::api::mlflow
