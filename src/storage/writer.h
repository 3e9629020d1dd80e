// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "storage/session.h"
#include "storage/session_state.h"

namespace slipway::storage {

// The one thread that writes (Database says how), with the one connection that may. A group is what
// has gathered while it was busy: one transaction, each write in a savepoint of its own.
class Writer {
 public:
  static constexpr std::size_t kGroupWritesMax = 1'000;
  // PostgreSQL keeps so many savepoints of a transaction at hand; others would have to look up
  // more.
  static constexpr std::size_t kGroupWritesMaxPostgres = 60;

  using Write = std::function<void(Transaction&)>;
  using Done = std::function<void(std::exception_ptr)>;

  // `connection` and `turn` outlive this. `turn` is held while a group is open: it is for readers
  // that share the connection.
  Writer(Session::State& connection, std::mutex* turn, std::int64_t queue_max);
  ~Writer();  // runs what was queued
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  void write_async(Write write, Done done);
  void write(const Write& write);
  std::int64_t waiting() const;

 private:
  struct Queued {
    Write write;
    Done done;
  };

  void loop();
  void run_group(std::vector<Queued>& group);
  std::exception_ptr run_all(const std::vector<Queued>& group,
                             std::vector<std::exception_ptr>& faults);
  std::exception_ptr run_one(Transaction& transaction, const Write& write, bool alone);

  Session::State& state_;  // the thread's alone, but for holders of `turn`
  std::mutex* const turn_;
  const std::int64_t queue_max_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Queued> queue_;  // guarded by mutex_
  bool stopping_ = false;     // guarded by mutex_
  std::thread thread_;
};

}  // namespace slipway::storage
