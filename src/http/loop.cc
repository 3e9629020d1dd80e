// SPDX-License-Identifier: Apache-2.0
#include "http/loop.h"

#include <csignal>
#include <functional>
#include <pthread.h>
#include <sys/socket.h>

#include "base/log.h"
#include "http/connection.h"
#include "http/head.h"

namespace slipway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// After accept() failed for want of descriptors or memory: trying at once would only spin.
constexpr std::chrono::milliseconds kAcceptRetry{50};

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: "
    "close\r\n\r\n";

}  // namespace

IoLoop::IoLoop(Core& core, Fd listener) : core_(core) {
  int family = AF_INET;
  socklen_t size = sizeof family;
  ::getsockopt(listener.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  acceptor_.assign(family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(),
                   listener.release());
}

IoLoop::~IoLoop() = default;

void IoLoop::run() {
  thread_ = std::this_thread::get_id();
  pthread_setname_np(pthread_self(), "slipway-io");
  // sendfile() has no MSG_NOSIGNAL: a client that went away must be an error here, not the end of
  // the process.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  asio::post(context_, [this] { accept(); });
  while (!context_.stopped()) {
    try {
      context_.run();
    } catch (const std::exception& exception) {
      log::error("an io thread's step failed", {{"what", exception.what()}});
    }
  }
}

void IoLoop::drain() {
  asio::post(context_, [this] {
    error_code ignored;
    acceptor_.close(ignored);  // NOLINT(bugprone-unused-return-value)
    accept_timer_.cancel();
    const auto all = connections_;  // drain() may remove
    for (const auto& connection : all) connection->drain();
  });
}

void IoLoop::close_all() {
  asio::post(context_, [this] {
    const auto all = connections_;
    for (const auto& connection : all) connection->close();
  });
}

void IoLoop::stop() {
  stopped_ = true;
  asio::post(context_, [this] {
    error_code ignored;
    acceptor_.close(ignored);  // NOLINT(bugprone-unused-return-value)
    context_.stop();
  });
}

void IoLoop::accept() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_accept(next_, peer_, [this](const error_code& error) { accepted(error); });
}

void IoLoop::accepted(const error_code& error) {
  if (!acceptor_.is_open() || core_.draining) {
    error_code ignored;
    next_.close(ignored);  // NOLINT(bugprone-unused-return-value)
    return;
  }
  if (error) {
    log::warning("cannot accept a connection", {{"what", error.message()}});
    retry_accept();
    return;
  }
  try {
    adopt();
    accept();
  } catch (const std::exception& exception) {
    log::error("cannot serve a new connection", {{"what", exception.what()}});
    retry_accept();
  }
}

void IoLoop::adopt() {
  Socket socket = std::exchange(next_, Socket(context_));
  error_code ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.non_blocking(true, ignored);
  if (core_.connections >= core_.options.connections_max) {
    socket.write_some(asio::buffer(kFull), ignored);
    return;
  }
  auto address = peer_.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  auto connection = std::make_shared<Connection>(*this, std::move(socket), address.to_string(),
                                                 address.is_loopback());
  connection->place = connections_.size();
  connections_.push_back(connection);
  core_.connections.fetch_add(1);
  core_.instruments.connections(1);
  arm_tick();
  connection->start();
}

void IoLoop::retry_accept() {
  accept_timer_.expires_after(kAcceptRetry);
  accept_timer_.async_wait([this](const error_code& error) {
    if (!error) accept();
  });
}

// The timer runs only while there are connections: an idle server sleeps.
void IoLoop::arm_tick() {
  if (ticking_) return;
  ticking_ = true;
  tick_timer_.expires_after(kTick);
  tick_timer_.async_wait([this](const error_code&) {
    ticking_ = false;
    tick();
  });
}

void IoLoop::tick() {
  const Instant now = std::chrono::steady_clock::now();
  // Backwards: a connection that closes is replaced by the last one, which has had its turn.
  for (std::size_t i = connections_.size(); i-- > 0;) {
    if (i >= connections_.size()) continue;
    const auto connection = connections_[i];
    connection->tick(now);
  }
  if (!connections_.empty()) arm_tick();
}

void IoLoop::remove(Connection& connection) {
  const std::size_t place = connection.place;
  const auto keep = connections_[place];  // lives to the end of this function
  connections_[place] = connections_.back();
  connections_[place]->place = place;
  connections_.pop_back();
  core_.connections.fetch_sub(1);
  core_.instruments.connections(-1);
}

const std::string& IoLoop::date() {
  const std::time_t second = std::time(nullptr);
  if (second != date_second_) {
    date_second_ = second;
    date_ = http_date(second);
  }
  return date_;
}

std::shared_ptr<Loop> make_loop(Core& core, Fd listener) {
  return std::make_shared<IoLoop>(core, std::move(listener));
}

}  // namespace slipway::http
