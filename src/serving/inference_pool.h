// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace slipway::serving {

// Threads for predictions that are too long for a connection's own thread. The queue has a limit:
// who does not get in is told at once instead of waiting in vain. Thread-safe.
class InferencePool {
 public:
  struct Options {
    int threads = 0;              // 0: one a core
    std::size_t queue_max = 256;  // waiting, without those that run
  };
  explicit InferencePool(const Options& options);
  ~InferencePool();  // waits for what runs; what still waits is dropped, not run
  InferencePool(const InferencePool&) = delete;
  InferencePool& operator=(const InferencePool&) = delete;

  // False, and nothing happens, when the queue is full. `work` must not throw.
  bool try_post(std::function<void()> work);

 private:
  void run();

  const std::size_t queue_max_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> queue_ GUARDED_BY(mutex_);
  bool stop_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace slipway::serving
