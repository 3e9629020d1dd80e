// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/events.h"

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "base/error.h"
#include "ledger/event.h"
#include "ledger/evidence.h"

namespace slipway::api {
namespace {

constexpr std::int64_t kEventPageDefault = 1'000;

json::Object shown(const ledger::Evidence& evidence) {
  return {{"hash", evidence.hash},
          {"kind", evidence.kind},
          {"subject", evidence.subject},
          {"recorded_at", format_time(evidence.recorded_at)},
          {"body", evidence.body}};
}

http::Response list(const AutomationApi& api, const http::Request& request) {
  ledger::EventFilter filter;
  filter.after_seq = query_integer(request, "after", 0, 0, INT64_MAX);
  filter.type_prefix = query_text(request, "type");
  filter.subject = query_text(request, "subject");
  filter.limit = query_integer(request, "limit", kEventPageDefault, 1, ledger::kEventPageMax);
  filter.newest_first = query_integer(request, "newest", 0, 0, 1) == 1;
  std::vector<ledger::StoredEvent> found;
  api.deps.database.read(
      [&](storage::Session& session) { found = ledger::list_events(session, filter); });
  json::Array events;
  for (const ledger::StoredEvent& event : found) {
    events.emplace_back(ledger::to_json(event));
  }
  const bool full = static_cast<std::int64_t>(found.size()) == filter.limit && !filter.newest_first;
  json::Object answer{{"events", std::move(events)}};
  answer.set("next", full ? json::Value(found.back().seq) : json::Value());
  return json_response(answer);
}

http::Response show(const AutomationApi& api, const http::Request& request) {
  const std::string& id = request.path_parameter("id");
  return json_response(
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        const std::optional<ledger::StoredEvent> event = ledger::find_event(session, id);
        if (!event) {
          throw Error(Code::kNotFound, "there is no event `" + id + "`", "slipway event list");
        }
        json::Object object = ledger::to_json(*event).as_object();
        json::Array documents;
        for (const std::string& hash : event->evidence) {
          if (const auto evidence = ledger::find_evidence(session, hash)) {
            documents.emplace_back(shown(*evidence));
          }
        }
        object.set("evidence_documents", std::move(documents));
        return object;
      }));
}

http::Response show_evidence(const AutomationApi& api, const http::Request& request) {
  const std::string& hash = request.path_parameter("hash");
  return json_response(
      api.deps.database.read_returning<json::Object>([&](storage::Session& session) {
        const std::optional<ledger::Evidence> evidence = ledger::find_evidence(session, hash);
        if (!evidence) {
          throw Error(Code::kNotFound, "there is no evidence `" + hash + "`", "slipway event list");
        }
        return shown(*evidence);
      }));
}

}  // namespace

std::vector<http::Route> event_routes(const AutomationApi& api) {
  using http::Execution;
  using http::Method;
  return {
      http::route(
          Method::kGet, "/api/slipway/v1/events", kSeeOperations, Execution::kPool,
          [api](const http::Request& r) { return list(api, r); }, "what happened, in order"),
      http::route(
          Method::kGet, "/api/slipway/v1/events/{id}", kSeeOperations, Execution::kPool,
          [api](const http::Request& r) { return show(api, r); }, "one event with its evidence"),
      http::route(
          Method::kGet, "/api/slipway/v1/evidence/{hash}", kSeeOperations, Execution::kPool,
          [api](const http::Request& r) { return show_evidence(api, r); },
          "one evidence document")};
}

}  // namespace slipway::api
