// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "automation/deps.h"
#include "automation/invariants.h"
#include "automation/worker.h"
#include "http/router.h"
#include "tracking/session.h"

namespace slipway::api {

// What the routes of plan, triggers, rollouts, events, story and models need. All of it outlives
// the routes; handlers run on the pool.
struct AutomationApi {
  const automation::Deps& deps;
  automation::Worker& worker;
  // Looks at endpoints, aliases and rollouts anew, soon: serving's Manager::refresh. May be called
  // after a commit.
  std::function<void()> refresh_serving;

  // After a write that the reconcilers must hear of.
  void changed() const {
    refresh_serving();
    worker.wake();
  }
};

}  // namespace slipway::api
