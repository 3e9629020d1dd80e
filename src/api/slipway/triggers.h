// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

inline constexpr std::uint64_t kLogBytesMax =
    4U << 20;  // of a retraining's log in one answer: its end

// GET  /triggers                    -> {triggers:[{name, state active|paused, pipeline, endpoint,
// failures, anchor, last_fired, …}]} GET  /triggers/{name}             -> the same with its newest
// retrainings POST /triggers/{name}/pause {reason} · /resume -> the trigger POST
// /triggers/{name}/fire {reason?}           -> {firing, event} GET  /retrainings?trigger=&limit= ->
// {retrainings:[…]}, newest first GET  /retrainings/{id}            -> one GET
// /retrainings/{id}/log        -> its log as text, the end of it where it is longer than
// kLogBytesMax POST /endpoints/{name}/settle {timeout_s?} -> {settled, events}
std::vector<http::Route> trigger_routes(const AutomationApi& api);

}  // namespace slipway::api
