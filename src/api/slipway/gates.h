// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "gate/evaluate.h"
#include "http/router.h"

namespace slipway::api {

// GET  /api/slipway/v1/gates, /gates/{name}
// POST /gates/{name}/evaluate {challenger: VERSION}: compares it with what holds the alias now and
// answers the result; the evidence is kept
//      whatever it says. Takes as long as scoring the labelled days takes.
std::vector<http::Route> gate_routes(const gate::Deps& deps);

}  // namespace slipway::api
