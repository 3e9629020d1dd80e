// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/story.h"

#include "api/slipway/errors.h"
#include "automation/story.h"
#include "base/error.h"

namespace slipway::api {
namespace {

http::Response tell(const AutomationApi& api, const http::Request& request) {
  const std::string format = query_text(request, "format");
  if (!format.empty() && format != "json" && format != "text") {
    throw Error(Code::kInvalidArgument, "`format` must be `json` or `text`, not `" + format + "`");
  }
  const json::Object story =
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        return automation::story(session, query_text(request, "endpoint"));
      });
  if (format != "text") {
    return json_response(story);
  }
  http::Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = automation::story_text(story);
  return response;
}

}  // namespace

std::vector<http::Route> story_routes(const AutomationApi& api,
                                      const automation::InvariantFacts& facts) {
  using http::Execution;
  using http::Method;
  using http::Permission;
  return {http::route(
              Method::kGet, "/api/slipway/v1/story", Permission::kOpenOnLoopback, Execution::kPool,
              [api](const http::Request& r) { return tell(api, r); }, "what the loop did and why"),
          http::route(
              Method::kGet, "/api/slipway/v1/check", Permission::kOpenOnLoopback, Execution::kPool,
              [api, facts](const http::Request&) {
                return json_response(
                    api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
                      return automation::to_json(automation::check_invariants(session, facts));
                    }));
              },
              "whether promotions have evidence, refusals reasons, and counters recompute")};
}

}  // namespace slipway::api
