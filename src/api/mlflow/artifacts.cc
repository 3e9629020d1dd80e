// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/artifact_index.h"
#include "tracking/run_table.h"

namespace slipway::api::mlflow {
namespace {

// What MLflow's page uploads by hand.
constexpr std::uint64_t kPageUploadBytesMax = 10U << 20;

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
  tracking::RunInfo run;
  deps.database.read(
      [&](storage::Session& session) { run = tracking::get_active_run(session, *run_id); });
  const std::string target = path_in_store(run.artifact_uri, *path);
  acknowledge(deps, target, deps.artifacts.put(target, request.body), answer(),
              std::move(responder));
}

}  // namespace

std::vector<http::Route> artifact_routes(const Deps& deps) {
  Routes routes(deps.database);
  tracking::ArtifactStore& store = deps.artifacts;
  routes.read(
      http::Method::kGet, "/mlflow/artifacts/list",
      [&store](storage::Session& session, const Parameters& parameters, const http::Request&) {
        const tracking::RunInfo run =
            tracking::get_run_info(session, parameters.required_text("run_id"));
        return list_artifacts(store, run.artifact_uri, parameters.text("path"));
      },
      "Files of a run");
  storage::Database& database = deps.database;
  routes.add(http::route(
      http::Method::kGet, "/get-artifact", http::Permission::kOpenOnLoopback,
      http::Execution::kPool,
      [&store, &database](const http::Request& request) {
        const Parameters parameters(request);
        tracking::RunInfo run;
        database.read([&](storage::Session& session) {
          run = tracking::get_run_info(session, parameters.required_text("run_id"));
        });
        return send_artifact(store, run.artifact_uri, parameters.required_text("path"), request);
      },
      "A file of a run"));
  http::Route route;
  route.method = http::Method::kPost;
  route.pattern = "/ajax-api/2.0/mlflow/upload-artifact";
  route.permission = http::Permission::kOpenOnLoopback;
  route.execution = http::Execution::kPool;
  route.body_bytes_max = kPageUploadBytesMax;
  route.summary = "Stores a file of a run, at most 10 MiB";
  route.handler = [deps](http::Request& request, http::Responder responder) {
    upload(deps, request, std::move(responder));
  };
  routes.add(std::move(route));
  return routes.take();
}

}  // namespace slipway::api::mlflow
