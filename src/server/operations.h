// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "base/metrics.h"
#include "http/router.h"
#include "json/value.h"

namespace slipway::server {

// GET /health: 200 "OK", as MLflow's; 503 where `healthy` is false (thread-safe, quick): the server
// then cannot keep what it is told. GET /metrics: Prometheus' text format. GET
// /api/slipway/v1/status: what `status` returns at that moment (thread-safe, may read the store).
// `metrics` outlives the routes.
std::vector<http::Route> operation_routes(const metrics::Registry& metrics,
                                          std::function<json::Value()> status,
                                          std::function<bool()> healthy);

}  // namespace slipway::server
