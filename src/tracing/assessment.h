// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json/value.h"
#include "tracking/run_table.h"

namespace slipway::tracing {

// What somebody says about a trace: feedback (a judgement), an expectation (the right answer), or a
// reference to an issue (its name is the issue's id, its value {"issue_name"}).
enum class AssessmentKind { kFeedback, kExpectation, kIssue };
std::string_view kind_word(AssessmentKind kind);  // "feedback", "expectation", "issue"

struct AssessmentError {
  std::string code;
  std::optional<std::string> message;
  std::optional<std::string> stack_trace;
  bool operator==(const AssessmentError&) const = default;
};

struct Assessment {
  std::string assessment_id;  // "a-" and 32 hex digits; "" until stored
  std::string trace_id;
  AssessmentKind kind = AssessmentKind::kFeedback;
  std::string name;
  json::Value value;
  std::optional<AssessmentError> error;  // of feedback
  std::string source_type;               // "HUMAN", "LLM_JUDGE", "CODE"
  std::optional<std::string> source_id;
  std::optional<std::string> run_id;
  std::optional<std::string> span_id;
  std::optional<std::string> rationale;
  std::optional<std::string> overrides;  // the assessment that this one replaces
  bool valid = true;                     // false once another one overrides it
  tracking::Pairs metadata;              // in the order given
  std::int64_t created_at_ms = 0;        // 0 until stored: now
  std::int64_t updated_at_ms = 0;        // likewise
  bool operator==(const Assessment&) const = default;
};

inline constexpr std::size_t kAssessmentNameCharactersMax = 250;

// The run that made it, of its metadata.
inline constexpr std::string_view kAssessmentRunKey = "mlflow.assessment.sourceRunId";

}  // namespace slipway::tracing
