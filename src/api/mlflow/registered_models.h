// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/mlflow/redaction.h"
#include "api/mlflow/tracking_routes.h"
#include "http/router.h"
#include "json/value.h"
#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "tracking/session.h"

namespace slipway::api::mlflow {

// MLflow's /registered-models (3.17.2): create, rename, update, delete, get, search, latest
// versions, tags, and aliases (one path, three methods). A move that an alias rule refuses answers
// 403 PERMISSION_DENIED with the reason and is kept as alias.refused.
std::vector<http::Route> registered_model_routes(const Deps& deps);

// As MLflow's wire has them: times in milliseconds, the version as text, empty lists left out.
json::Value to_wire(const registry::ModelVersion& version);
// Searches list the newest versions by the names of their stages, everything else by number.
enum class LatestOrder { kVersion, kStage };
json::Value to_wire(storage::Session& session, const registry::RegisteredModel& model,
                    Redaction& redaction, LatestOrder order = LatestOrder::kVersion);

// Who a request of MLflow's API is in the ledger: "user:NAME" of the account; without one
// "mlflow-client".
std::string actor_of(const http::Request& request);

}  // namespace slipway::api::mlflow
