// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "http/body_queue.h"
#include "http/instruments.h"
#include "http/message.h"
#include "http/pool.h"
#include "http/router.h"
#include "http/server.h"

namespace slipway::http {

using Instant = std::chrono::steady_clock::time_point;

// Owns a response on its way to the socket: closes its file whatever becomes of it.
class OwnedResponse {
 public:
  OwnedResponse() = default;
  explicit OwnedResponse(Response response) : response_(std::move(response)) {}
  OwnedResponse(OwnedResponse&& other) noexcept : response_(std::move(other.response_)) {
    other.response_.file_fd = -1;
  }
  OwnedResponse& operator=(OwnedResponse&& other) noexcept {
    std::swap(response_, other.response_);
    return *this;
  }
  OwnedResponse(const OwnedResponse&) = delete;
  OwnedResponse& operator=(const OwnedResponse&) = delete;
  ~OwnedResponse() {
    if (response_.file_fd >= 0) ::close(response_.file_fd);
  }

  Response& operator*() { return response_; }
  Response* operator->() { return &response_; }

 private:
  Response response_;
};

// One request and what belongs to it until it is answered. Filled on the io thread, then read by
// the handler's thread.
struct Exchange {
  Request request;
  const Route* route = nullptr;  // null until matched
  Instant begun;                 // end of the head
  bool http_1_0 = false;
  std::unique_ptr<BodyQueue> queue;  // where the route streams
  std::atomic<int> body_status{
      0};  // why the server ended a streamed body: 400, 408 or 413; 0 = it did not
};

// What all io threads of one server share. Thread-safe; destroyed after all of them have ended.
struct Core {
  Core(const ServerOptions& options_in, const Router& router_in, ServerHooks hooks_in,
       metrics::Registry& metrics)
      : options(options_in),
        router(router_in),
        hooks(std::move(hooks_in)),
        instruments(metrics),
        pool(options_in.pool_threads, options_in.pool_queue_max) {}

  const ServerOptions options;
  const Router& router;
  const ServerHooks hooks;
  Instruments instruments;
  std::atomic<int> connections{0};
  std::atomic<std::uint64_t> buffered_bytes{0};
  std::atomic<bool> draining{false};
  Pool pool;

  // Fills in path, query, route and path parameters from the request's target, and asks the
  // admission hook. What it returns is the refusal to send instead of running the handler: 400,
  // 404, 405 or the hook's.
  std::optional<Response> route(Exchange& exchange) const;
  // The answer for an error of the server's own or a handler's. Does not throw: a hook that does is
  // replaced by plain text.
  Response refusal(const Exchange& exchange, const Error& error, int status) const;
  // The same for whatever a handler threw. What is not an Error is logged under a short id, and
  // only the id is told.
  Response failure(const Exchange& exchange, const std::exception& exception) const;
  // Runs the exchange's handler and answers for it when it throws. The body reader is gone
  // afterwards.
  void run(Exchange& exchange, const Responder& responder) const;
};

}  // namespace slipway::http
