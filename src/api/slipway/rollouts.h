// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

// GET  /rollouts?endpoint=&limit=  -> {rollouts:[…]}, newest first; 404 for an endpoint that
// neither is there nor has rollouts GET  /rollouts/{id}              -> the row with its live
// counters, `losses` (which of error, slow and nan it is judged by) and `latency_limit_ms`, and
// `judgement` {decision, reason, numbers} as of now while it is open; `started_event_time` is null
// until the endpoint's first request POST /rollouts/{id}/pause|resume -> the row POST
// /rollouts/{id}/promote|abort {reason} -> the row; promote still needs the gate's evidence
std::vector<http::Route> rollout_routes(const AutomationApi& api);

}  // namespace slipway::api
