// SPDX-License-Identifier: Apache-2.0
#include "monitoring/delivery.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error.h"
#include "monitoring/webhook.h"
#include "net/webhook.h"

namespace slipway::monitoring {
namespace {

struct Outcome {
  bool delivered = false;
  bool again = false;
  std::string error;
};

Outcome attempt(net::HttpClient& client, const std::string& url, const std::string& body) {
  try {
    const int status = net::post_json(client, url, body, kDeliveryTimeoutMs);
    if (status >= 200 && status < 300) return {true, false, ""};
    const bool again = status == 408 || status == 429 || status >= 500;
    return {false, again, "the webhook answered " + std::to_string(status)};
  } catch (const Error& error) {
    // This is a worker's edge: what the network did becomes the delivery's state.
    const bool again =
        error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
    return {false, again, error.what()};
  }
}

TimeUs backoff(int attempts) {
  TimeUs wait = kDeliveryBackoffFirst;
  for (int i = 1; i < attempts && wait < kDeliveryBackoffMax; ++i) wait *= 2;
  return std::min(wait, kDeliveryBackoffMax);
}

}  // namespace

DeliveryWorker::DeliveryWorker(storage::Database& database, const Clock& clock,
                               net::HttpClient& client)
    : database_(database), clock_(clock), client_(client) {}

bool DeliveryWorker::work_once() {
  std::optional<Delivery> delivery;
  std::optional<Webhook> webhook;
  database_.read([&](storage::Session& session) {
    delivery = next_delivery(session, clock_.now());
    if (delivery) webhook = find_webhook(session, delivery->webhook);
  });
  if (!delivery) return false;
  const Outcome outcome =
      webhook ? attempt(client_, webhook->url, delivery->body)
              : Outcome{false, false, "there is no webhook `" + delivery->webhook + "`"};
  const int attempts = delivery->attempts + 1;
  const bool again = outcome.again && attempts < kDeliveryAttemptsMax;
  const char* state = outcome.delivered ? "delivered" : again ? "waiting" : "failed";
  database_.write([&](storage::Transaction& transaction) {
    transaction.execute(
        "UPDATE delivery SET state = ?1, attempts = ?2, next_attempt_at = ?3, last_error = ?4 "
        "WHERE seq = ?5",
        state, attempts, clock_.now() + backoff(attempts), outcome.error, delivery->seq);
  });
  return true;
}

}  // namespace slipway::monitoring
