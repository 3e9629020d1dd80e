// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::ledger {

// Something that happened, kept for ever. KPIs, the story and the page are views of these rows.
struct Event {
  std::string
      type;  // "alias.moved", "rollout.started", "alarm.raised" …: noun.verb in the past tense
  std::string subject;  // what it happened to: "model:NAME", "endpoint:NAME", "trigger:NAME",
                        // "rollout:ID" …
  std::string
      actor;  // who did it: "user:NAME", "token:NAME", "automation:trigger/NAME", "mlflow-client"
  std::string cause;  // the id of the event that led to this one; empty where a person is the cause
  // On the endpoint's clock. 0 = none: it is about no endpoint, or came before the first request.
  // Never the wall clock instead, which would put the start of a replayed year after its end.
  TimeUs event_time = 0;
  json::Object body;                  // the numbers; keys are only ever added
  std::vector<std::string> evidence;  // hashes of evidence records
};

struct StoredEvent : Event {
  std::int64_t seq = 0;    // 1, 2, 3 … in commit order
  std::string id;          // ULID
  TimeUs recorded_at = 0;  // wall clock
};

// Appends within the write that did the thing, so that both are kept or neither. Returns the stored
// form.
StoredEvent append(storage::Transaction& transaction, const Clock& clock, const Event& event);

struct EventFilter {
  std::int64_t after_seq = 0;
  std::string type_prefix;     // "" = any
  std::string subject;         // "" = any
  std::int64_t limit = 1'000;  // at most kEventPageMax
  bool newest_first = false;
};
inline constexpr std::int64_t kEventPageMax = 10'000;

std::vector<StoredEvent> list_events(storage::Session& session, const EventFilter& filter);
std::optional<StoredEvent> find_event(storage::Session& session, const std::string& id);

// A time on an endpoint's clock as documents show it: null for 0.
json::Value time_or_null(TimeUs time);

// As the API and `--json` show it:
// {"seq","id","type","subject","actor","cause","event_time" (null: none),"recorded_at","body",
// "evidence"}.
json::Value to_json(const StoredEvent& event);

}  // namespace slipway::ledger
