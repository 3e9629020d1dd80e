// SPDX-License-Identifier: Apache-2.0
#include "http/instruments.h"

#include <algorithm>
#include <string>

namespace slipway::http {

Instruments::Instruments(metrics::Registry& registry)
    : registry_(registry),
      duration_(
          registry.histogram("slipway_http_request_duration_seconds",
                             "Seconds from the end of a request's head to the start of its answer.",
                             metrics::latency_bounds_s())),
      connections_(registry.gauge("slipway_http_connections", "Open connections.")) {}

void Instruments::count(Method method, int status, double duration_s) {
  const auto code = static_cast<std::size_t>(std::clamp(status, 100, 599) - 100);
  auto& slot = requests_[static_cast<std::size_t>(method) * kStatuses + code];
  metrics::Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {
    counter = &registry_.counter(
        "slipway_http_requests_total", "Requests answered.",
        {{"method", std::string(method_name(method))}, {"code", std::to_string(code + 100)}});
    slot.store(counter, std::memory_order_release);
  }
  counter->add();
  duration_.observe(duration_s);
}

}  // namespace slipway::http
