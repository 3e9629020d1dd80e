// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"

namespace slipway::api::mlflow {
namespace {

// The version whose API this is: clients compare it with their own and switch features by it. Ours
// is at /api/slipway/v1/status.
constexpr std::string_view kMlflowVersion = "3.17.2";

// Workspaces are an option of MLflow's server that this one does not have; without it the stock
// server says so on these paths too.
void add_workspaces(std::vector<http::Route>& routes) {
  using http::Method;
  const auto add = [&routes](Method method, const std::string& pattern, const std::string& shown) {
    routes.push_back(http::route(
        method, pattern, declared(may::signed_in()), http::Execution::kInline,
        [shown](const http::Request&) {
          http::Response response;
          response.status = 503;
          response.content_type = "text/html; charset=utf-8";
          response.body = "Endpoint: " + shown +
                          " disabled because the server is running without workspaces support. To "
                          "enable workspace, run `mlflow server` with `--enable-workspaces`";
          return response;
        },
        "Says that there are no workspaces"));
  };
  for (const std::string prefix : {"/api/3.0", "/ajax-api/3.0"}) {
    const std::string base = prefix + "/mlflow/workspaces";
    for (const Method method : {Method::kGet, Method::kPost}) add(method, base, base);
    for (const Method method : {Method::kGet, Method::kPatch, Method::kDelete})
      add(method, base + "/{workspace_name}", base + "/<workspace_name>");
  }
}

}  // namespace

std::vector<http::Route> server_info_routes(const Deps&) {
  std::vector<http::Route> routes;
  add_workspaces(routes);
  routes.push_back(http::route(
      http::Method::kGet, "/version", http::Access::anybody(), http::Execution::kInline,
      [](const http::Request&) {
        http::Response response;
        response.content_type = "text/html; charset=utf-8";
        response.body = kMlflowVersion;
        return response;
      },
      "The MLflow version whose API is spoken"));
  for (const char* pattern : {"/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info"}) {
    routes.push_back(http::route(
        http::Method::kGet, pattern, http::Access::anybody(), http::Execution::kInline,
        [](const http::Request&) {
          http::Response response;
          response.body = json::write(json::Object{{"store_type", "SqlStore"},
                                                   {"workspaces_enabled", false},
                                                   {"trace_archival_enabled", false},
                                                   {"multipart_uploads_enabled", false},
                                                   {"multipart_downloads_enabled", false},
                                                   {"presigned_upload_run_id_supported", false},
                                                   {"presigned_upload_model_id_supported", false},
                                                   {"features_enabled", json::Object{}}});
          return response;
        },
        "What this server offers of MLflow's API"));
  }
  return routes;
}

std::vector<http::Route> tracking_routes(const Deps& deps) {
  std::vector<http::Route> all;
  for (auto* table : {experiment_routes, run_routes, metric_routes, logged_model_routes,
                      artifact_routes, proxy_routes, server_info_routes}) {
    for (http::Route& route : table(deps)) all.push_back(std::move(route));
  }
  return all;
}

}  // namespace slipway::api::mlflow
