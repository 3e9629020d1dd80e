// SPDX-License-Identifier: Apache-2.0
#include "api/otlp/otlp_routes.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <variant>

#include "api/mlflow/errors.h"
#include "api/mlflow/resource.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "base/text.h"
#include "http/inflate.h"
#include "json/value.h"
#include "tracing/span_table.h"
#include "tracing/trace_link.h"
#include "tracing/trace_table.h"

namespace slipway::api::otlp {
namespace {

constexpr std::string_view kExperimentHeader = "x-mlflow-experiment-id";
constexpr std::string_view kRunHeader = "x-mlflow-run-id";
constexpr std::string_view kProtobuf = "application/x-protobuf";
constexpr std::string_view kJson = "application/json";

// {"detail": …}: the form of MLflow's newer half.
http::Response refusal(int status, json::Value detail) {
  http::Response response;
  response.status = status;
  response.body = json::write(json::Object{{"detail", std::move(detail)}});
  return response;
}

http::Response missing_header() {
  return refusal(422, json::Array{json::Object{{"type", "missing"},
                                               {"loc", json::Array{"header", kExperimentHeader}},
                                               {"msg", "Field required"},
                                               {"input", nullptr}}});
}

std::string header(const http::Request& request, std::string_view name) {
  return std::string(request.header(name).value_or(""));
}

using Inflated = std::variant<std::string, http::Response>;

Inflated inflate(const http::Request& request) {
  const std::string encoding = ascii_lower(header(request, "Content-Encoding"));
  if (encoding.empty()) return request.body;
  if (encoding != "gzip" && encoding != "deflate")
    return refusal(400, "Unsupported Content-Encoding: " + encoding);
  try {
    return http::inflate(request.body,
                         encoding == "gzip" ? http::Encoding::kGzip : http::Encoding::kDeflate,
                         {.bytes_max = kOtlpInflatedBytesMax});
  } catch (const Error& error) {
    if (error.code() == Code::kResourceExhausted) return refusal(413, error.what());
    return refusal(400, "Failed to decompress " + encoding + " payload");
  }
}

using Parsed = std::variant<std::vector<tracing::OtlpResource>, http::Response>;

Parsed parse(const std::string& body, bool is_json) {
  std::vector<tracing::OtlpResource> resources;
  try {
    resources = is_json ? tracing::parse_otlp_json(body) : tracing::parse_otlp_protobuf(body);
  } catch (const Error&) {
    return refusal(400, "Invalid OpenTelemetry format");
  }
  if (resources.empty()) return refusal(400, "Invalid OpenTelemetry format - no spans found");
  return resources;
}

struct Planned {
  std::string experiment;
  std::string run;
  std::vector<tracing::SpanBatch> batches;
  http::Caller caller;
};

// A trace that is there is added to, and must not be another's.
bool is_permitted(storage::Session& session, const Planned& planned) {
  if (planned.caller.admin) return true;
  const std::string experiment = planned.experiment.empty() ? "0" : planned.experiment;
  const auto may_add = [&](const tracing::SpanBatch& batch) {
    return tracing::find_trace(session, batch.trace_id)
               ? mlflow::may_trace(session, planned.caller, http::Level::kEdit, batch.trace_id)
               : mlflow::may_traces_of(session, planned.caller, http::Level::kEdit, experiment);
  };
  return std::all_of(planned.batches.begin(), planned.batches.end(), may_add) &&
         (planned.run.empty() ||
          mlflow::may_run(session, planned.caller, http::Level::kEdit, planned.run));
}

http::Response store(storage::Transaction& transaction, const Planned& planned) {
  if (!is_permitted(transaction, planned)) return mlflow::forbidden_response();
  tracing::log_spans(transaction, planned.experiment, planned.batches);
  if (!planned.run.empty()) {
    for (const tracing::SpanBatch& batch : planned.batches) {
      if (batch.root_state) tracing::link_traces_to_run(transaction, {batch.trace_id}, planned.run);
    }
  }
  http::Response done;
  done.content_type = kProtobuf;  // an empty ExportTraceServiceResponse has no bytes
  return done;
}

void receive(storage::Database& database, const http::Request& request,
             const http::Responder& responder) {
  const auto experiment = request.header(kExperimentHeader);
  if (!experiment) return responder.send(missing_header());
  const std::string type = header(request, "Content-Type");
  const std::string media(trimmed(std::string_view{type}.substr(0, type.find(';'))));
  if (media != kProtobuf && media != kJson) {
    return responder.send(refusal(
        400,
        "Invalid Content-Type: " + (request.header("Content-Type") ? type : std::string("None")) +
            ". Expected: application/x-protobuf or application/json"));
  }
  Inflated body = inflate(request);
  if (auto* refused = std::get_if<http::Response>(&body)) return responder.send(*refused);
  Parsed parsed = parse(std::get<std::string>(body), media == kJson);
  if (auto* refused = std::get_if<http::Response>(&parsed)) return responder.send(*refused);
  auto planned = std::make_shared<Planned>();
  planned->experiment = *experiment;
  planned->run = header(request, kRunHeader);
  planned->caller = request.caller;
  try {
    planned->batches = tracing::make_batches(std::get<std::vector<tracing::OtlpResource>>(parsed));
  } catch (const tracing::SpanError&) {
    return responder.send(refusal(422, "Cannot convert OpenTelemetry span to MLflow span"));
  }
  mlflow::submit(
      database,
      [planned](storage::Transaction& transaction) { return store(transaction, *planned); },
      responder);
}

}  // namespace

std::vector<http::Route> otlp_routes(const Deps& deps) {
  storage::Database& database = deps.database;
  return {{.method = http::Method::kPost,
           .pattern = "/v1/traces",
           .access = mlflow::declared(mlflow::may::edit(mlflow::By::kSpans)),
           .execution = http::Execution::kPool,  // parsing and encoding take their time
           .handler =
               [&database](http::Request& request, const http::Responder& responder) {
                 receive(database, request, responder);
               },
           .body_bytes_max = kOtlpBodyBytesMax,
           .summary = "Spans over OTLP/HTTP"}};
}

}  // namespace slipway::api::otlp
