// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/labels.h"

#include <string>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "monitoring/label.h"
#include "serving/endpoint.h"

namespace slipway::api {
namespace {

constexpr const char* kPath = "/api/slipway/v1/endpoints/{name}/labels";

bool is_ndjson(const http::Request& request) {
  const auto type = request.header("Content-Type");
  return type && type->substr(0, type->find(';')) == "application/x-ndjson";
}

monitoring::ParsedLabels parse_body(const http::Request& request) {
  if (is_ndjson(request)) return monitoring::parse_label_lines(request.body);
  const json::Object body = body_object(request);
  const json::Value* list = body.find("labels");
  if (list == nullptr || !list->is_array()) {
    throw Error(Code::kInvalidArgument,
                "`labels` must be a list of labels (or send application/x-ndjson, one a line)");
  }
  for (const auto& [key, value] : body) {
    if (key != "labels") throw Error(Code::kInvalidArgument, "unknown key `" + key + "`");
  }
  return monitoring::parse_label_list(list->as_array());
}

json::Value receipt_json(const monitoring::LabelReceipt& receipt) {
  json::Array errors;
  for (const monitoring::LabelError& error : receipt.errors) {
    errors.emplace_back(json::Object{{"line", error.line}, {"message", error.message}});
  }
  return json::Object{{"accepted", receipt.accepted},
                      {"duplicates", receipt.duplicates},
                      {"orphans", receipt.orphans},
                      {"failed", receipt.failed},
                      {"errors", std::move(errors)}};
}

http::Response post(const LabelDeps& deps, const http::Request& request) {
  const monitoring::LabelReceipt receipt = monitoring::post_labels(
      deps.database, deps.clock, deps.log, request.path_parameter("name"), parse_body(request));
  if (receipt.failed > 0 && receipt.accepted + receipt.duplicates == 0) {
    const monitoring::LabelError& first = receipt.errors.front();
    throw Error(Code::kInvalidArgument, "none of " + std::to_string(receipt.failed) +
                                            " labels could be read; line " +
                                            std::to_string(first.line) + ": " + first.message);
  }
  return json_response(receipt_json(receipt));
}

http::Response count(const LabelDeps& deps, const http::Request& request) {
  const std::string& name = request.path_parameter("name");
  return json_response(deps.database.read_returning<json::Object>([&](storage::Session& session) {
    serving::get_endpoint(session, name);
    const monitoring::LabelCounts counts = monitoring::count_labels(session, name);
    const bool any = counts.newest_event_time > 0;
    return json::Object{
        {"labels", counts.labels},
        {"orphans", counts.orphans},
        {"newest", any ? json::Value(format_time(counts.newest_event_time)) : json::Value()}};
  }));
}

}  // namespace

std::vector<http::Route> label_routes(const LabelDeps& deps) {
  http::Route posting = http::route(
      http::Method::kPost, kPath, kRunEndpoint, http::Execution::kPool,
      [deps](const http::Request& request) { return post(deps, request); },
      "Keeps what turned out to be true for predictions, by their ids");
  posting.body_bytes_max = kLabelsBodyBytesMax;
  std::vector<http::Route> routes;
  routes.push_back(std::move(posting));
  routes.push_back(http::route(
      http::Method::kGet, kPath, kSeeEndpoint, http::Execution::kPool,
      [deps](const http::Request& request) { return count(deps, request); },
      "How many labels an endpoint has"));
  return routes;
}

}  // namespace slipway::api
