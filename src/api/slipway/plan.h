// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/automation_api.h"

namespace slipway::api {

inline constexpr std::uint64_t kPlanBodyBytesMax = 16U << 20;

// POST /plan   {objects:[{kind, name, spec, protect?, adopt?}], source{repo, path, folder, commit,
// dirty}, prune?, allow_destroy?} -> the plan
//              (automation/plan.h); 200 also when it cannot be applied: `errored`, `errors`. Needs
//              the token: a plan shows everything.
// POST /apply  the same body, or {plan: the answer of /plan} -> {apply_id, changes, plan}. 409
// stale, 412 with the plan's errors. GET /objects?kind=  -> {objects:[{kind, name, spec, protect,
// resource_version, managed_by}]}
std::vector<http::Route> plan_routes(const AutomationApi& api);

}  // namespace slipway::api
