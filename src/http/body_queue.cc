// SPDX-License-Identifier: Apache-2.0
#include "http/body_queue.h"

#include <algorithm>
#include <cstring>

namespace slipway::http {

std::size_t BodyQueue::read(char* buffer, std::size_t size) {
  if (taken_at_ == taken_.size()) {
    taken_.clear();
    taken_at_ = 0;
    bool resume = false;
    {
      const MutexLock lock(mutex_);
      while (waiting_.empty() && !finished_ && !error_) wake_.wait(mutex_);
      if (error_) throw Error(*error_);
      taken_.swap(waiting_);
      resume = std::exchange(paused_, false);
    }
    if (resume) drained_();
  }
  const std::size_t bytes = std::min(size, taken_.size() - taken_at_);
  std::memcpy(buffer, taken_.data() + taken_at_, bytes);
  taken_at_ += bytes;
  return bytes;
}

bool BodyQueue::push(std::string_view bytes) {
  bool room = true;
  {
    const MutexLock lock(mutex_);
    waiting_.append(bytes);
    room = waiting_.size() < kBodyQueueBytesMax;
    paused_ = !room;
  }
  wake_.notify_one();
  return room;
}

void BodyQueue::finish() {
  {
    const MutexLock lock(mutex_);
    if (!error_) finished_ = true;
  }
  wake_.notify_one();
}

void BodyQueue::fail(Error error) {
  {
    const MutexLock lock(mutex_);
    if (!finished_ && !error_) error_ = std::move(error);
  }
  wake_.notify_one();
}

}  // namespace slipway::http
