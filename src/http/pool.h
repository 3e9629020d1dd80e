// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace slipway::http {

// Threads that run handlers which may block. Tasks start in the order in which they came.
// Thread-safe.
class Pool {
 public:
  // `queue_max` tasks may wait besides those that run.
  Pool(int threads, int queue_max);
  ~Pool();  // stop()
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False when the queue is full or the pool has stopped; the task is destroyed then. A task throws
  // nothing.
  bool submit(std::function<void()> task);

  // For the next piece of work that was admitted already (a stream): not subject to `queue_max`,
  // its number is bounded by the connections. False only when the pool has stopped.
  bool submit_more(std::function<void()> task);

  // Lets running tasks end, destroys waiting ones, joins. Idempotent.
  void stop();

 private:
  bool push(std::function<void()> task, std::size_t waiting_max);
  void run();

  const std::size_t queue_max_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> tasks_ GUARDED_BY(mutex_);
  bool stopped_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;  // constant after construction, joined by stop()
};

}  // namespace slipway::http
