// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/mlflow/wire.h"
#include "tracing/trace.h"

namespace slipway::api::mlflow {

// Traces and assessments as MLflow's API 3.0 has them (protobuf's JSON), and traces as 2.0 had
// them.

json::Value to_json(const tracing::TraceInfo& info);
json::Value to_json(const tracing::Assessment& assessment);
json::Value to_json_v2(const tracing::TraceInfo& info);

// {"trace": {"trace_info": …}} on one line.
http::Response trace_answer(const tracing::TraceInfo& info);

// Throws kInvalidArgument naming the field that is missing or wrong.
tracing::TraceInfo read_trace_info(const Parameters& info);
tracing::Assessment read_assessment(const Parameters& given);
std::int64_t read_location(const Parameters& info);  // the experiment of its `trace_location`

// Of a trace's tags or metadata, or an assessment's metadata, in one request.
inline constexpr std::size_t kPairsMax = 1'000;
void check_pairs(const Parameters& parameters, std::string_view name, std::size_t pairs);

// An object of at most kPairsMax texts, by key.
tracing::Pairs read_map(const Parameters& parameters, std::string_view name);

// The id of an experiment, which must be there.
std::int64_t read_experiment_id(const Parameters& parameters);

// The values of feedback and expectations pass protobuf's Value: all their numbers are doubles.
json::Value doubles_of(const json::Value& value);

// An assessment's value and error in the "feedback" or "expectation" of `given`.
json::Value read_feedback_value(const Parameters& given);
std::optional<tracing::AssessmentError> read_feedback_error(const Parameters& given);
json::Value read_expectation_value(const Parameters& given);

}  // namespace slipway::api::mlflow
