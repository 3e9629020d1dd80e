// SPDX-License-Identifier: Apache-2.0
#include "tracing/assessment_table.h"

#include <cmath>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "tracing/python_json.h"
#include "tracing/trace_table.h"
#include "tracking/key_rules.h"

namespace slipway::tracing {
namespace {

constexpr std::string_view kColumns =
    "a.assessment_id, t.trace_id, a.kind, a.name, a.value, a.error, a.source_type, a.source_id, "
    "a.run_id, a.span_id, a.rationale, a.overrides, a.valid, a.metadata, a.created_at_ms, "
    "a.updated_at_ms";

std::optional<AssessmentKind> parse_kind(std::string_view word) {
  for (const AssessmentKind kind :
       {AssessmentKind::kFeedback, AssessmentKind::kExpectation, AssessmentKind::kIssue}) {
    if (kind_word(kind) == word) return kind;
  }
  return std::nullopt;
}

json::Value maybe_text(const std::optional<std::string>& text) {
  return text ? json::Value(*text) : json::Value();
}

std::optional<std::string> error_text(const std::optional<AssessmentError>& error) {
  if (!error) return std::nullopt;
  return python_json(json::Object{{"error_code", error->code},
                                  {"error_message", maybe_text(error->message)},
                                  {"stack_trace", maybe_text(error->stack_trace)}},
                     Ascii::kYes);
}

std::optional<std::string> text_in(const json::Value& object, std::string_view name) {
  const json::Value* value = object.find(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

std::optional<AssessmentError> read_error(const std::optional<std::string>& text) {
  const auto value = text ? read_json(*text) : std::nullopt;
  if (!value) return std::nullopt;
  return AssessmentError{text_in(*value, "error_code").value_or(""),
                         text_in(*value, "error_message"), text_in(*value, "stack_trace")};
}

std::optional<std::string> metadata_text(const tracking::Pairs& metadata) {
  if (metadata.empty()) return std::nullopt;
  json::Object object;
  for (const auto& [key, value] : metadata) object.set(key, value);
  return python_json(std::move(object), Ascii::kYes);
}

tracking::Pairs read_metadata(const std::optional<std::string>& text) {
  tracking::Pairs pairs;
  const auto value = text ? read_json(*text) : std::nullopt;
  if (!value || !value->is_object()) return pairs;
  for (const auto& [key, item] : value->as_object())
    pairs.emplace_back(key, item.is_string() ? item.as_string() : python_json(item));
  return pairs;
}

Assessment read_row(const storage::Statement& row) {
  Assessment assessment;
  assessment.assessment_id = row.text(0);
  assessment.trace_id = row.text(1);
  assessment.kind = parse_kind(row.text_view(2)).value_or(AssessmentKind::kFeedback);
  assessment.name = row.text(3);
  assessment.value = read_json(row.text_view(4)).value_or(json::Value());
  assessment.error = read_error(row.maybe_text(5));
  assessment.source_type = row.text(6);
  assessment.source_id = row.maybe_text(7);
  assessment.run_id = row.maybe_text(8);
  assessment.span_id = row.maybe_text(9);
  assessment.rationale = row.maybe_text(10);
  assessment.overrides = row.maybe_text(11);
  assessment.valid = row.int64(12) != 0;
  assessment.metadata = read_metadata(row.maybe_text(13));
  assessment.created_at_ms = row.int64(14);
  assessment.updated_at_ms = row.int64(15);
  return assessment;
}

void write_row(storage::Transaction& transaction, std::int64_t trace, const Assessment& a) {
  auto statement = transaction.prepare(
      "INSERT INTO assessment (assessment_id, trace, kind, name, value, error, number, numeric, "
      "source_type, source_id, run_id, span_id, rationale, overrides, valid, metadata, "
      "created_at_ms, updated_at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
      "?13, ?14, ?15, ?16, ?17, ?18) ON CONFLICT (assessment_id) DO UPDATE SET "
      "kind = excluded.kind, name = excluded.name, value = excluded.value, error = excluded.error, "
      "number = excluded.number, numeric = excluded.numeric, rationale = excluded.rationale, "
      "metadata = excluded.metadata, updated_at_ms = excluded.updated_at_ms");
  const auto number = assessment_number(a.value);
  statement.bind(1, a.assessment_id)
      .bind(2, trace)
      .bind(3, kind_word(a.kind))
      .bind(4, a.name)
      .bind(5, python_json(a.value, Ascii::kYes))
      .bind(6, error_text(a.error))
      .bind(7, number)
      .bind(8, a.value.is_number() && number.has_value())
      .bind(9, a.source_type)
      .bind(10, a.source_id)
      .bind(11, a.run_id)
      .bind(12, a.span_id)
      .bind(13, a.rationale)
      .bind(14, a.overrides)
      .bind(15, a.valid)
      .bind(16, metadata_text(a.metadata))
      .bind(17, a.created_at_ms)
      .bind(18, a.updated_at_ms);
  statement.step();
}

[[noreturn]] void not_found(std::string_view trace_id, std::string_view assessment_id) {
  throw Error(Code::kNotFound, "Assessment with ID '" + std::string(assessment_id) +
                                   "' not found for trace '" + std::string(trace_id) + "'");
}

// The trace that has an assessment of this id; nullopt if there is none.
std::optional<std::int64_t> owner(storage::Session& session, std::string_view assessment_id) {
  auto row = session.query("SELECT trace FROM assessment WHERE assessment_id = ?1", assessment_id);
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

}  // namespace

std::string_view kind_word(AssessmentKind kind) {
  switch (kind) {
    case AssessmentKind::kFeedback: return "feedback";
    case AssessmentKind::kExpectation: return "expectation";
    case AssessmentKind::kIssue: return "issue";
  }
  return "";
}

std::optional<double> assessment_number(const json::Value& value) {
  if (value.is_bool()) return value.as_bool() ? 1.0 : 0.0;
  if (value.is_number()) {
    const double number = value.as_double();
    if (std::isfinite(number)) return number;
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  const std::string word = ascii_lower(trimmed(value.as_string()));
  if (word == "yes") return 1.0;
  if (word == "no") return 0.0;
  return std::nullopt;
}

void put_assessment(storage::Transaction& transaction, std::int64_t trace, Assessment assessment,
                    std::int64_t now_ms) {
  tracking::check_length(assessment.name, kAssessmentNameCharactersMax, "Assessment name");
  if (assessment.assessment_id.empty()) {
    assessment.assessment_id = "a-" + random_hex32();
  } else if (owner(transaction, assessment.assessment_id).value_or(trace) != trace) {
    throw Error(Code::kAlreadyExists,
                "Assessment with ID '" + assessment.assessment_id + "' belongs to another trace.");
  }
  if (assessment.created_at_ms == 0) assessment.created_at_ms = now_ms;
  if (assessment.updated_at_ms == 0) assessment.updated_at_ms = now_ms;
  if (!assessment.run_id) {
    for (const auto& [key, value] : assessment.metadata)
      if (key == kAssessmentRunKey) assessment.run_id = value;
  }
  write_row(transaction, trace, assessment);
}

Assessment create_assessment(storage::Transaction& transaction, Assessment assessment,
                             std::int64_t now_ms) {
  const std::int64_t trace = get_trace_key(transaction, assessment.trace_id);
  if (assessment.assessment_id.empty()) assessment.assessment_id = "a-" + random_hex32();
  if (owner(transaction, assessment.assessment_id)) {
    throw Error(Code::kAlreadyExists,
                "Assessment with ID '" + assessment.assessment_id + "' already exists.");
  }
  if (assessment.overrides &&
      transaction.execute("UPDATE assessment SET valid = 0 WHERE trace = ?1 AND assessment_id = ?2",
                          trace, *assessment.overrides) == 0) {
    not_found(assessment.trace_id, *assessment.overrides);
  }
  put_assessment(transaction, trace, assessment, now_ms);
  return get_assessment(transaction, assessment.trace_id, assessment.assessment_id);
}

Assessment get_assessment(storage::Session& session, std::string_view trace_id,
                          std::string_view assessment_id) {
  const auto trace = find_trace_key(session, trace_id);
  if (!trace) {
    throw Error(Code::kNotFound, "Trace with request_id '" + std::string(trace_id) + "' not found");
  }
  auto row = session.query("SELECT " + std::string(kColumns) +
                               " FROM assessment a JOIN trace t ON t.id = a.trace "
                               "WHERE a.assessment_id = ?1 AND a.trace = ?2",
                           assessment_id, *trace);
  if (!row.step()) not_found(trace_id, assessment_id);
  return read_row(row);
}

std::vector<Assessment> load_assessments(storage::Session& session, std::int64_t trace) {
  std::vector<Assessment> all;
  auto rows = session.query("SELECT " + std::string(kColumns) +
                                " FROM assessment a JOIN trace t ON t.id = a.trace "
                                "WHERE a.trace = ?1 ORDER BY a.created_at_ms, a.id",
                            trace);
  while (rows.step()) all.push_back(read_row(rows));
  return all;
}

Assessment update_assessment(storage::Transaction& transaction, std::string_view trace_id,
                             std::string_view assessment_id, const AssessmentChange& change,
                             std::int64_t now_ms) {
  Assessment assessment = get_assessment(transaction, trace_id, assessment_id);
  const auto refuse = [](const char* message) { throw Error(Code::kInvalidArgument, message); };
  if (change.expectation && change.feedback)
    refuse("Cannot specify both `expectation` and `feedback` parameters.");
  if (change.expectation && assessment.kind != AssessmentKind::kExpectation)
    refuse("Cannot update expectation value on a Feedback assessment.");
  if (change.feedback && assessment.kind != AssessmentKind::kFeedback)
    refuse("Cannot update feedback value on an Expectation assessment.");
  if (change.name) {
    tracking::check_length(*change.name, kAssessmentNameCharactersMax, "Assessment name");
    assessment.name = *change.name;
  }
  if (change.expectation) assessment.value = *change.expectation;
  if (change.feedback) {
    assessment.value = *change.feedback;
    assessment.error = change.feedback_error;
  }
  if (change.rationale) assessment.rationale = change.rationale;
  for (const auto& [key, value] : change.metadata) {
    bool known = false;
    for (auto& [old, text] : assessment.metadata) {
      if (old != key) continue;
      text = value;
      known = true;
    }
    if (!known) assessment.metadata.emplace_back(key, value);
  }
  assessment.updated_at_ms = now_ms;
  write_row(transaction, get_trace_key(transaction, trace_id), assessment);
  return assessment;
}

void delete_assessment(storage::Transaction& transaction, std::string_view trace_id,
                       std::string_view assessment_id) {
  const auto trace = find_trace_key(transaction, trace_id);
  if (!trace || owner(transaction, assessment_id) != trace) return;
  transaction.execute(
      "UPDATE assessment SET valid = 1 WHERE trace = ?1 AND assessment_id = "
      "(SELECT overrides FROM assessment WHERE assessment_id = ?2)",
      *trace, assessment_id);
  transaction.execute("DELETE FROM assessment WHERE assessment_id = ?1", assessment_id);
}

}  // namespace slipway::tracing
