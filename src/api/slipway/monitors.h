// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clock.h"
#include "http/router.h"
#include "serving/prediction_log.h"
#include "tracking/artifact_store.h"
#include "tracking/session.h"

namespace slipway::api {

// What the routes of monitors stand on; all of it outlives them.
struct MonitorDeps {
  storage::Database& database;
  serving::PredictionLog& log;
  const tracking::ArtifactStore& artifacts;
};

// GET /api/slipway/v1/monitors: name, spec and state of each
// GET /monitors/{name}?blocks=100: the same with the newest blocks, alarms and webhook deliveries
// GET /monitors/{name}/export?until=T&leave_out=DAYS&format=csv: labelled predictions as CSV,
// streamed GET /alarms?monitor=&limit=, /alarms/{id}; 404 for a monitor that neither is there nor
// has alarms. Losses are in both units (docs/formats/events.md)
std::vector<http::Route> monitor_routes(const MonitorDeps& deps);

}  // namespace slipway::api
