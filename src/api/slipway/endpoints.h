// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clock.h"
#include "http/router.h"
#include "serving/manager.h"
#include "serving/prediction_log.h"
#include "tracking/session.h"

namespace slipway::api {

// What the routes of endpoints and predictions stand on; all of it outlives them.
struct ServingDeps {
  storage::Database& database;
  serving::Manager& manager;
  serving::PredictionLog& log;
  const Clock& clock;
};

inline constexpr std::size_t kReasonBytesMax = 2'000;

// GET  /api/slipway/v1/endpoints, /endpoints/{name}: what they serve and why, rollout, hold,
// watermark, counters; `loading`: a wanted version is being loaded and probed, `problem` says
// which, and what was served before is served until it is ready; `latency_limit_ms` as in the file
// POST /endpoints/{name}/rollback {reason, ttl = "24h"}: break-glass. Where a
// rollout is under way it ends (aborted) and the champion
//      keeps all requests; else the alias goes back to the version it held before (on a pinned
//      endpoint the version pinned before is served). Either way a hold keeps automation off for
//      `ttl`. Answered once the requests go to a version that is in memory; one that is not is
//      loaded afterwards (`loading`), and waits for no other endpoint's.
// POST /endpoints/{name}/release: ends the hold
// POST /endpoints/{name}/watermark {event_time}: time has come that far, though no request said so;
// clock `event` only
std::vector<http::Route> endpoint_routes(const ServingDeps& deps);

}  // namespace slipway::api
