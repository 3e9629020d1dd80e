// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "access/audit.h"
#include "http/message.h"
#include "http/router.h"

namespace slipway::server {

// Hands an answered request to the audit record where it belongs there: refusals (401, 403), and
// what changed something that takes MANAGE, an administrator or a token. Logging of runs does not:
// its own rows tell of it. Cheap for the rest; for ServerHooks::answered.
void note_answer(access::Audit& audit, const http::Request& request, const http::Route* route,
                 int status);

}  // namespace slipway::server
