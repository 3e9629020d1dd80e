// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "http/router.h"
#include "tracking/artifact_store.h"
#include "tracking/session.h"

namespace slipway::api::mlflow {

// What the routes of this folder stand on; all of it outlives them.
struct Deps {
  storage::Database& database;
  const Clock& clock;
  tracking::ArtifactStore& artifacts;
};

// MLflow's tracking API (3.17.2): experiments, runs, metrics, datasets, logged models, artifacts
// and their proxy, server facts. The registry's routes are in registered_models.h and
// model_versions.h.
std::vector<http::Route> tracking_routes(const Deps& deps);

// The tables that tracking_routes() is made of, one for each resource.
std::vector<http::Route> experiment_routes(const Deps& deps);
std::vector<http::Route> run_routes(const Deps& deps);
std::vector<http::Route> metric_routes(const Deps& deps);
std::vector<http::Route> logged_model_routes(const Deps& deps);
std::vector<http::Route> artifact_routes(const Deps& deps);
std::vector<http::Route> proxy_routes(const Deps& deps);
std::vector<http::Route> server_info_routes(const Deps& deps);

}  // namespace slipway::api::mlflow
