// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "json/value.h"

namespace slipway::tracing {

// What instrumentations other than MLflow's say about a model call, in MLflow's attributes: type,
// inputs, outputs, tokens, message format, tools, model and provider, each only where MLflow's own
// attribute is not there. The conventions are a table: OpenInference, OpenTelemetry's gen_ai.*,
// Traceloop (OpenLLMetry) and the Vercel AI SDK, asked in this order. The eight others that MLflow
// knows are left as they came; so are costs, which MLflow computes from a list of prices.
//   source  MLflow 3.17.2 tracing/otel/translation
void translate(json::Object& attributes, const json::Array& events);

}  // namespace slipway::tracing
