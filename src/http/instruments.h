// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <atomic>

#include "base/metrics.h"
#include "http/message.h"

namespace slipway::http {

// What the server counts of itself: slipway_http_requests_total{method,code},
// slipway_http_request_duration_seconds (from the end of a request's head to the start of its
// answer), slipway_http_connections. Thread-safe; no look-up by name per request.
class Instruments {
 public:
  explicit Instruments(metrics::Registry& registry);

  void count(Method method, int status, double duration_s);
  void connections(double change) { connections_.add(change); }

 private:
  static constexpr std::size_t kMethods = 8;
  static constexpr std::size_t kStatuses = 500;  // 100 to 599

  metrics::Registry& registry_;
  metrics::Histogram& duration_;
  metrics::Gauge& connections_;
  std::array<std::atomic<metrics::Counter*>, kMethods * kStatuses>
      requests_{};  // made when first counted
};

}  // namespace slipway::http
