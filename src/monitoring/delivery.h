// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "net/http_client.h"
#include "storage/database.h"

namespace slipway::monitoring {

// Takes what waits for a webhook to it: a POST of JSON. Any 2xx is delivered. 408, 429, 5xx and a
// network that fails are tried again after 1 s, 2 s, 4 s … at most kDeliveryBackoffMax,
// kDeliveryAttemptsMax times in all; any other status fails at once. At least once: a delivery
// whose answer got lost comes again, with the same alarm id. For a thread of its own, since it
// waits for other machines; one thread calls work_once().
class DeliveryWorker {
 public:
  // `client` is this worker's alone.
  DeliveryWorker(storage::Database& database, const Clock& clock, net::HttpClient& client);

  // One attempt of the delivery whose time has come first. False when none is due.
  bool work_once();

 private:
  storage::Database& database_;
  const Clock& clock_;
  net::HttpClient& client_;
};

}  // namespace slipway::monitoring
