// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "access/permission.h"
#include "access/request_rules.h"
#include "access/sign_in.h"
#include "http/server.h"

namespace slipway::server {

// What a request must bring before a handler sees it, and how refusals look on the path at hand.
struct AdmissionRules {
  access::RequestRules headers;
  std::string token;  // the server's own
  std::function<bool(const std::string& token)>
      is_stage_token;                     // minted for a pipeline stage: MLflow's routes only
  access::SignIn* sign_in = nullptr;      // null: no accounts
  storage::Database* database = nullptr;  // where grants are read; with sign_in
  // What an account may do with a thing that no grant speaks of.
  access::Permission otherwise = access::Permission::kNone;
};

// Host and Origin (access/request_rules.h) for all but /health and /version; form content types
// refused under /api/slipway; then who asks:
//   - the server's own token may do everything, a stage's token opens MLflow's routes and nothing
//     else
//   - while there are no accounts, what is open on loopback (from this machine, by a loopback name
//     and through no proxy) asks for nothing more
//   - else an account, by its password or a token of its own
// and whether the caller may: what the route's access says, by the grants of the account. Where a
// finder of MLflow's API finds the thing, its handler decides (api/mlflow/resource.h). Refusals on
// MLflow's paths read as its own server's do. A request that is let in knows its caller. `admit`
// does not block; passwords and grants are looked at in `verify`. Thread-safe.
http::ServerHooks admission_hooks(AdmissionRules rules);

// Deny by default: throws kFailedPrecondition, naming the route, when one asks of its caller what
// nothing here could decide: a kind of thing that no permission is about, a finder that no API has,
// a path parameter that the route lacks, or nothing at all behind a door that is not public. Called
// before the server listens.
void check_access(const std::vector<http::Route>& routes);

}  // namespace slipway::server
