// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

// GET /story?endpoint=&format=json|text -> what the loop did and why (automation/story.h); all
// endpoints when none is named. GET /check -> {checked, violations, broken}: what must hold of
// every story (automation/invariants.h); reads the whole ledger.
std::vector<http::Route> story_routes(const AutomationApi& api,
                                      const automation::InvariantFacts& facts);

}  // namespace slipway::api
