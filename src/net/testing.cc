// SPDX-License-Identifier: Apache-2.0
#include "net/testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace slipway::net {
namespace {

Fd listen_on_loopback(std::uint16_t& port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic =
      reinterpret_cast<sockaddr*>(&address);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
  if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), 16) != 0)
    throw std::runtime_error("cannot listen");
  ::getsockname(fd.get(), generic, &size);
  port = ntohs(address.sin_port);
  return fd;
}

// The length of the first whole request in the text, or 0.
std::size_t request_length(const std::string& text) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  if (text.find("Transfer-Encoding: chunked") < head) {
    const std::size_t end = text.find("0\r\n\r\n", head + 2);
    return end == std::string::npos ? 0 : end + 5;
  }
  const std::size_t field = text.find("Content-Length: ");
  const std::size_t length = head + 4 + (field < head ? std::stoul(text.substr(field + 16)) : 0);
  return text.size() >= length ? length : 0;
}

}  // namespace

ScriptedServer::ScriptedServer(std::function<std::string(const std::string&)> answer)
    : answer_(std::move(answer)), listener_(listen_on_loopback(port_)) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  stop_read_.reset(ends[0]);
  stop_write_.reset(ends[1]);
  thread_ = std::thread([this] { serve(); });
}

ScriptedServer::~ScriptedServer() {
  stop_write_.reset();
  thread_.join();
}

void ScriptedServer::serve() {
  for (;;) {
    pollfd waiting[2] = {{listener_.get(), POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
    ::poll(waiting, 2, -1);
    if (waiting[1].revents != 0) return;
    const Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const MutexLock lock(mutex_);
      ++connections_;
    }
    talk(fd.get());
  }
}

void ScriptedServer::talk(int fd) {
  std::string text;
  bool continued = false;
  for (;;) {
    pollfd waiting[2] = {{fd, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
    ::poll(waiting, 2, -1);
    if (waiting[1].revents != 0) return;
    char piece[65'536];
    const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return;
    text.append(piece, static_cast<std::size_t>(got));
    if (!continued && text.find("Expect: 100-continue") != std::string::npos) {
      continued = true;
      ::send(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
    }
    const std::size_t length = request_length(text);
    if (length == 0) continue;
    const std::string request = text.substr(0, length);
    text.erase(0, length);
    continued = false;
    {
      const MutexLock lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer.empty()) return;
    for (std::size_t sent = 0; sent < answer.size();) {
      const ssize_t more = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) return;
      sent += static_cast<std::size_t>(more);
    }
    if (answer.find("Connection: close") != std::string::npos) return;
  }
}

std::string ScriptedServer::url(const std::string& target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + target;
}

int ScriptedServer::connections() const {
  const MutexLock lock(mutex_);
  return connections_;
}

std::vector<std::string> ScriptedServer::requests() const {
  const MutexLock lock(mutex_);
  return requests_;
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  const Fd fd = listen_on_loopback(port);
  return port;
}

}  // namespace slipway::net
