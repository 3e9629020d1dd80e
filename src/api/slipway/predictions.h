// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "api/slipway/endpoints.h"
#include "http/router.h"

namespace slipway::api {

// GET /api/slipway/v1/predictions/{id}, id = "WRITER-SEQ" or "WRITER-SEQ/ROW" (the slash escaped or
// not): the way back from an answer.
//   {id, row, prediction {endpoint, model, version, arm, rollout, times, status, latency_us,
//   inputs, outputs},
//    version {model, version, run_id, source, condition, created_at},
//    provenance {hash, created_at, run, parents …} (null where none was frozen), outputs_document,
//    commit, stages [{run_id, stage, commit, dirty, deps, outs, params, environment}], data [{path,
//    hash, size}], replay {done, equal, engine, largest_difference, reason}}
// The replay computes the logged inputs on the recorded version again and compares bit for bit. 404
// for an unknown id.
std::vector<http::Route> prediction_routes(const ServingDeps& deps);

}  // namespace slipway::api
