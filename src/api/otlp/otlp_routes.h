// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "http/router.h"
#include "tracking/session.h"

namespace slipway::api::otlp {

struct Deps {
  storage::Database& database;
};

// OpenTelemetry's protocol over HTTP, as MLflow's server takes it: POST /v1/traces, protobuf or
// JSON, gzip or deflate, the experiment in the header x-mlflow-experiment-id, all or nothing.
// Refusals have MLflow's words and order: header 422, content type, encoding, form 400, spans 422,
// then what the store says, as MLflow's API says it.
//   source  opentelemetry.io/docs/specs/otlp/#otlphttp, MLflow 3.17.2 server/otel_api.py
std::vector<http::Route> otlp_routes(const Deps& deps);

inline constexpr std::uint64_t kOtlpBodyBytesMax = 16U << 20;      // as sent
inline constexpr std::uint64_t kOtlpInflatedBytesMax = 16U << 20;  // without its encoding

}  // namespace slipway::api::otlp
