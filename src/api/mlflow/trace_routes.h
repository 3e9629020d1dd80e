// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/mlflow/tracking_routes.h"
#include "http/router.h"

namespace slipway::api::mlflow {

// MLflow's tracing API (3.17.2): traces of API 3.0 and 2.0, their tags and links, their spans,
// assessments.
std::vector<http::Route> tracing_routes(const Deps& deps);

// The tables that it is made of.
std::vector<http::Route> trace_routes(const Deps& deps);
std::vector<http::Route> trace_v2_routes(const Deps& deps);
std::vector<http::Route> trace_tag_routes(const Deps& deps);
std::vector<http::Route> trace_span_routes(const Deps& deps);
std::vector<http::Route> assessment_routes(const Deps& deps);
std::vector<http::Route> trace_metric_routes(const Deps& deps);

}  // namespace slipway::api::mlflow
