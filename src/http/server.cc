// SPDX-License-Identifier: Apache-2.0
#include "http/server.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

#include "base/log.h"
#include "http/core.h"
#include "http/loop.h"

namespace slipway::http {
namespace {

constexpr int kBacklog = 4'096;
// How often stop() looks whether the last connection has gone.
constexpr std::chrono::milliseconds kDrainPoll{2};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

std::string name_of(const ServerOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return (v6 ? "[" + options.host + "]" : options.host) + ":" + std::to_string(options.port);
}

Address resolve(const ServerOptions& options) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed =
      getaddrinfo(options.host.c_str(), std::to_string(options.port).c_str(), &hints, &found);
  if (failed != 0) {
    throw Error(Code::kInvalidArgument, "cannot listen on " + name_of(options) + ": " +
                                            gai_strerror(failed) +
                                            "; give an address of this machine");
  }
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

sockaddr* generic(Address& address) {
  return reinterpret_cast<sockaddr*>(
      &address.storage);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): the socket API
}

[[noreturn]] void refuse(const ServerOptions& options, int error_number) {
  const std::string text =
      "cannot listen on " + name_of(options) + ": " + std::strerror(error_number);
  throw Error(Code::kUnavailable,
              error_number == EADDRINUSE
                  ? text + "; another program has this port, choose another one or port 0"
                  : text);
}

Fd bound(const ServerOptions& options, Address& address, bool shared) {
  Fd fd(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) refuse(options, errno);
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (shared) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd.get(), generic(address), address.size) != 0) refuse(options, errno);
  return fd;
}

// The port that the kernel chose becomes part of `address`.
std::uint16_t port_of(const Fd& fd, Address& address) {
  ::getsockname(fd.get(), generic(address), &address.size);
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    return ntohs(v6.sin6_port);
  }
  sockaddr_in v4{};
  std::memcpy(&v4, &address.storage, sizeof v4);
  return ntohs(v4.sin_port);
}

}  // namespace

struct Server::State {
  State(const ServerOptions& options, const Router& router, ServerHooks hooks,
        metrics::Registry& metrics)
      : core(options, router, std::move(hooks), metrics) {}

  Core core;
  std::uint16_t port = 0;
  std::vector<std::shared_ptr<Loop>> loops;
  std::vector<std::thread> threads;
  bool stopped = false;
};

Server::Server(const ServerOptions& options, const Router& router, ServerHooks hooks,
               metrics::Registry& metrics)
    : state_(std::make_unique<State>(options, router, std::move(hooks), metrics)) {
  Address address = resolve(options);
  if (options.port != 0) {
    // SO_REUSEPORT would let two servers of one user share a port without a word. A socket without
    // it tells.
    const Fd probe = bound(options, address, false);
    if (::listen(probe.get(), 1) != 0) refuse(options, errno);
  }
  const int threads = options.io_threads > 0
                          ? options.io_threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int i = 0; i < threads; ++i) {
    Fd fd = bound(options, address, true);
    if (i == 0) state_->port = port_of(fd, address);
    if (::listen(fd.get(), kBacklog) != 0) refuse(options, errno);
    state_->loops.push_back(make_loop(state_->core, std::move(fd)));
  }
}

Server::~Server() { stop(0); }

std::uint16_t Server::port() const { return state_->port; }

void Server::start() {
  for (const auto& loop : state_->loops) state_->threads.emplace_back([loop] { loop->run(); });
}

void Server::stop(int grace_ms, const std::function<void()>& give_up) {
  if (std::exchange(state_->stopped, true)) return;
  Core& core = state_->core;
  core.draining = true;
  for (const auto& loop : state_->loops) loop->drain();
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
  while (core.connections > 0 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(kDrainPoll);
  if (core.connections > 0) {
    log::warning("connections were closed before their answers were complete",
                 {{"connections", std::to_string(core.connections)}});
  }
  for (const auto& loop : state_->loops) loop->close_all();
  if (give_up) give_up();
  core.pool.stop();
  for (const auto& loop : state_->loops) loop->stop();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
  state_->loops.clear();
}

}  // namespace slipway::http
