// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/trace_json.h"

#include <algorithm>

#include "api/mlflow/wire_time.h"
#include "base/error.h"
#include "tracing/python_json.h"
#include "tracking/experiment_table.h"
#include "tracking/key_rules.h"

namespace slipway::api::mlflow {
namespace {

using tracking::cut_to_characters;

constexpr std::string_view kSourceTypes[] = {"SOURCE_TYPE_UNSPECIFIED", "HUMAN", "LLM_JUDGE",
                                             "CODE"};
constexpr std::size_t kStackTraceCharactersMax = 10'000;

json::Object map_of(const tracing::Pairs& pairs, std::size_t key_max, std::size_t value_max) {
  std::vector<json::Member> members;
  members.reserve(pairs.size());
  for (const auto& [key, value] : pairs) {
    members.emplace_back(std::string(cut_to_characters(key, key_max)),
                         std::string(cut_to_characters(value, value_max)));
  }
  return json::Object(std::move(members));
}

json::Value list_of(const tracing::Pairs& pairs, std::size_t key_max, std::size_t value_max) {
  json::Array list;
  list.reserve(pairs.size());
  for (const auto& [key, value] : pairs) {
    list.emplace_back(json::Object{{"key", cut_to_characters(key, key_max)},
                                   {"value", cut_to_characters(value, value_max)}});
  }
  return list;
}

json::Object metadata_map(const tracing::TraceInfo& info) {
  return map_of(info.metadata, tracing::kMetadataCharactersShown,
                tracing::kMetadataCharactersShown);
}
json::Object tag_map(const tracing::TraceInfo& info) {
  return map_of(info.tags, tracing::kTagKeyCharactersShown, tracing::kTagValueCharactersShown);
}

void set_maybe(json::Object& object, std::string_view name,
               const std::optional<std::string>& value) {
  if (value) object.set(name, *value);
}

// The end of a stack trace says where it happened.
std::string end_of_stack(const std::string& stack) {
  constexpr std::string_view kCutMark = "[Stack trace is truncated]\n...\n";
  const std::size_t characters = tracking::count_characters(stack);
  if (characters <= kStackTraceCharactersMax) return stack;
  const std::size_t kept = kStackTraceCharactersMax - kCutMark.size();
  const std::string_view dropped = cut_to_characters(stack, characters - kept);
  return std::string(kCutMark) + stack.substr(dropped.size());
}

json::Value error_json(const tracing::AssessmentError& error) {
  json::Object object{{"error_code", error.code}};
  if (error.message && !error.message->empty()) object.set("error_message", *error.message);
  if (error.stack_trace && !error.stack_trace->empty())
    object.set("stack_trace", end_of_stack(*error.stack_trace));
  return object;
}

void set_value(json::Object& object, const tracing::Assessment& a) {
  switch (a.kind) {
    case tracing::AssessmentKind::kFeedback: {
      json::Object feedback{{"value", doubles_of(a.value)}};
      if (a.error) feedback.set("error", error_json(*a.error));
      object.set("feedback", std::move(feedback));
      return;
    }
    case tracing::AssessmentKind::kExpectation:
      if (a.value.is_array() || a.value.is_object()) {
        object.set(
            "expectation",
            json::Object{
                {"serialized_value",
                 json::Object{{"serialization_format", "JSON_FORMAT"},
                              {"value", tracing::python_json(a.value, tracing::Ascii::kYes)}}}});
      } else {
        object.set("expectation", json::Object{{"value", doubles_of(a.value)}});
      }
      return;
    case tracing::AssessmentKind::kIssue: {
      const json::Value* name = a.value.find("issue_name");
      object.set("issue", json::Object{{"issue_name", name == nullptr ? json::Value("") : *name}});
      return;
    }
  }
}

// An enum's word, from the word or its number; nullopt for anything else.
template <std::size_t N>
std::optional<std::string_view> enum_word(const json::Value& value,
                                          const std::string_view (&words)[N]) {
  if (value.kind() == json::Value::Kind::kInt && value.as_int() >= 0 &&
      value.as_int() < static_cast<std::int64_t>(N))
    return words[static_cast<std::size_t>(value.as_int())];
  if (!value.is_string()) return std::nullopt;
  const auto* found = std::find(std::begin(words), std::end(words), value.as_string());
  if (found == std::end(words)) return std::nullopt;
  return *found;
}

constexpr std::string_view kStates[] = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};
constexpr std::string_view kLocations[] = {"TRACE_LOCATION_TYPE_UNSPECIFIED", "MLFLOW_EXPERIMENT",
                                           "INFERENCE_TABLE"};

tracing::TraceState read_state(const Parameters& info) {
  const json::Value* value = info.find("state");
  if (value == nullptr) return tracing::TraceState::kUnspecified;
  const auto word = enum_word(*value, kStates);
  if (!word) info.refuse("state", "It must be one of STATE_UNSPECIFIED, OK, ERROR, IN_PROGRESS");
  return *tracing::parse_state(*word);
}

[[noreturn]] void missing(const Parameters& parameters, std::string_view name) {
  throw Error(Code::kInvalidArgument, "Missing value for required parameter '" +
                                          parameters.path_of(name) + "'." + std::string(kSeeDocs));
}

}  // namespace

