// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/access.h"

// What the routes of /api/slipway/v1 ask of a caller. The loop as a whole is one thing, of kind
// "operations"; an endpoint is one by its name.
namespace slipway::api {

// To look: endpoints, rollouts, monitors, triggers, events, the story.
inline constexpr http::Access kSeeOperations{http::Door::kOpenOnLoopback, http::Level::kRead,
                                             "operations", "*"};
// The same where the answer holds what was predicted for whom.
inline constexpr http::Access kExportOperations{http::Door::kToken, http::Level::kRead,
                                                "operations", "*"};
// To tell the loop something or start work that decides nothing for production: labels, pauses, a
// retraining, an evaluation.
inline constexpr http::Access kRunOperations{http::Door::kToken, http::Level::kEdit, "operations",
                                             "*"};
// To decide what production serves: promotions, ends of rollouts.
inline constexpr http::Access kDecideOperations{http::Door::kToken, http::Level::kManage,
                                                "operations", "*"};
// Whoever may apply may run commands on the server's machine.
inline constexpr http::Access kApplyFiles = http::Access::admin(http::Door::kToken);

inline constexpr http::Access kSeeEndpoint{http::Door::kOpenOnLoopback, http::Level::kRead,
                                           "endpoint", "path:name"};
inline constexpr http::Access kRunEndpoint{http::Door::kToken, http::Level::kEdit, "endpoint",
                                           "path:name"};
inline constexpr http::Access kDecideEndpoint{http::Door::kToken, http::Level::kManage, "endpoint",
                                              "path:name"};

}  // namespace slipway::api
