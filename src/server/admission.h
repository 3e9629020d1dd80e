// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

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
// refused under /api/slipway; then the route's door: public, open on loopback (from this
// machine, by a loopback name and through no proxy), or a token. A
// stage's token opens MLflow's routes and nothing else. The functions are thread-safe and do not
// block. A request that is let in knows its caller.
http::ServerHooks admission_hooks(AdmissionRules rules);

// Deny by default: throws kFailedPrecondition, naming the route, when one asks of its caller what
// nothing here could decide: a kind of thing that no permission is about, a finder that no API has,
// a path parameter that the route lacks, or nothing at all behind a door that is not public. Called
// before the server listens.
void check_access(const std::vector<http::Route>& routes);

}  // namespace slipway::server