std::int64_t read_location(const Parameters& info) {
  const auto location = info.object("trace_location");
  if (!location) missing(info, "trace_location");
  const auto experiment = location->object("mlflow_experiment");
  if (!experiment) missing(*location, "mlflow_experiment");
  const std::string id = experiment->required_text("experiment_id");
  const json::Value* type = location->find("type");
  const auto word = type == nullptr ? kLocations[0] : enum_word(*type, kLocations);
  if (!word) location->refuse("type", "It must be MLFLOW_EXPERIMENT");
  if (*word != "MLFLOW_EXPERIMENT") {
    throw Error(Code::kInvalidArgument, "Trace location type TraceLocationType." +
                                            std::string(*word) +
                                            " does not match the provided location "
                                            "MlflowExperimentLocation(experiment_id='" +
                                            id + "').");
  }
  return tracking::parse_experiment_id(id);
}

namespace {

std::int64_t read_timestamp(const Parameters& parameters, std::string_view name) {
  const auto text = parameters.maybe_text(name);
  if (!text) return 0;
  const auto ms = parse_timestamp(*text);
  if (!ms) parameters.refuse(name, "It must be a time such as \"2024-05-06T07:08:09.123Z\"");
  return *ms;
}

// "" is absent in protobuf.
std::optional<std::string> filled(const Parameters& parameters, std::string_view name) {
  auto text = parameters.maybe_text(name);
  if (text && text->empty()) return std::nullopt;
  return text;
}

void read_source(const Parameters& given, tracing::Assessment& assessment) {
  assessment.source_type = kSourceTypes[0];
  const auto source = given.object("source");
  if (!source) return;
  assessment.source_id = filled(*source, "source_id");
  const json::Value* type = source->find("source_type");
  if (type == nullptr) return;
  const auto word = enum_word(*type, kSourceTypes);
  if (!word) source->refuse("source_type", "It must be one of HUMAN, LLM_JUDGE, CODE");
  assessment.source_type = *word;
}

void read_kind(const Parameters& given, tracing::Assessment& assessment) {
  const bool feedback = given.has("feedback");
  const bool expectation = given.has("expectation");
  const bool issue = given.has("issue");
  const int kinds = (feedback ? 1 : 0) + (expectation ? 1 : 0) + (issue ? 1 : 0);
  if (kinds == 0) throw Error(Code::kInvalidArgument, "Unknown assessment type: None");
  if (kinds > 1) {
    throw Error(Code::kInvalidArgument,
                "Exactly one of `expectation`, `feedback`, or `issue` should be specified.");
  }
  if (feedback) {
    assessment.kind = tracing::AssessmentKind::kFeedback;
    assessment.value = read_feedback_value(given);
    assessment.error = read_feedback_error(given);
  } else if (expectation) {
    assessment.kind = tracing::AssessmentKind::kExpectation;
    assessment.value = read_expectation_value(given);
  } else {
    assessment.kind = tracing::AssessmentKind::kIssue;
    assessment.value = json::Object{{"issue_name", given.object("issue")->text("issue_name")}};
  }
}

}  // namespace

