// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <condition_variable>
#include <mutex>

// Clang checks who holds what (`make lint` runs clang with -Wthread-safety); with other compilers
// the words mean nothing.
#if defined(__clang__)
#define SLIPWAY_THREAD(x) __attribute__((x))
#else
#define SLIPWAY_THREAD(x)
#endif
#define GUARDED_BY(mutex) SLIPWAY_THREAD(guarded_by(mutex))
#define REQUIRES_LOCK(...) SLIPWAY_THREAD(requires_capability(__VA_ARGS__))
#define EXCLUDES_LOCK(...) SLIPWAY_THREAD(locks_excluded(__VA_ARGS__))

namespace slipway {

// std::mutex with the annotations above.
class SLIPWAY_THREAD(capability("mutex")) Mutex {
 public:
  void lock() SLIPWAY_THREAD(acquire_capability()) { mutex_.lock(); }
  void unlock() SLIPWAY_THREAD(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SLIPWAY_THREAD(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SLIPWAY_THREAD(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() SLIPWAY_THREAD(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Wait with the mutex held; spurious wake-ups happen, so wait in a loop over the condition.
class CondVar {
 public:
  void wait(Mutex& mutex) REQUIRES_LOCK(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time ran out.
  template <typename Duration>
  bool wait_for(Mutex& mutex, Duration duration) REQUIRES_LOCK(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_for(lock, duration) == std::cv_status::no_timeout;
    lock.release();
    return woken;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace slipway
