// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "api/mlflow/tracking_routes.h"
#include "http/router.h"

namespace slipway::api::mlflow {

// MLflow's /model-versions (3.17.2): create, get, update, delete, search, stages, tags and the
// download URI.
std::vector<http::Route> model_version_routes(const Deps& deps);

// A version's number, which travels as text: "Parameter 'version' must be an integer, got 'x'.".
std::int64_t parse_version(std::string_view text);

}  // namespace slipway::api::mlflow
