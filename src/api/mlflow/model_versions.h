// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/mlflow/tracking_routes.h"
#include "http/router.h"

namespace slipway::api::mlflow {

// MLflow's /model-versions (3.17.2): create, get, update, delete, search, stages, tags and the
// download URI.
std::vector<http::Route> model_version_routes(const Deps& deps);

}  // namespace slipway::api::mlflow
