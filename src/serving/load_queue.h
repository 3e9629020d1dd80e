// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace slipway::serving {

// A model's name and the number of a version of it.
using VersionKey = std::pair<std::string, std::int64_t>;
// Versions that are wanted, each with every endpoint that wants it.
using WantedLoads = std::set<std::pair<VersionKey, std::string>>;

// Loads of versions that routes want, on threads of their own or on a caller's, each version once
// at a time. What a load does and where its outcome goes is the owner's. Thread-safe.
class LoadQueue {
 public:
  // May take long; what it throws is logged, and the load counts as done.
  using Load = std::function<void(const std::string& endpoint, const VersionKey& key)>;

  // `arrived` runs after each load of the queue's own threads. Starts none.
  LoadQueue(Load load, std::function<void()> arrived);
  ~LoadQueue();  // stop()
  LoadQueue(const LoadQueue&) = delete;
  LoadQueue& operator=(const LoadQueue&) = delete;

  void start(int threads);
  // Drops what waits, ends the threads after their load under way. For good; a second call does
  // nothing.
  void stop();

  // Has them loaded by the threads and returns at once. What waits or is under way is not added,
  // so of the endpoints that want a version the load is told the first.
  void post(const WantedLoads& wanted);

  // Loads it on the calling thread, though it waits for one of the queue's; where another thread is
  // at it, waits for that one instead.
  void load_now(const std::string& endpoint, const VersionKey& key);

  // Waits until nothing waits or is under way, or it was stopped; false when `deadline` came first.
  bool wait_until_idle(std::chrono::steady_clock::time_point deadline);

 private:
  // REQUIRES: `key` is under way, by the calling thread. It is no longer when this returns.
  void carry_out(const std::string& endpoint, const VersionKey& key) EXCLUDES_LOCK(mutex_);
  void run();

  const Load load_;
  const std::function<void()> arrived_;
  Mutex mutex_;
  CondVar changed_;
  // A version goes from the one to the other under one lock, and is never in both.
  std::deque<std::pair<VersionKey, std::string>> waiting_ GUARDED_BY(mutex_);
  std::set<VersionKey> under_way_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // of the owner's thread alone
};

}  // namespace slipway::serving
