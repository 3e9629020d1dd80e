// SPDX-License-Identifier: Apache-2.0
#include "http/pool.h"

#include <cassert>
#include <utility>

namespace slipway::http {

Pool::Pool(int threads, int queue_max) : queue_max_(static_cast<std::size_t>(queue_max)) {
  assert(threads > 0 && queue_max >= 0);
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

Pool::~Pool() { stop(); }

bool Pool::submit(std::function<void()> task) { return push(std::move(task), queue_max_); }
bool Pool::submit_more(std::function<void()> task) { return push(std::move(task), SIZE_MAX); }

bool Pool::push(std::function<void()> task, std::size_t waiting_max) {
  {
    const MutexLock lock(mutex_);
    if (stopped_ || tasks_.size() >= waiting_max) return false;
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void Pool::stop() {
  std::deque<std::function<void()>>
      dropped;  // destroyed outside the lock: their destructors may answer requests
  {
    const MutexLock lock(mutex_);
    stopped_ = true;
    dropped.swap(tasks_);
  }
  wake_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Pool::run() {
  for (;;) {
    std::function<void()> task;
    {
      const MutexLock lock(mutex_);
      while (tasks_.empty() && !stopped_) wake_.wait(mutex_);
      if (stopped_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace slipway::http
