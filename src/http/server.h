// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/metrics.h"
#include "http/router.h"

namespace slipway::http {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;      // 0: the system picks one
  int io_threads = 0;          // 0: one a core
  int pool_threads = 8;        // for Execution::kPool
  int pool_queue_max = 1'024;  // waiting for the pool; more are answered 503
  int connections_max = 10'000;
  std::uint64_t header_bytes_max = 64U << 10;
  int header_timeout_s = 30;        // from the first byte of a request to the end of its head
  int idle_timeout_s = 120;         // between requests
  int body_timeout_s = 30;          // without one byte of body arriving
  int write_timeout_s = 30;         // without one byte of an answer being taken
  int event_stream_silence_s = 15;  // then a comment line is sent to a client of server-sent events
  std::uint64_t buffered_bytes_max =
      1ULL << 30;  // of request bodies held in memory, all connections together; more: 503
  std::vector<Header> headers;  // added to every answer, {"Vary", "Origin"} say
};

// What the server asks before it runs a handler; and how errors look for the path at hand. All are
// called on io threads
// (`refuse` also on pool threads), several at once, and must not block.
struct ServerHooks {
  // nullopt: go on, with request.caller filled in. Else the refusal that is sent instead (Host and
  // Origin rules, credentials).
  std::function<std::optional<Response>(Request&, const Route&)> admit;
  // Where `admit` has set request.unverified: called on a pool thread before the handler, which
  // then runs there too, whatever its Execution. May block. Returns as `admit` does.
  std::function<std::optional<Response>(Request&, const Route&)> verify;
  // The answer for an Error that a handler threw, and for 404, 405, 413, 503 of the server's own
  // (`route` is null for unknown paths).
  std::function<Response(const Request&, const Route*, const Error&, int status)> refuse;
  // Told of every answer when it is about to be sent: for records of who did what. `route` is null
  // for unknown paths.
  std::function<void(const Request&, const Route*, int status)> answered;
};

// HTTP/1.1 over Boost.Beast: one io_context a thread, each with its own SO_REUSEPORT acceptor;
// keep-alive, pipelining in order, bodies by length or chunks; every answer carries Date,
// Content-Length or chunked, X-Content-Type-Options: nosniff. Knows no domain.
class Server {
 public:
  // `router` and `metrics` outlive it. Listens at once (throws kUnavailable naming host and port if
  // taken); accepts after start().
  Server(const ServerOptions& options, const Router& router, ServerHooks hooks,
         metrics::Registry& metrics);
  ~Server();  // stop(0)
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  void start();

  // Drains: takes no new connections, answers what is under way with `Connection: close`, ends
  // streams, and closes what is left after `grace_ms`. Then, once, `give_up`: what handlers still
  // wait for must end there, since stop() returns when every handler has returned.
  void stop(int grace_ms, const std::function<void()>& give_up = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::http
