// SPDX-License-Identifier: Apache-2.0
#include "http/testing.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

namespace slipway::http {
namespace {

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("test client: " + what);
}

}  // namespace

RawClient::RawClient(std::uint16_t port, int timeout_s)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  timeval timeout{};
  timeout.tv_sec = timeout_s;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
  if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
}

bool RawClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) fail("the server takes nothing");
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::send(std::string_view bytes) { static_cast<void>(try_send(bytes)); }
void RawClient::half_close() { ::shutdown(fd_.get(), SHUT_WR); }

void RawClient::vanish() {
  const linger hard{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  fd_.reset();
}

bool RawClient::fill() {
  char piece[65'536];
  const ssize_t got = ::recv(fd_.get(), piece, sizeof piece, 0);
  if (got < 0 && errno == EAGAIN) fail("no byte in time; so far: " + buffer_.substr(0, 2'000));
  if (got <= 0) return false;
  buffer_.append(piece, static_cast<std::size_t>(got));
  return true;
}

std::string RawClient::read_until(std::string_view mark) {
  std::size_t at = 0;
  std::size_t searched = 0;
  while ((at = buffer_.find(mark, searched)) == std::string::npos) {
    searched = buffer_.size() - std::min(buffer_.size(), mark.size());
    if (!fill()) return std::exchange(buffer_, {});
  }
  std::string out = buffer_.substr(0, at + mark.size());
  buffer_.erase(0, at + mark.size());
  return out;
}

std::string RawClient::read_bytes(std::size_t bytes) {
  while (buffer_.size() < bytes && fill()) {
  }
  std::string out = buffer_.substr(0, bytes);
  buffer_.erase(0, bytes);
  return out;
}

std::string RawClient::read_response(bool head_only) {
  std::string head = read_until("\r\n\r\n");
  const std::size_t field = head.find("\r\nContent-Length: ");
  if (head_only || field == std::string::npos) return head;
  return head + read_bytes(std::stoul(head.substr(field + 18)));
}

std::string RawClient::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool RawClient::ended_within(int timeout_ms) {
  pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&poll_fd, 1, timeout_ms) != 1) return false;
  return !fill() && buffer_.empty();
}

std::string body_of(std::string_view response) {
  const std::size_t at = response.find("\r\n\r\n");
  return at == std::string_view::npos ? std::string() : std::string(response.substr(at + 4));
}

int status_of_response(std::string_view response) {
  if (!response.starts_with("HTTP/1.1 ") || response.size() < 12) return -1;
  int status = -1;
  std::from_chars(response.data() + 9, response.data() + 12, status);
  return status;
}

std::string unchunk(std::string_view body) {
  std::string out;
  for (;;) {
    const std::size_t end = body.find("\r\n");
    std::size_t size = 0;
    if (end == std::string_view::npos) fail("a chunk without a size line");
    std::from_chars(body.data(), body.data() + end, size, 16);
    body.remove_prefix(end + 2);
    if (body.size() < size + 2 || body.substr(size, 2) != "\r\n") fail("a chunk without its end");
    if (size == 0) {
      if (body != "\r\n") fail("bytes behind the last chunk");
      return out;
    }
    out.append(body.substr(0, size));
    body.remove_prefix(size + 2);
  }
}

ServerOptions TestServer::small() {
  ServerOptions options;
  options.io_threads = 1;
  options.pool_threads = 2;
  return options;
}

namespace {

ServerHooks plain_hooks() {
  ServerHooks hooks;
  hooks.refuse = [](const Request&, const Route*, const Error& error, int status) {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body =
        std::string(code_name(error.code())) + " " + std::to_string(status) + ": " + error.what();
    return response;
  };
  return hooks;
}

}  // namespace

TestServer::TestServer(std::vector<Route> routes, const ServerOptions& options)
    : router(), server((router.add(std::move(routes)), options), router, plain_hooks(), metrics) {
  server.start();
}

std::string TestServer::ask(std::string_view request) const {
  RawClient client = connect();
  client.send(request);
  client.half_close();
  return client.read_to_end();
}

}  // namespace slipway::http
