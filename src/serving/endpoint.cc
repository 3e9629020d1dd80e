// SPDX-License-Identifier: Apache-2.0
#include "serving/endpoint.h"

#include <algorithm>

#include "base/error.h"
#include "ledger/event.h"
#include "serving/rollout.h"

namespace slipway::serving {
namespace {

constexpr const char* kColumns =
    "SELECT name, model, alias, version, clock, latency_limit_us, canary, previous_version, "
    "created_at, updated_at FROM endpoint";

std::string select(std::string_view rest) {
  std::string sql(kColumns);
  sql += rest;
  return sql;
}

EndpointRow read_row(const storage::Statement& row) {
  EndpointRow endpoint;
  endpoint.name = row.text(0);
  endpoint.model = row.text(1);
  endpoint.alias = row.text(2);
  endpoint.version = row.int64(3);
  endpoint.clock = find_clock(row.text(4)).value_or(EndpointClock::kWall);
  endpoint.latency_limit_us = row.int64(5);
  endpoint.canary = row.text(6);
  endpoint.previous_version = row.int64(7);
  endpoint.created_at = row.int64(8);
  endpoint.updated_at = row.int64(9);
  return endpoint;
}

bool is_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > kEndpointNameBytesMax || !plain(name.front())) return false;
  return std::all_of(name.begin(), name.end(),
                     [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

void check(const EndpointRow& row) {
  if (!is_name(row.name)) {
    throw Error(Code::kInvalidArgument, "endpoint name `" + row.name.substr(0, 200) +
                                            "` is not one: letters, digits, '.', '_' and '-', at "
                                            "most 128, a letter or digit first");
  }
  const std::string what = "endpoint `" + row.name + "`: ";
  if (row.model.empty()) throw Error(Code::kInvalidArgument, what + "`model` is missing");
  if (row.alias.empty() == (row.version == 0) || row.version < 0) {
    throw Error(Code::kInvalidArgument,
                what + "needs either `alias` or `version` (1 or more), not both");
  }
  if (row.latency_limit_us < 0)
    throw Error(Code::kInvalidArgument, what + "a latency limit cannot be negative");
}

json::Object body_of(const EndpointRow& row) {
  json::Object body{{"model", row.model}, {"clock", clock_name(row.clock)}};
  if (row.version > 0)
    body.set("version", row.version);
  else
    body.set("alias", row.alias);
  if (row.latency_limit_us > 0) {
    body.set("latency_limit_us", row.latency_limit_us);  // the older of the two keys
    body.set("latency_limit_ms",
             static_cast<double>(row.latency_limit_us) / static_cast<double>(kMicrosPerMilli));
  }
  return body;
}

void append_event(storage::Transaction& transaction, const Clock& clock, const char* type,
                  const std::string& name, const Change& change, json::Object body) {
  ledger::Event event;
  event.type = type;
  event.subject = "endpoint:" + name;
  event.actor = change.actor;
  event.cause = change.cause;
  event.event_time = change.event_time;
  event.body = std::move(body);
  ledger::append(transaction, clock, event);
}

}  // namespace

std::string_view clock_name(EndpointClock clock) {
  return clock == EndpointClock::kWall ? "wall" : "event";
}

std::optional<EndpointClock> find_clock(std::string_view name) {
  if (name == "wall") return EndpointClock::kWall;
  if (name == "event") return EndpointClock::kEvent;
  return std::nullopt;
}

std::optional<EndpointRow> find_endpoint(storage::Session& session, const std::string& name) {
  auto query = session.query(select(" WHERE name = ?1"), name);
  if (!query.step()) return std::nullopt;
  return read_row(query);
}

EndpointRow get_endpoint(storage::Session& session, const std::string& name) {
  if (auto found = find_endpoint(session, name)) return *found;
  throw Error(Code::kNotFound, "there is no endpoint `" + name + "`", "slipway endpoint list");
}

std::vector<EndpointRow> list_endpoints(storage::Session& session) {
  std::vector<EndpointRow> rows;
  auto query = session.query(select(" ORDER BY name"));
  while (query.step()) rows.push_back(read_row(query));
  return rows;
}

EndpointRow put_endpoint(storage::Transaction& transaction, const Clock& clock,
                         const EndpointRow& row, const Change& change) {
  check(row);
  const std::optional<EndpointRow> present = find_endpoint(transaction, row.name);
  EndpointRow wanted = row;
  wanted.previous_version = 0;
  if (present) {
    const bool moved = wanted.model == present->model && present->version > 0 &&
                       wanted.version > 0 && wanted.version != present->version;
    wanted.previous_version = moved                            ? present->version
                              : wanted.model == present->model ? present->previous_version
                                                               : 0;
    wanted.created_at = present->created_at;
    wanted.updated_at = present->updated_at;
    if (wanted == *present) return *present;
  } else {
    wanted.created_at = clock.now();
  }
  wanted.updated_at = clock.now();
  transaction.execute(
      "INSERT INTO endpoint (name, model, alias, version, clock, latency_limit_us, canary, "
      "previous_version, created_at, updated_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (name) DO UPDATE SET model = "
      "?2, alias = ?3, version = ?4, clock = ?5, "
      "latency_limit_us = ?6, canary = ?7, previous_version = ?8, updated_at = ?10",
      wanted.name, wanted.model, wanted.alias, wanted.version, clock_name(wanted.clock),
      wanted.latency_limit_us, wanted.canary, wanted.previous_version, wanted.created_at,
      wanted.updated_at);
  append_event(transaction, clock, present ? "endpoint.updated" : "endpoint.created", row.name,
               change, body_of(wanted));
  return wanted;
}

void delete_endpoint(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                     const Change& change) {
  const EndpointRow present = get_endpoint(transaction, name);
  if (const auto rollout = find_active_rollout(transaction, name)) {
    throw Error(Code::kFailedPrecondition,
                "endpoint `" + name + "` has a rollout under way (" + rollout->id + ")",
                "slipway rollout abort " + rollout->id);
  }
  transaction.execute("DELETE FROM endpoint_hold WHERE endpoint = ?1", name);
  transaction.execute("DELETE FROM endpoint WHERE name = ?1", name);
  append_event(transaction, clock, "endpoint.deleted", name, change, body_of(present));
}

std::optional<HoldRow> find_hold(storage::Session& session, const std::string& endpoint,
                                 TimeUs now) {
  auto query = session.query(
      "SELECT endpoint, reason, actor, set_at, until, version FROM endpoint_hold WHERE endpoint = "
      "?1 AND (until = 0 OR until > ?2)",
      endpoint, now);
  if (!query.step()) return std::nullopt;
  return HoldRow{query.text(0),  query.text(1),  query.text(2),
                 query.int64(3), query.int64(4), query.int64(5)};
}

void set_hold(storage::Transaction& transaction, const Clock& clock, const HoldRow& hold,
              const Change& change) {
  get_endpoint(transaction, hold.endpoint);
  const TimeUs now = clock.now();
  if (hold.until != 0 && hold.until <= now)
    throw Error(Code::kInvalidArgument, "the hold's time is over before it begins");
  transaction.execute(
      "INSERT INTO endpoint_hold (endpoint, reason, actor, set_at, until, version) VALUES (?1, ?2, "
      "?3, ?4, ?5, ?6) "
      "ON CONFLICT (endpoint) DO UPDATE SET reason = ?2, actor = ?3, set_at = ?4, until = ?5, "
      "version = ?6",
      hold.endpoint, hold.reason, hold.actor, now, hold.until, hold.version);
  json::Object body{{"reason", hold.reason}};
  if (hold.until != 0) body.set("until", format_time(hold.until));
  if (hold.version != 0) body.set("version", hold.version);
  append_event(transaction, clock, "hold.set", hold.endpoint, change, std::move(body));
}

bool release_hold(storage::Transaction& transaction, const Clock& clock,
                  const std::string& endpoint, const Change& change) {
  get_endpoint(transaction, endpoint);
  const bool in_force = find_hold(transaction, endpoint, clock.now()).has_value();
  if (transaction.execute("DELETE FROM endpoint_hold WHERE endpoint = ?1", endpoint) == 0)
    return false;
  if (in_force) append_event(transaction, clock, "hold.released", endpoint, change, {});
  return in_force;
}

}  // namespace slipway::serving
