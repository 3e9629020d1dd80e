// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

// GET /events?after=&type=&subject=&limit=&newest=1 -> {events:[…], next: seq to ask `after`, or
// null at the end}. `type` is a prefix. GET /events/{id}      -> one event with its evidence
// documents GET /evidence/{hash}  -> {hash, kind, subject, recorded_at, body}
std::vector<http::Route> event_routes(const AutomationApi& api);

}  // namespace slipway::api
