// SPDX-License-Identifier: Apache-2.0
#include "serving/load_queue.h"

#include <algorithm>

#include "base/log.h"

namespace slipway::serving {

LoadQueue::LoadQueue(Load load, std::function<void()> arrived)
    : load_(std::move(load)), arrived_(std::move(arrived)) {}

LoadQueue::~LoadQueue() { stop(); }

void LoadQueue::start(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

void LoadQueue::stop() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
    waiting_.clear();
    changed_.notify_all();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void LoadQueue::post(const WantedLoads& wanted) {
  const MutexLock lock(mutex_);
  if (stop_) return;
  for (const auto& [key, endpoint] : wanted) {
    const auto same = [&one = key](const auto& entry) { return entry.first == one; };
    if (under_way_.contains(key) || std::any_of(waiting_.begin(), waiting_.end(), same)) continue;
    waiting_.emplace_back(key, endpoint);
  }
  changed_.notify_all();
}

void LoadQueue::load_now(const std::string& endpoint, const VersionKey& key) {
  {
    const MutexLock lock(mutex_);
    if (under_way_.contains(key)) {
      while (under_way_.contains(key)) changed_.wait(mutex_);
      return;
    }
    std::erase_if(waiting_, [&](const auto& entry) { return entry.first == key; });
    under_way_.insert(key);
  }
  carry_out(endpoint, key);
}

void LoadQueue::carry_out(const std::string& endpoint, const VersionKey& key) {
  // However it ends: others wait for this load.
  struct End {
    LoadQueue& queue;
    const VersionKey& key;
    ~End() {
      const MutexLock lock(queue.mutex_);
      queue.under_way_.erase(key);
      queue.changed_.notify_all();
    }
  };
  const End end{*this, key};
  try {
    load_(endpoint, key);
  } catch (const std::exception& fault) {
    log::error("serving: a version cannot be loaded",
               {{"model", key.first + "/" + std::to_string(key.second)}, {"reason", fault.what()}});
  }
}

bool LoadQueue::wait_until_idle(std::chrono::steady_clock::time_point deadline) {
  const MutexLock lock(mutex_);
  while (!stop_ && !(waiting_.empty() && under_way_.empty())) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    changed_.wait_for(mutex_, left);
  }
  return true;
}

void LoadQueue::run() {
  while (true) {
    std::pair<VersionKey, std::string> next;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !stop_) changed_.wait(mutex_);
      if (stop_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      under_way_.insert(next.first);
    }
    carry_out(next.second, next.first);
    arrived_();
  }
}

}  // namespace slipway::serving
