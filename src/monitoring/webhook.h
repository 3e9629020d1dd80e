// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::monitoring {

inline constexpr int kDeliveryAttemptsMax = 8;  // then it is given up and says so
inline constexpr TimeUs kDeliveryBackoffFirst = 1 * kMicrosPerSecond;  // doubles
inline constexpr TimeUs kDeliveryBackoffMax = 300 * kMicrosPerSecond;
inline constexpr int kDeliveryTimeoutMs = 5'000;
inline constexpr std::int64_t kDeliveriesWaitingMax =
    1'000;  // of one webhook; the oldest gives way
inline constexpr std::size_t kUrlBytesMax = 2'048;

// kind: Webhook, spec {url}. http or https.
struct Webhook {
  std::string name;
  std::string url;
};
Webhook parse_webhook_spec(const std::string& name,
                           const json::Value& spec);  // kInvalidArgument naming the key
void put_webhook(storage::Transaction& transaction, const std::string& name,
                 const json::Value& spec);
void delete_webhook(storage::Transaction& transaction,
                    const std::string& name);  // with its waiting deliveries; kNotFound
std::optional<Webhook> find_webhook(storage::Session& session, const std::string& name);
std::vector<Webhook> list_webhooks(storage::Session& session);

struct Delivery {
  std::int64_t seq = 0;
  std::string webhook;
  std::string body;
  std::string state;  // "waiting" | "delivered" | "failed"
  int attempts = 0;
  TimeUs next_attempt_at = 0;  // wall clock
  std::string last_error;
};
// In the caller's transaction; without such a webhook the delivery fails at once and its error
// names it.
void enqueue_delivery(storage::Transaction& transaction, const Clock& clock,
                      const std::string& webhook, const json::Value& body);
std::vector<Delivery> list_deliveries(storage::Session& session, const std::string& webhook,
                                      std::int64_t limit);  // newest first

// The one whose time has come first; nullopt when none is due.
std::optional<Delivery> next_delivery(storage::Session& session, TimeUs now);

}  // namespace slipway::monitoring
