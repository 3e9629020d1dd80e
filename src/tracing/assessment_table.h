// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracing/assessment.h"
#include "tracking/session.h"

namespace slipway::tracing {

// Adds it to the trace with this key, without looking at what it overrides. An id of its own is
// kept, and replaces the assessment of the trace that has it; times that are 0 become `now_ms`.
void put_assessment(storage::Transaction& transaction, std::int64_t trace, Assessment assessment,
                    std::int64_t now_ms);

// The same for one that is created by itself: kNotFound when its trace, or the assessment that it
// overrides, is not there; kAlreadyExists when its id is taken. What it overrides is not valid any
// more. Returns what is stored.
Assessment create_assessment(storage::Transaction& transaction, Assessment assessment,
                             std::int64_t now_ms);

// Throws kNotFound naming the trace or the assessment.
Assessment get_assessment(storage::Session& session, std::string_view trace_id,
                          std::string_view assessment_id);

// Of one trace, oldest first.
std::vector<Assessment> load_assessments(storage::Session& session, std::int64_t trace);

// What is set replaces; metadata is added to what is there.
struct AssessmentChange {
  std::optional<std::string> name;
  std::optional<json::Value> feedback;
  std::optional<AssessmentError> feedback_error;  // goes with feedback
  std::optional<json::Value> expectation;
  std::optional<std::string> rationale;
  tracking::Pairs metadata;
};
// kInvalidArgument when the change is for the other kind.
Assessment update_assessment(storage::Transaction& transaction, std::string_view trace_id,
                             std::string_view assessment_id, const AssessmentChange& change,
                             std::int64_t now_ms);

// What it overrode is valid again. Nothing happens if it is not there.
void delete_assessment(storage::Transaction& transaction, std::string_view trace_id,
                       std::string_view assessment_id);

// What sums take a value for: a number itself, true and "yes" 1, false and "no" 0; nullopt else.
std::optional<double> assessment_number(const json::Value& value);

}  // namespace slipway::tracing
