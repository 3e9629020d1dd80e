// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <ctime>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "http/boost.h"
#include "http/loop.h"

namespace slipway::http {

class Connection;

// Concrete executor types: the type-erased default costs an allocation and two virtual calls per
// operation.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
using Timer = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

// How often deadlines are looked at and event streams are asked again.
inline constexpr std::chrono::milliseconds kTick{kSourcePollMs};

class IoLoop final : public Loop, public std::enable_shared_from_this<IoLoop> {
 public:
  IoLoop(Core& core, Fd listener);
  ~IoLoop() override;

  void run() override;
  void drain() override;
  void close_all() override;
  void stop() override;

  // Any thread.
  boost::asio::io_context& context() { return context_; }
  bool stopped() const { return stopped_.load(); }
  bool in_thread() const {
    return std::this_thread::get_id() == thread_.load(std::memory_order_relaxed);
  }

  // The io thread only.
  Core& core() { return core_; }
  const std::string& date();  // of this second, as the Date field has it
  void remove(Connection& connection);

 private:
  void accept();
  void accepted(const boost::system::error_code& error);
  void adopt();
  void retry_accept();
  void arm_tick();
  void tick();

  Core& core_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::thread::id> thread_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<Executor> work_{context_.get_executor()};
  // The io thread's alone.
  Acceptor acceptor_{context_};
  Socket next_{context_};
  boost::asio::ip::tcp::endpoint peer_;
  Timer tick_timer_{context_};
  Timer accept_timer_{context_};
  bool ticking_ = false;
  std::vector<std::shared_ptr<Connection>> connections_;  // each knows its place
  std::time_t date_second_ = -1;
  std::string date_;
};

}  // namespace slipway::http
