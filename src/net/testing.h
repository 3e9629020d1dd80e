// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"

namespace slipway::net {

// A server for tests of clients: reads a request (by Content-Length or chunks) and sends what the
// script says, byte for byte.
class ScriptedServer {
 public:
  // `answer` gets the whole request as sent; what it returns is sent. "" closes the connection
  // without an answer.
  explicit ScriptedServer(std::function<std::string(const std::string& request)> answer);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(const std::string& target) const;
  int connections() const;                    // accepted so far
  std::vector<std::string> requests() const;  // in order

 private:
  void serve();
  void talk(int fd);

  const std::function<std::string(const std::string&)> answer_;
  std::uint16_t port_ = 0;  // before listener_, which finds it out
  Fd listener_;
  Fd stop_read_;
  Fd stop_write_;
  mutable Mutex mutex_;
  int connections_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> requests_ GUARDED_BY(mutex_);
  std::thread thread_;  // last: uses all of the above
};

// A loopback port on which nobody listens.
std::uint16_t closed_port();

}  // namespace slipway::net
