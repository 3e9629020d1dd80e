// SPDX-License-Identifier: Apache-2.0
#include "server/operations.h"

#include <utility>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"

namespace slipway::server {

std::vector<http::Route> operation_routes(const metrics::Registry& metrics,
                                          std::function<json::Value()> status,
                                          std::function<bool()> healthy) {
  std::vector<http::Route> routes;
  routes.push_back(http::route(
      http::Method::kGet, "/health", http::Access::anybody(), http::Execution::kInline,
      [healthy = std::move(healthy)](const http::Request&) {
        http::Response response;
        response.content_type = "text/plain; charset=utf-8";
        response.body = "OK";
        if (!healthy()) {
          response.status = 503;
          response.body = "the disk failed to sync the store: nothing more is written";
        }
        return response;
      },
      "200 while this server answers"));
  routes.push_back(http::route(
      http::Method::kGet, "/metrics", http::Access::anybody(), http::Execution::kPool,
      [&metrics](const http::Request&) {
        http::Response response;
        response.content_type = "text/plain; version=0.0.4; charset=utf-8";
        response.body = metrics.text();
        return response;
      },
      "counters and histograms for Prometheus"));
  routes.push_back(http::route(
      http::Method::kGet, "/api/slipway/v1/status", api::kSeeOperations, http::Execution::kPool,
      [status = std::move(status)](const http::Request&) { return api::json_response(status()); },
      "what the server is, holds and is doing"));
  return routes;
}

}  // namespace slipway::server
