// SPDX-License-Identifier: Apache-2.0
#include "http/pool.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>

namespace slipway::http {
namespace {

// Holds the pool's threads until told to go.
class Gate {
 public:
  void pass() {
    const MutexLock lock(mutex_);
    ++inside_;
    wake_.notify_all();
    while (!open_) wake_.wait(mutex_);
  }
  void wait_for(int inside) {
    const MutexLock lock(mutex_);
    while (inside_ < inside) wake_.wait(mutex_);
  }
  void open() {
    const MutexLock lock(mutex_);
    open_ = true;
    wake_.notify_all();
  }

 private:
  Mutex mutex_;
  CondVar wake_;
  int inside_ = 0;
  bool open_ = false;
};

TEST(Pool, RefusesWhatItsQueueCannotHold) {
  Gate gate;
  std::atomic<int> done{0};
  Pool pool(1, 2);
  EXPECT_TRUE(pool.submit([&] { gate.pass(); }));
  gate.wait_for(1);
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_TRUE(pool.submit([&] { ++done; }));
  EXPECT_FALSE(pool.submit([&] { ++done; }));
  EXPECT_TRUE(pool.submit_more([&] { ++done; }));
  gate.open();
  while (done < 3) std::this_thread::yield();
  pool.stop();
  EXPECT_EQ(done, 3);
}

TEST(Pool, RunsTasksInTheirOrder) {
  std::vector<int> order;
  std::atomic<int> done{0};
  Pool pool(1, 1'000);
  for (int i = 0; i < 100; ++i) {
    pool.submit([&, i] {
      order.push_back(i);
      ++done;
    });
  }
  while (done < 100) std::this_thread::yield();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Pool, StopLetsRunningTasksEndAndDropsWaitingOnes) {
  Gate gate;
  std::atomic<bool> ended{false};
  std::atomic<bool> started{false};
  const auto waiting = std::make_shared<int>(1);
  Pool pool(1, 10);
  pool.submit([&] {
    gate.pass();
    ended = true;
  });
  gate.wait_for(1);
  pool.submit([&, waiting] { started = true; });
  std::thread opener([&] {
    while (waiting.use_count() > 1)
      std::this_thread::yield();  // dropped before the running one ends
    gate.open();
  });
  pool.stop();
  opener.join();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(started);
  EXPECT_FALSE(pool.submit([] {}));
  EXPECT_FALSE(pool.submit_more([] {}));
}

}  // namespace
}  // namespace slipway::http
