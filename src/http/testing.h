// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/metrics.h"
#include "http/server.h"

namespace slipway::http {

// A loopback connection that sends and shows raw text, for tests. Every wait ends after `timeout_s`
// and fails the test then.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int timeout_s = 10);

  void send(std::string_view bytes);      // all of it; a client that was cut off notices nothing
  bool try_send(std::string_view bytes);  // false: the connection is gone
  void half_close();                      // no more from this side
  void vanish();                          // resets the connection
  std::string read_until(
      std::string_view mark);  // what came up to and including `mark`, or to the end
  std::string read_bytes(std::size_t bytes);
  // One response with a Content-Length, or none: head and body.
  std::string read_response(bool head_only = false);
  std::string read_to_end();
  bool ended_within(int timeout_ms);  // the other side closes, sending nothing more

 private:
  bool fill();

  Fd fd_;
  std::string buffer_;
};

// The body of "HTTP/1.1 …\r\n\r\nbody", and its status.
std::string body_of(std::string_view response);
int status_of_response(std::string_view response);
// The data of a chunked body; fails the test when it is not well formed or not ended.
std::string unchunk(std::string_view body);

// A router and a server on a free port with one io thread; the error bodies are "CODE status:
// message".
class TestServer {
 public:
  explicit TestServer(std::vector<Route> routes, const ServerOptions& options = small());
  static ServerOptions small();  // one io thread, two pool threads

  std::uint16_t port() const { return server.port(); }
  RawClient connect() const { return RawClient(port()); }
  // Asks once on a connection of its own and returns the whole response.
  std::string ask(std::string_view request) const;

  metrics::Registry metrics;
  Router router;
  Server server;
};

}  // namespace slipway::http
