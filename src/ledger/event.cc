// SPDX-License-Identifier: Apache-2.0
#include "ledger/event.h"

#include <algorithm>

#include "base/error.h"
#include "base/id.h"

namespace slipway::ledger {
namespace {

constexpr std::string_view kColumns =
    "seq, id, type, subject, actor, cause, event_time, recorded_at, body, evidence";

StoredEvent row_to_event(const storage::Statement& row) {
  StoredEvent event;
  event.seq = row.int64(0);
  event.id = row.text(1);
  event.type = row.text(2);
  event.subject = row.text(3);
  event.actor = row.text(4);
  event.cause = row.text(5);
  event.event_time = row.int64(6);
  event.recorded_at = row.int64(7);
  event.body = json::parse(row.text_view(8)).as_object();
  const json::Value hashes = json::parse(row.text_view(9));
  for (const json::Value& hash : hashes.as_array()) event.evidence.push_back(hash.as_string());
  return event;
}

json::Array evidence_json(const std::vector<std::string>& hashes) {
  return json::Array(hashes.begin(), hashes.end());
}

}  // namespace

StoredEvent append(storage::Transaction& transaction, const Clock& clock, const Event& event) {
  StoredEvent stored;
  static_cast<Event&>(stored) = event;
  stored.recorded_at = clock.now();
  stored.id = new_ulid(stored.recorded_at);
  stored.seq = transaction.insert_id(
      "INSERT INTO event (id, type, subject, actor, cause, event_time, recorded_at, body, evidence)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING seq",
      stored.id, stored.type, stored.subject, stored.actor, stored.cause, stored.event_time,
      stored.recorded_at, json::write(stored.body), json::write(evidence_json(stored.evidence)));
  return stored;
}

std::vector<StoredEvent> list_events(storage::Session& session, const EventFilter& filter) {
  if (filter.limit < 1 || filter.limit > kEventPageMax) {
    throw Error(Code::kInvalidArgument,
                "`limit` must be between 1 and " + std::to_string(kEventPageMax));
  }
  std::string sql = "SELECT " + std::string(kColumns) +
                    " FROM event WHERE seq > ?1 AND (?2 = '' OR subject = ?2)"
                    " AND (?3 = '' OR substr(type, 1, length(?3)) = ?3) ORDER BY seq ";
  sql += filter.newest_first ? "DESC LIMIT ?4" : "LIMIT ?4";
  std::vector<StoredEvent> events;
  auto rows =
      session.query(sql, filter.after_seq, filter.subject, filter.type_prefix, filter.limit);
  while (rows.step()) events.push_back(row_to_event(rows));
  return events;
}

std::optional<StoredEvent> find_event(storage::Session& session, const std::string& id) {
  auto rows = session.query("SELECT " + std::string(kColumns) + " FROM event WHERE id = ?1", id);
  if (!rows.step()) return std::nullopt;
  return row_to_event(rows);
}

json::Value time_or_null(TimeUs time) {
  return time == 0 ? json::Value() : json::Value(format_time(time));
}

json::Value to_json(const StoredEvent& event) {
  return json::Object{{"seq", event.seq},
                      {"id", event.id},
                      {"type", event.type},
                      {"subject", event.subject},
                      {"actor", event.actor},
                      {"cause", event.cause},
                      {"event_time", time_or_null(event.event_time)},
                      {"recorded_at", format_time(event.recorded_at)},
                      {"body", event.body},
                      {"evidence", evidence_json(event.evidence)}};
}

}  // namespace slipway::ledger
