// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/trace_json.h"
#include "api/mlflow/trace_routes.h"
#include "base/error.h"
#include "tracing/assessment_table.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::string_view kAll = "/mlflow/traces/{trace_id}/assessments";

http::Response assessment_answer(const tracing::Assessment& assessment) {
  return answer(json::Object{{"assessment", to_json(assessment)}});
}

Routes::Work plan_create(const Parameters& parameters, const http::Request& request,
                         const Clock& clock) {
  tracing::Assessment assessment = read_assessment(*parameters.object("assessment"));
  assessment.trace_id = request.path_parameter("trace_id");
  return [assessment, now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
    return assessment_answer(tracing::create_assessment(transaction, assessment, now_ms));
  };
}

// protobuf's FieldMask: names with commas between them, in camelCase; snake_case is read too.
std::vector<std::string> read_mask(const Parameters& parameters) {
  std::vector<std::string> names;
  std::string name;
  for (const char c : parameters.text("update_mask") + ",") {
    if (c == ',') {
      names.push_back(name);
      name.clear();
    } else if (c >= 'A' && c <= 'Z') {
      name += std::string("_") + static_cast<char>(c - 'A' + 'a');
    } else {
      name += c;
    }
  }
  return names;
}

tracing::AssessmentChange read_change(const Parameters& parameters) {
  const Parameters given = *parameters.object("assessment");
  tracing::AssessmentChange change;
  for (const std::string& name : read_mask(parameters)) {
    if (name == "assessment_name") {
      change.name = given.text("assessment_name");
    } else if (name == "rationale") {
      change.rationale = given.text("rationale");
    } else if (name == "metadata") {
      change.metadata = read_map(given, "metadata");
    } else if (name == "feedback") {
      change.feedback = read_feedback_value(given);
      change.feedback_error = read_feedback_error(given);
    } else if (name == "expectation") {
      change.expectation = read_expectation_value(given);
    } else {
      parameters.refuse("update_mask",
                        "It must name assessment_name, feedback, expectation, rationale or "
                        "metadata; nothing else of an assessment can be changed");
    }
  }
  return change;
}

void add_changes(Routes& routes, const Clock& clock) {
  const std::string one = std::string(kAll) + "/{assessment_id}";
  routes.write(
      http::Method::kPatch, one, may::edit(By::kTrace),
      {{"assessment", Field::Kind::kAny, true}, {"update_mask", Field::Kind::kAny, true}},
      [&clock](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        return [trace = request.path_parameter("trace_id"),
                id = request.path_parameter("assessment_id"), change = read_change(parameters),
                now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
          return assessment_answer(
              tracing::update_assessment(transaction, trace, id, change, now_ms));
        };
      },
      "Changes an assessment", Prefixes::kBoth3);
  routes.write(
      http::Method::kDelete, one, may::edit(By::kTrace), {},
      [](const Parameters&, const http::Request& request) -> Routes::Work {
        return [trace = request.path_parameter("trace_id"),
                id = request.path_parameter("assessment_id")](storage::Transaction& transaction) {
          tracing::delete_assessment(transaction, trace, id);
          return answer();
        };
      },
      "Removes an assessment", Prefixes::kBoth3);
}

}  // namespace

std::vector<http::Route> assessment_routes(const Deps& deps) {
  Routes routes(deps.database);
  const Clock& clock = deps.clock;
  routes.write(
      http::Method::kPost, kAll, may::edit(By::kTrace), {{"assessment", Field::Kind::kAny, true}},
      [&clock](const Parameters& parameters, const http::Request& request) {
        return plan_create(parameters, request, clock);
      },
      "Adds an assessment to a trace", Prefixes::kBoth3);
  routes.read(
      http::Method::kGet, std::string(kAll) + "/{assessment_id}", may::read(By::kTrace), {},
      [](storage::Session& session, const Parameters&, const http::Request& request) {
        return assessment_answer(tracing::get_assessment(
            session, request.path_parameter("trace_id"), request.path_parameter("assessment_id")));
      },
      "An assessment of a trace", Prefixes::kBoth3);
  add_changes(routes, clock);
  return routes.take();
}

}  // namespace slipway::api::mlflow
