// SPDX-License-Identifier: Apache-2.0
#include "serving/inference_pool.h"

#include <atomic>
#include <chrono>
#include <future>
#include <gtest/gtest.h>
#include <optional>

namespace slipway::serving {
namespace {

TEST(InferencePool, RunsWorkAndRefusesWhenFull) {
  InferencePool pool({.threads = 1, .queue_max = 1});
  std::promise<void> begun;
  std::promise<void> open;
  std::promise<void> ran;
  ASSERT_TRUE(pool.try_post([&] {
    begun.set_value();
    open.get_future().wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(pool.try_post([&] { ran.set_value(); }));
  EXPECT_FALSE(pool.try_post([] {}));
  open.set_value();
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
}

// What waits may point at things that go together with the pool.
TEST(InferencePool, ItsEndDropsWhatWaitsAndWaitsForWhatRuns) {
  std::atomic<int> ended{0};
  std::atomic<int> stale{0};
  const auto kept = std::make_shared<int>(1);
  {
    std::optional<InferencePool> pool;
    pool.emplace(InferencePool::Options{.threads = 1, .queue_max = 8});
    std::promise<void> begun;
    ASSERT_TRUE(pool->try_post([&] {
      begun.set_value();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      ++ended;
    }));
    begun.get_future().wait();
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(pool->try_post([&stale, kept] { ++stale; }));
    EXPECT_EQ(kept.use_count(), 4);
    pool.reset();
  }
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(stale, 0);
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace slipway::serving
