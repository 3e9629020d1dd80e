// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "json/value.h"

namespace slipway::api::mlflow {

// A stored span (tracing::Span::content) as MLflow's API gives it: OTLP's message in protobuf's
// JSON with the names of the .proto file, ids in base 64, and values as AnyValue has them
// ({"string_value": "x"}); what is empty is left out.
json::Value span_json(std::string_view content);

}  // namespace slipway::api::mlflow