json::Value doubles_of(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kInt:
    case json::Value::Kind::kUint: return value.as_double();
    case json::Value::Kind::kArray: {
      json::Array list;
      list.reserve(value.as_array().size());
      for (const json::Value& item : value.as_array()) list.push_back(doubles_of(item));
      return list;
    }
    case json::Value::Kind::kObject: {
      std::vector<json::Member> members;
      members.reserve(value.as_object().size());
      for (const auto& [key, item] : value.as_object()) members.emplace_back(key, doubles_of(item));
      return json::Object(std::move(members));
    }
    default: return value;
  }
}

json::Value to_json(const tracing::Assessment& a) {
  json::Object object{
      {"assessment_id", a.assessment_id}, {"assessment_name", a.name}, {"trace_id", a.trace_id}};
  set_maybe(object, "span_id", a.span_id);
  json::Object source{{"source_type", a.source_type}};
  set_maybe(source, "source_id", a.source_id);
  object.set("source", std::move(source));
  object.set("create_time", timestamp_text(a.created_at_ms));
  object.set("last_update_time", timestamp_text(a.updated_at_ms));
  set_value(object, a);
  set_maybe(object, "rationale", a.rationale);
  if (!a.metadata.empty()) {
    json::Object metadata;
    for (const auto& [key, value] : a.metadata) metadata.set(key, value);
    object.set("metadata", std::move(metadata));
  }
  set_maybe(object, "overrides", a.overrides);
  object.set("valid", a.valid);
  return object;
}

json::Value to_json(const tracing::TraceInfo& info) {
  json::Object object{{"trace_id", info.trace_id}};
  set_maybe(object, "client_request_id", info.client_request_id);
  object.set("trace_location",
             json::Object{{"type", "MLFLOW_EXPERIMENT"},
                          {"mlflow_experiment",
                           json::Object{{"experiment_id", std::to_string(info.experiment_id)}}}});
  set_maybe(object, "request_preview", info.request_preview);
  set_maybe(object, "response_preview", info.response_preview);
  object.set("request_time", timestamp_text(info.request_time_ms));
  if (info.duration_ms) object.set("execution_duration", duration_text(*info.duration_ms));
  object.set("state", tracing::state_name(info.state));
  if (!info.metadata.empty()) object.set("trace_metadata", metadata_map(info));
  if (!info.assessments.empty()) {
    json::Array assessments;
    for (const tracing::Assessment& assessment : info.assessments)
      assessments.push_back(to_json(assessment));
    object.set("assessments", std::move(assessments));
  }
  if (!info.tags.empty()) object.set("tags", tag_map(info));
  return object;
}

json::Value to_json_v2(const tracing::TraceInfo& info) {
  json::Object object{{"request_id", info.trace_id},
                      {"experiment_id", std::to_string(info.experiment_id)},
                      {"timestamp_ms", info.request_time_ms},
                      {"execution_time_ms", info.duration_ms.value_or(0)},
                      {"status", info.state == tracing::TraceState::kUnspecified
                                     ? std::string_view("TRACE_STATUS_UNSPECIFIED")
                                     : tracing::state_name(info.state)}};
  if (!info.metadata.empty()) {
    object.set("request_metadata", list_of(info.metadata, tracing::kMetadataCharactersShown,
                                           tracing::kMetadataCharactersShown));
  }
  if (!info.tags.empty()) {
    object.set("tags", list_of(info.tags, tracing::kTagKeyCharactersShown,
                               tracing::kTagValueCharactersShown));
  }
  return object;
}

http::Response trace_answer(const tracing::TraceInfo& info) {
  return answer_line(json::Object{{"trace", json::Object{{"trace_info", to_json(info)}}}});
}

void check_pairs(const Parameters& parameters, std::string_view name, std::size_t pairs) {
  if (pairs <= kPairsMax) return;
  throw Error(Code::kInvalidArgument, "Invalid value for parameter '" + parameters.path_of(name) +
                                          "' supplied: it has " + std::to_string(pairs) +
                                          " entries, at most " + std::to_string(kPairsMax) +
                                          " are taken");
}

