// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/story.h"

#include <map>
#include <memory>
#include <mutex>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "automation/story.h"
#include "base/error.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kRolloutsChecked = 10'000;  // newest; older ones keep their other checks

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

// It reads everything that was ever kept, so one at a time is enough for a server.
http::Response check(const AutomationApi& api, const automation::InvariantFacts& facts,
                     std::mutex& busy) {
  const std::unique_lock lock(busy, std::try_to_lock);
  if (!lock) {
    throw Error(Code::kUnavailable, "a check is under way already; ask again when it has ended");
  }
  // The prediction log is counted before, so that no read of the store is held open meanwhile.
  using Counted = std::optional<std::vector<serving::StepCounters>>;
  std::map<std::string, Counted> counted;
  if (facts.recount) {
    const auto rollouts = api.deps.database.read_returning<std::vector<serving::RolloutRow>>(
        [](storage::Session& session) {
          return serving::list_rollouts(session, "", kRolloutsChecked);
        });
    for (const serving::RolloutRow& rollout : rollouts) {
      if (!serving::is_open(rollout.state)) counted[rollout.id] = facts.recount(rollout);
    }
  }
  automation::InvariantFacts known;
  known.recount = [&counted](const serving::RolloutRow& rollout) {
    const auto found = counted.find(rollout.id);
    return found == counted.end() ? Counted() : found->second;
  };
  return json_response(
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        return automation::to_json(automation::check_invariants(session, known));
      }));
}

}  // namespace

std::vector<http::Route> story_routes(const AutomationApi& api,
                                      const automation::InvariantFacts& facts) {
  using http::Execution;
  using http::Method;
  return {http::route(
              Method::kGet, "/api/slipway/v1/story", kSeeOperations, Execution::kPool,
              [api](const http::Request& r) { return tell(api, r); }, "what the loop did and why"),
          http::route(
              Method::kGet, "/api/slipway/v1/check", kSeeOperations, Execution::kPool,
              [api, facts, busy = std::make_shared<std::mutex>()](const http::Request&) {
                return check(api, facts, *busy);
              },
              "whether promotions have evidence, refusals reasons, and counters recompute")};
}

}  // namespace slipway::api
