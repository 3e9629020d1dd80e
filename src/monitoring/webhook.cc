// SPDX-License-Identifier: Apache-2.0
#include "monitoring/webhook.h"

#include "base/error.h"
#include "monitoring/spec_reader.h"

namespace slipway::monitoring {
namespace {

constexpr const char* kColumns = "seq, webhook, body, state, attempts, next_attempt_at, last_error";

Delivery read_row(const storage::Statement& row) {
  Delivery delivery;
  delivery.seq = row.int64(0);
  delivery.webhook = row.text(1);
  delivery.body = row.text(2);
  delivery.state = row.text(3);
  delivery.attempts = static_cast<int>(row.int64(4));
  delivery.next_attempt_at = row.int64(5);
  delivery.last_error = row.text(6);
  return delivery;
}

void drop_oldest_beyond_limit(storage::Transaction& transaction, const std::string& webhook) {
  transaction.execute(
      "UPDATE delivery SET state = 'failed', last_error = 'gave way to newer ones' "
      "WHERE webhook = ?1 AND state = 'waiting' AND seq <= (SELECT seq FROM delivery WHERE "
      "webhook = ?1 AND state = 'waiting' ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
      webhook, kDeliveriesWaitingMax);
}

std::string select(const char* rest) {
  std::string sql = "SELECT ";
  sql += kColumns;
  sql += " FROM delivery ";
  sql += rest;
  return sql;
}

}  // namespace

Webhook parse_webhook_spec(const std::string& name, const json::Value& spec) {
  const SpecReader reader("Webhook", spec, {"url"});
  Webhook webhook{name, reader.required_text("url")};
  const bool http = webhook.url.rfind("http://", 0) == 0 || webhook.url.rfind("https://", 0) == 0;
  if (!http) reader.refuse("url", "must begin with http:// or https://");
  if (webhook.url.size() > kUrlBytesMax) {
    reader.refuse("url", "is longer than " + std::to_string(kUrlBytesMax) + " bytes");
  }
  return webhook;
}

void put_webhook(storage::Transaction& transaction, const std::string& name,
                 const json::Value& spec) {
  if (name.empty()) throw Error(Code::kInvalidArgument, "a webhook needs a name");
  const Webhook webhook = parse_webhook_spec(name, spec);
  transaction.execute(
      "INSERT INTO webhook (name, url) VALUES (?1, ?2) "
      "ON CONFLICT (name) DO UPDATE SET url = excluded.url",
      webhook.name, webhook.url);
}

void delete_webhook(storage::Transaction& transaction, const std::string& name) {
  if (transaction.execute("DELETE FROM webhook WHERE name = ?1", name) == 0) {
    throw Error(Code::kNotFound, "there is no webhook `" + name + "`");
  }
  transaction.execute("DELETE FROM delivery WHERE webhook = ?1 AND state = 'waiting'", name);
}

std::optional<Webhook> find_webhook(storage::Session& session, const std::string& name) {
  storage::Statement row = session.query("SELECT url FROM webhook WHERE name = ?1", name);
  if (!row.step()) return std::nullopt;
  return Webhook{name, row.text(0)};
}

std::vector<Webhook> list_webhooks(storage::Session& session) {
  std::vector<Webhook> webhooks;
  storage::Statement row = session.query("SELECT name, url FROM webhook ORDER BY name");
  while (row.step()) webhooks.push_back({row.text(0), row.text(1)});
  return webhooks;
}

void enqueue_delivery(storage::Transaction& transaction, const Clock& clock,
                      const std::string& webhook, const json::Value& body) {
  const bool known = find_webhook(transaction, webhook).has_value();
  const TimeUs now = clock.now();
  transaction.execute(
      "INSERT INTO delivery (webhook, body, state, created_at, next_attempt_at, last_error) "
      "VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
      webhook, json::write(body), known ? "waiting" : "failed", now,
      known ? std::string() : "there is no webhook `" + webhook + "`");
  drop_oldest_beyond_limit(transaction, webhook);
}

std::vector<Delivery> list_deliveries(storage::Session& session, const std::string& webhook,
                                      std::int64_t limit) {
  std::vector<Delivery> deliveries;
  storage::Statement row =
      session.query(select("WHERE webhook = ?1 ORDER BY seq DESC LIMIT ?2"), webhook, limit);
  while (row.step()) deliveries.push_back(read_row(row));
  return deliveries;
}

std::optional<Delivery> next_delivery(storage::Session& session, TimeUs now) {
  storage::Statement row = session.query(select("WHERE state = 'waiting' AND next_attempt_at <= ?1 "
                                                "ORDER BY next_attempt_at, seq LIMIT 1"),
                                         now);
  if (!row.step()) return std::nullopt;
  return read_row(row);
}

}  // namespace slipway::monitoring
