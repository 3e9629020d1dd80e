// SPDX-License-Identifier: Apache-2.0
#include "serving/inference_pool.h"

#include <algorithm>

namespace slipway::serving {

InferencePool::InferencePool(const Options& options) : queue_max_(options.queue_max) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int count = options.threads > 0 ? options.threads : std::max(1, cores);
  for (int i = 0; i < count; ++i) threads_.emplace_back([this] { run(); });
}

InferencePool::~InferencePool() {
  std::deque<std::function<void()>> dropped;  // freed last, without the lock
  {
    const MutexLock lock(mutex_);
    stop_ = true;
    dropped.swap(queue_);
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
}

bool InferencePool::try_post(std::function<void()> work) {
  const MutexLock lock(mutex_);
  if (stop_ || queue_.size() >= queue_max_) return false;
  queue_.push_back(std::move(work));
  wake_.notify_one();
  return true;
}

void InferencePool::run() {
  while (true) {
    std::function<void()> work;
    {
      const MutexLock lock(mutex_);
      while (queue_.empty() && !stop_) wake_.wait(mutex_);
      if (stop_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace slipway::serving
