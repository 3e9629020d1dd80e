// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace slipway::bench {

// Where the load goes: a numeric address, and what stands before every path ("" or "/prefix").
struct Target {
  std::string host;
  int port = 0;
  std::string prefix;
};

// Reads "http://HOST:PORT[/prefix]". Throws std::invalid_argument naming the text.
Target parse_target(std::string_view url);

// The bytes of one POST with a JSON body, kept alive.
std::string post_request(const Target& target, std::string_view path, std::string_view body);

// One answer at the start of `received`, or nothing yet (complete = false).
struct Answer {
  bool complete = false;
  int status = 0;
  std::size_t bytes = 0;  // what it takes of `received`, head and body
  std::string_view body;  // into `received`; of a chunked answer with its chunk heads
  bool keeps_alive = true;
};
Answer read_answer(std::string_view received);

// A connected TCP socket, without delay; closed when it goes. Not copyable.
class Socket {
 public:
  explicit Socket(const Target& target);  // throws std::system_error
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  void set_nonblocking();

 private:
  int fd_ = -1;
};

// Sends one request and waits for its answer, for what is made before the clock runs. Returns the
// body; throws std::runtime_error unless the status is 200.
std::string exchange(Socket& socket, const std::string& request);

}  // namespace slipway::bench
