// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

// POST /models/{name}/promote {version, alias = "champion", reason?}: the gate of the alias's rule
// first, then the alias or a rollout.
//   -> {outcome moved|rollout|refused|unchanged, verdict, reason, gate, evidence, champion,
//   rollout?, move?}
// A gate that says no is an answer (200, `refused`); a hold, an open rollout or a pinned endpoint
// is 412. GET /models/{name}/aliases/{alias}/history -> {moves:[…]}, newest first
std::vector<http::Route> model_routes(const AutomationApi& api);

}  // namespace slipway::api
