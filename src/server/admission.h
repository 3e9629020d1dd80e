// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "access/request_rules.h"
#include "http/server.h"

namespace slipway::server {

// What a request must bring before a handler sees it, and how refusals look on the path at hand.
struct AdmissionRules {
  access::RequestRules headers;
  std::string token;  // the server's own
  std::function<bool(const std::string& token)>
      is_stage_token;  // minted for a pipeline stage: MLflow's routes only
};

// Host and Origin (access/request_rules.h) for all but /health and /version; form content types
// refused under /api/slipway; then the route's permission: public, open on loopback (from this
// machine, by a loopback name and through no proxy), or a token. A
// stage's token opens MLflow's routes and nothing else. The functions are thread-safe and do not
// block.
http::ServerHooks admission_hooks(AdmissionRules rules);

}  // namespace slipway::server
