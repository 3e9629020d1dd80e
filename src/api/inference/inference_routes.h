// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "http/router.h"
#include "serving/inference_pool.h"
#include "serving/manager.h"
#include "serving/prediction_log.h"
#include "serving/predictor.h"
#include "tracking/session.h"

namespace slipway::api::inference {

// What the routes of this folder stand on; all of it outlives them.
struct Deps {
  storage::Database& database;
  serving::Manager& manager;
  serving::Predictor& predictor;
  serving::InferencePool& pool;
  const Clock& clock;
  metrics::Registry& metrics;
  std::string server_version;  // as `GET /v2` says it
};

// A request runs on its connection's thread while the model's measured cost for that many rows
// stays below this, and its body is short; else on the pool.
inline constexpr double kInlineCostUsMax = 100;
inline constexpr std::size_t kInlineBodyBytesMax = 64U << 10;
inline constexpr std::uint64_t kInferenceBodyBytesMax = 64ULL << 20;

// What a prediction asks of a caller.
inline constexpr http::Access kUseEndpoint{http::Door::kOpenOnLoopback, http::Level::kUse,
                                           "endpoint", "path:name"};

// Open Inference Protocol v2 over REST with JSON tensors: /v2 …. The model name is an endpoint's; a
// version in the path is a version's number or an alias of the endpoint's model, is not routed and
// counts nowhere. docs/formats/inference.md.
std::vector<http::Route> oip_routes(const Deps& deps);

// MLflow's scoring protocol: POST /endpoints/{name}/invocations.
std::vector<http::Route> scoring_routes(const Deps& deps);

}  // namespace slipway::api::inference
