// SPDX-License-Identifier: Apache-2.0
#include "load/http_client.h"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <strings.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace slipway::bench {
namespace {

constexpr std::size_t kReceiveBytes = 65536;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// The value of a header in a head that ends every line with CR LF; empty when it is absent.
std::string_view header(std::string_view head, std::string_view name) {
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    std::string_view line = head.substr(at + 2);
    const std::size_t end = line.find("\r\n");
    if (end != std::string_view::npos) line = line.substr(0, end);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        strncasecmp(line.data(), name.data(), name.size()) == 0) {
      line.remove_prefix(name.size() + 1);
      while (line.starts_with(' ')) line.remove_prefix(1);
      return line;
    }
    at = head.find("\r\n", at + 2);
  }
  return {};
}

}  // namespace

Target parse_target(std::string_view url) {
  const auto wrong = [&] {
    return std::invalid_argument("the address must read http://HOST:PORT, got " + std::string(url));
  };
  std::string_view rest = url;
  if (!rest.starts_with("http://")) throw wrong();
  rest.remove_prefix(7);
  const std::size_t slash = rest.find('/');
  std::string_view prefix = slash == std::string_view::npos ? "" : rest.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  const std::string_view authority = rest.substr(0, slash);
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) throw wrong();
  Target target{std::string(authority.substr(0, colon)), 0, std::string(prefix)};
  if (target.host == "localhost") target.host = "127.0.0.1";
  const char* end = authority.data() + authority.size();
  if (std::from_chars(authority.data() + colon + 1, end, target.port).ptr != end) throw wrong();
  return target;
}

std::string post_request(const Target& target, std::string_view path, std::string_view body) {
  std::string request =
      "POST " + target.prefix + std::string(path) + " HTTP/1.1\r\nHost: " + target.host + ":" +
      std::to_string(target.port) +
      "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  request += body;
  return request;
}

Answer read_answer(std::string_view received) {
  Answer answer;
  const std::size_t head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return answer;
  const std::string_view head = received.substr(0, head_end);
  if (head.size() < 12) throw std::runtime_error("an answer without a status line");
  std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  const std::string_view connection = header(head, "connection");
  answer.keeps_alive = connection.size() != 5 || strncasecmp(connection.data(), "close", 5) != 0;
  const std::size_t start = head_end + 4;
  const std::string_view length = header(head, "content-length");
  if (length.empty()) {  // chunked: nothing follows on this connection before our next request
    if (!received.substr(start).ends_with("0\r\n\r\n")) return answer;
    answer.bytes = received.size();
  } else {
    std::size_t body_bytes = 0;
    std::from_chars(length.data(), length.data() + length.size(), body_bytes);
    if (received.size() < start + body_bytes) return answer;
    answer.bytes = start + body_bytes;
  }
  answer.body = received.substr(start, answer.bytes - start);
  answer.complete = true;
  return answer;
}

Socket::Socket(const Target& target) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(target.port));
  if (inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1)
    throw std::invalid_argument("the host must be an IPv4 address, got " + target.host);
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail("socket");
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd_);
    throw std::system_error(error, std::generic_category(), "connect to " + target.host);
  }
}

Socket::~Socket() { close(fd_); }

void Socket::set_nonblocking() {
  if (fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK) < 0) fail("fcntl");
}

std::string exchange(Socket& socket, const std::string& request) {
  for (std::size_t sent = 0; sent < request.size();) {
    const ssize_t n = send(socket.fd(), request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n < 0) fail("send");
    sent += static_cast<std::size_t>(n);
  }
  std::string received;
  std::string buffer(kReceiveBytes, '\0');
  while (true) {
    const ssize_t n = recv(socket.fd(), buffer.data(), buffer.size(), 0);
    if (n < 0) fail("recv");
    if (n == 0) throw std::runtime_error("the server closed the connection");
    received.append(buffer, 0, static_cast<std::size_t>(n));
    const Answer answer = read_answer(received);
    if (!answer.complete) continue;
    if (answer.status != 200)
      throw std::runtime_error("status " + std::to_string(answer.status) + ": " +
                               std::string(answer.body));
    return std::string(answer.body);
  }
}

}  // namespace slipway::bench
