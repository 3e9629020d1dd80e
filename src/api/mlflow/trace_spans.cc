// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/artifact_files.h"
#include "api/mlflow/errors.h"
#include "api/mlflow/span_json.h"
#include "api/mlflow/trace_json.h"
#include "api/mlflow/trace_routes.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "tracing/python_json.h"
#include "tracing/span_table.h"
#include "tracing/trace_table.h"
#include "tracking/artifact_uri.h"
#include "tracking/experiment_table.h"

namespace slipway::api::mlflow {
namespace {

bool spans_are_here(const tracing::TraceInfo& info) {
  const std::string* place = tracing::find_pair(info.tags, tracing::kSpansLocationTag);
  return place != nullptr && *place == tracing::kSpansHere;
}

// How many spans the client said there are; 0 if it did not.
std::int64_t spans_expected(const tracing::TraceInfo& info) {
  const std::string* text = tracing::find_pair(info.metadata, tracing::kSizeStatsKey);
  const auto stats = text == nullptr ? std::nullopt : tracing::read_json(*text);
  const json::Value* number = stats ? stats->find("num_spans") : nullptr;
  return number != nullptr && number->kind() == json::Value::Kind::kInt ? number->as_int() : 0;
}

// The whole trace; nullopt while spans are missing that must be there.
std::optional<json::Value> full_trace(storage::Session& session, const tracing::TraceInfo& info,
                                      bool allow_partial) {
  if (!spans_are_here(info)) {
    // MLflow answers 500, and its client then asks again for minutes.
    throw Error(Code::kNotFound, "Trace data not stored in tracking store");
  }
  const std::vector<std::string> contents =
      tracing::load_contents(session, tracing::get_trace_key(session, info.trace_id));
  if (!allow_partial &&
      (contents.empty() || static_cast<std::int64_t>(contents.size()) < spans_expected(info)))
    return std::nullopt;
  json::Object trace{{"trace_info", to_json(info)}};
  json::Array spans;
  for (const std::string& content : contents) spans.push_back(span_json(content));
  if (!spans.empty()) trace.set("spans", std::move(spans));
  return trace;
}

http::Response get_full(storage::Session& session, const Parameters& parameters) {
  const std::string id = parameters.text("trace_id");
  const bool partial = parameters.maybe_boolean("allow_partial").value_or(false);
  const auto info = tracing::find_trace(session, id);
  if (!info) throw Error(Code::kNotFound, "Trace with ID " + id + " is not found.");
  const auto trace = full_trace(session, *info, partial);
  if (!trace) {
    throw Error(Code::kNotFound,
                "Trace with ID " + id + " is not fully exported yet, please try again later.");
  }
  return answer_line(json::Object{{"trace", *trace}});
}

http::Response get_batch(storage::Session& session, const Parameters& parameters) {
  std::optional<std::vector<std::int64_t>> experiments;
  if (parameters.has("experiment_ids")) {
    experiments.emplace();
    for (const std::string& id : parameters.texts("experiment_ids"))
      experiments->push_back(tracking::parse_experiment_id(id));
  }
  json::Array traces;
  for (const tracing::TraceInfo& info :
       tracing::find_traces(session, parameters.texts("trace_ids"), experiments)) {
    if (auto trace = full_trace(session, info, false)) traces.push_back(std::move(*trace));
  }
  json::Object body;
  if (!traces.empty()) body.set("traces", std::move(traces));
  return answer_line(body);
}

http::Response as_file(std::string body) {
  http::Response response;
  response.content_type = "text/plain";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=traces.json");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.body = std::move(body);
  return response;
}

http::Response not_found(std::string_view path) {
  return error_response({"NOT_FOUND", 404, "KAM00", "RESOURCE_NOT_FOUND"},
                        "Trace data not found for path=" + std::string(path));
}

// A file below the trace's folder.
// The folder is what a tag says, so whoever asks must be allowed to read there.
http::Response stored_file(storage::Session& session, tracking::ArtifactStore& store,
                           const tracing::TraceInfo& info, const std::string& path,
                           const http::Request& request) {
  const std::string* root = tracing::find_pair(info.tags, tracing::kLocationTag);
  if (root == nullptr) return not_found(path);
  const auto place = tracking::store_path(*root);
  if (place && !may_path(session, request.caller, http::Level::kRead, *place))
    return forbidden_response();
  try {
    return send_artifact(store, *root, path, request);
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    return not_found(path.starts_with("attachments/") ? path.substr(12) : path);
  }
}

// Attachments are named by UUIDs: 8-4-4-4-12 hexadecimal digits, also without the hyphens.
std::optional<http::Response> refuse_attachment(const std::string& path) {
  if (!is_safe_relative_path(path)) throw Error(Code::kInvalidArgument, "Invalid path");
  std::string digits;
  for (const char c : path)
    if (c != '-') digits += ascii_lower(c);
  const bool uuid =
      digits.size() == 32 && digits.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (uuid) return std::nullopt;
  return error_response(
      {"INVALID_PARAMETER_VALUE", 400, "KAM04", "ATTRIBUTE_NOT_FOUND"},
      "Invalid attachment path: '" + path + "'. Attachment path must be a valid UUID.");
}

http::Response artifact(storage::Session& session, tracking::ArtifactStore& store,
                        const Parameters& parameters, const http::Request& request) {
  const std::string id = parameters.text("request_id");
  if (id.empty()) {
    return error_response({"BAD_REQUEST", 400, "KAM00", "INVALID_PARAMETER_VALUE"},
                          "Request must include the \"request_id\" query parameter.");
  }
  const std::string path = parameters.text("path");
  if (!path.empty()) {
    if (auto refused = refuse_attachment(path)) return *refused;
    return stored_file(session, store, tracing::get_trace(session, id), "attachments/" + path,
                       request);
  }
  const auto info = tracing::find_trace(session, id);
  if (!info) throw Error(Code::kNotFound, "Trace with ID " + id + " is not found.");
  if (!spans_are_here(*info)) return stored_file(session, store, *info, "traces.json", request);
  std::string body = "{\"spans\":[";
  const char* comma = "";
  for (const std::string& content :
       tracing::load_contents(session, tracing::get_trace_key(session, id))) {
    body += comma + content;
    comma = ",";
  }
  return as_file(body + "]}");
}

}  // namespace

std::vector<http::Route> trace_span_routes(const Deps& deps) {
  Routes routes(deps.database);
  routes.read(
      http::Method::kGet, "/mlflow/traces/get", may::read(By::kTrace),
      {field::required("trace_id"), field::boolean("allow_partial")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return get_full(session, parameters);
      },
      "A trace with its spans", Prefixes::kBoth3);
  routes.read(
      http::Method::kGet, "/mlflow/traces/batchGet", may::read(By::kTraces),
      {field::required("trace_ids", Field::Kind::kTexts), field::texts("experiment_ids")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return get_batch(session, parameters);
      },
      "Traces with their spans", Prefixes::kBoth3);
  tracking::ArtifactStore& store = deps.artifacts;
  for (const Prefixes prefixes : {Prefixes::kAjax2, Prefixes::kAjax3}) {
    routes.read(
        http::Method::kGet, "/mlflow/get-trace-artifact", may::read(By::kTraceFile), {},
        [&store](storage::Session& session, const Parameters& parameters,
                 const http::Request& request) {
          return artifact(session, store, parameters, request);
        },
        "The spans of a trace as a file, or a file of the trace", prefixes);
  }
  return routes.take();
}

}  // namespace slipway::api::mlflow
