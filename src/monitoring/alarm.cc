// SPDX-License-Identifier: Apache-2.0
#include "monitoring/alarm.h"

#include "base/id.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "monitoring/webhook.h"

namespace slipway::monitoring {
namespace {

constexpr const char* kColumns =
    "id, monitor, endpoint, block_start, event_time, recorded_at, value, threshold, bound, "
    "mean_loss, block_mean_loss, blocks, event_id, evidence, loss_scale";

Alarm read_row(const storage::Statement& row) {
  Alarm alarm;
  alarm.id = row.text(0);
  alarm.monitor = row.text(1);
  alarm.endpoint = row.text(2);
  alarm.block_start = row.int64(3);
  alarm.event_time = row.int64(4);
  alarm.recorded_at = row.int64(5);
  alarm.value = row.real(6);
  alarm.threshold = row.real(7);
  alarm.bound = row.real(8);
  alarm.mean_loss = row.real(9);
  alarm.block_mean_loss = row.real(10);
  alarm.blocks = row.int64(11);
  alarm.event_id = row.text(12);
  alarm.evidence = row.text(13);
  alarm.loss_scale = row.real(14);
  return alarm;
}

ledger::StoredEvent append_event(storage::Transaction& transaction, const Clock& clock,
                                 const Alarm& alarm) {
  ledger::Event event;
  event.type = "alarm.raised";
  event.subject = "monitor:" + alarm.monitor;
  event.actor = "automation:monitor/" + alarm.monitor;
  event.event_time = alarm.event_time;
  event.body = {{"alarm", alarm.id},
                {"endpoint", alarm.endpoint},
                {"block", format_time(alarm.block_start)},
                {"value", alarm.value},
                {"threshold", alarm.threshold},
                {"budget_blocks", alarm.threshold},
                {"blocks", alarm.blocks}};
  set_losses(event.body, alarm);
  event.evidence = {alarm.evidence};
  return ledger::append(transaction, clock, event);
}

std::string select(const char* rest) {
  std::string sql = "SELECT ";
  sql += kColumns;
  sql += " FROM alarm ";
  sql += rest;
  return sql;
}

}  // namespace

std::vector<Alarm> list_alarms(storage::Session& session, const std::string& monitor,
                               std::int64_t limit) {
  std::vector<Alarm> alarms;
  storage::Statement row = session.query(
      select("WHERE ?1 = '' OR monitor = ?1 ORDER BY ordinal DESC LIMIT ?2"), monitor, limit);
  while (row.step()) alarms.push_back(read_row(row));
  return alarms;
}

std::optional<Alarm> find_alarm(storage::Session& session, const std::string& id) {
  storage::Statement row = session.query(select("WHERE id = ?1"), id);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

void set_losses(json::Object& object, const Alarm& alarm) {
  const bool known = alarm.loss_scale > 0;
  const auto scaled = [&](double loss) {
    return known ? json::Value(loss / alarm.loss_scale) : json::Value();
  };
  object.set("mean_loss", alarm.mean_loss);
  object.set("block_mean_loss", alarm.block_mean_loss);
  object.set("bound_loss", known ? json::Value(alarm.bound * alarm.loss_scale) : json::Value());
  object.set("mean_loss_scaled", scaled(alarm.mean_loss));
  object.set("block_mean_loss_scaled", scaled(alarm.block_mean_loss));
  object.set("bound_scaled", alarm.bound);
  object.set("loss_scale", known ? json::Value(alarm.loss_scale) : json::Value());
  object.set("bound", alarm.bound);
}

json::Value to_json(const Alarm& alarm) {
  json::Object object{{"id", alarm.id},
                      {"monitor", alarm.monitor},
                      {"endpoint", alarm.endpoint},
                      {"block", format_time(alarm.block_start)},
                      {"event_time", format_time(alarm.event_time)},
                      {"recorded_at", format_time(alarm.recorded_at)},
                      {"value", alarm.value},
                      {"threshold", alarm.threshold},
                      {"blocks", alarm.blocks},
                      {"event", alarm.event_id},
                      {"evidence", alarm.evidence}};
  set_losses(object, alarm);
  return object;
}

Alarm raise_alarm(storage::Transaction& transaction, const Clock& clock, Alarm alarm,
                  const json::Value& evidence_body, const std::string& webhook) {
  alarm.recorded_at = clock.now();
  alarm.id = new_ulid(alarm.recorded_at);
  alarm.evidence =
      ledger::put_evidence(transaction, clock, "alarm", "alarm/" + alarm.id, evidence_body);
  alarm.event_id = append_event(transaction, clock, alarm).id;
  transaction.execute(
      "INSERT INTO alarm (id, ordinal, monitor, endpoint, block_start, event_time, recorded_at, "
      "value, threshold, bound, mean_loss, block_mean_loss, blocks, event_id, evidence, "
      "loss_scale) "
      "VALUES (?1, (SELECT COALESCE(MAX(ordinal), 0) + 1 FROM alarm), ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
      "?9, ?10, ?11, ?12, ?13, ?14, ?15)",
      alarm.id, alarm.monitor, alarm.endpoint, alarm.block_start, alarm.event_time,
      alarm.recorded_at, alarm.value, alarm.threshold, alarm.bound, alarm.mean_loss,
      alarm.block_mean_loss, alarm.blocks, alarm.event_id, alarm.evidence, alarm.loss_scale);
  if (!webhook.empty()) {
    enqueue_delivery(transaction, clock, webhook,
                     json::Object{{"type", "alarm.raised"}, {"alarm", to_json(alarm)}});
  }
  return alarm;
}

}  // namespace slipway::monitoring