tracing::Pairs read_map(const Parameters& parameters, std::string_view name) {
  tracing::Pairs pairs;
  const json::Value* value = parameters.find(name);
  if (value == nullptr) return pairs;
  if (!value->is_object()) parameters.refuse_type(name);
  check_pairs(parameters, name, value->as_object().size());
  for (const auto& [key, item] : value->as_object()) {
    if (!item.is_string()) {
      throw Error(Code::kInvalidArgument, "Invalid value " + json::write(item) +
                                              " for parameter '" + parameters.path_of(name) + "." +
                                              key + "' supplied: It must be a text");
    }
    pairs.emplace_back(key, item.as_string());
  }
  return pairs;
}

std::int64_t read_experiment_id(const Parameters& parameters) {
  return tracking::parse_experiment_id(parameters.required_text("experiment_id"));
}

json::Value read_feedback_value(const Parameters& given) {
  const auto feedback = given.object("feedback");
  const json::Value* value = feedback ? feedback->find("value") : nullptr;
  return value == nullptr ? json::Value() : doubles_of(*value);
}

std::optional<tracing::AssessmentError> read_feedback_error(const Parameters& given) {
  const auto feedback = given.object("feedback");
  const auto error = feedback ? feedback->object("error") : std::nullopt;
  if (!error) return std::nullopt;
  return tracing::AssessmentError{error->text("error_code"), filled(*error, "error_message"),
                                  filled(*error, "stack_trace")};
}

json::Value read_expectation_value(const Parameters& given) {
  const auto expectation = given.object("expectation");
  json::Value value;
  if (const auto serialized =
          expectation ? expectation->object("serialized_value") : std::nullopt) {
    const std::string format = serialized->text("serialization_format");
    if (format != "JSON_FORMAT") {
      throw Error(Code::kInvalidArgument,
                  "Unknown serialization format: " + format + ". Only JSON_FORMAT is supported.");
    }
    const auto parsed = tracing::read_json(serialized->text("value"));
    if (!parsed) serialized->refuse("value", "It is not a valid JSON.");
    value = *parsed;
  } else if (expectation && expectation->has("value")) {
    value = doubles_of(*expectation->find("value"));
  }
  if (value.is_null()) throw Error(Code::kInvalidArgument, "The `value` field must be specified.");
  return value;
}

tracing::Assessment read_assessment(const Parameters& given) {
  tracing::Assessment assessment;
  assessment.assessment_id = given.text("assessment_id");
  assessment.name = given.text("assessment_name");
  assessment.span_id = filled(given, "span_id");
  assessment.rationale = filled(given, "rationale");
  assessment.overrides = filled(given, "overrides");
  assessment.metadata = read_map(given, "metadata");
  assessment.created_at_ms = read_timestamp(given, "create_time");
  assessment.updated_at_ms = read_timestamp(given, "last_update_time");
  read_source(given, assessment);
  read_kind(given, assessment);
  return assessment;
}

tracing::TraceInfo read_trace_info(const Parameters& info) {
  tracing::TraceInfo trace;
  trace.trace_id = info.required_text("trace_id");
  trace.experiment_id = read_location(info);
  trace.request_time_ms = read_timestamp(info, "request_time");
  if (const auto text = info.maybe_text("execution_duration")) {
    trace.duration_ms = parse_duration_text(*text);
    if (!trace.duration_ms)
      info.refuse("execution_duration", "It must be seconds such as \"1.500s\"");
  }
  trace.state = read_state(info);
  trace.client_request_id = info.maybe_text("client_request_id");
  trace.request_preview = info.maybe_text("request_preview");
  trace.response_preview = info.maybe_text("response_preview");
  trace.metadata = read_map(info, "trace_metadata");
  trace.tags = read_map(info, "tags");
  for (const Parameters& given : info.objects("assessments"))
    trace.assessments.push_back(read_assessment(given));
  return trace;
}

}  // namespace slipway::api::mlflow
