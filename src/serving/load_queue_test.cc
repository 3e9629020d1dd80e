// SPDX-License-Identifier: Apache-2.0
#include "serving/load_queue.h"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

namespace slipway::serving {
namespace {

using std::chrono::milliseconds;

std::chrono::steady_clock::time_point in(milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// Loads that last until they are let go.
struct Loads {
  std::atomic<int> begun{0}, ended{0}, arrived{0};
  std::atomic<bool> go{false};
  LoadQueue queue{[this](const std::string&, const VersionKey& key) {
                    ++begun;
                    while (!go) std::this_thread::sleep_for(milliseconds(1));
                    ++ended;
                    if (key.first == "broken") throw std::runtime_error("the engine broke");
                  },
                  [this] { ++arrived; }};
  ~Loads() { go = true; }
  void await_begun(int count) const {
    while (begun < count) std::this_thread::sleep_for(milliseconds(1));
  }
};

TEST(LoadQueue, EachVersionIsLoadedOnceAtATime) {
  Loads loads;
  loads.queue.start(2);
  loads.queue.post({{{"m", 1}, "e"}});
  loads.await_begun(1);
  loads.queue.post({{{"m", 1}, "e"}, {{"m", 2}, "f"}});
  loads.await_begun(2);
  std::thread second([&loads] { loads.queue.load_now("e", {"m", 1}); });  // waits for the first
  EXPECT_FALSE(loads.queue.wait_until_idle(in(milliseconds(50))));
  loads.go = true;
  EXPECT_TRUE(loads.queue.wait_until_idle(in(milliseconds(60'000))));
  second.join();
  EXPECT_EQ(loads.begun, 2);
}

TEST(LoadQueue, OneThatThrowsIsDoneAndTheNextIsLoaded) {
  Loads loads;
  loads.go = true;
  loads.queue.start(1);
  loads.queue.post({{{"broken", 1}, "e"}, {{"m", 2}, "e"}});
  EXPECT_TRUE(loads.queue.wait_until_idle(in(milliseconds(60'000))));
  EXPECT_EQ(loads.ended, 2);
}

// What waits or is under way is not added, whenever that is asked.
TEST(LoadQueue, NoMomentBetweenWaitingAndUnderWay) {
  std::atomic<int> begun{0}, ended{0};
  std::atomic<bool> asking{false};
  LoadQueue queue{[&](const std::string&, const VersionKey&) {
                    ++begun;
                    while (asking) std::this_thread::yield();
                    ++ended;
                  },
                  [] {}};
  queue.start(4);
  for (int round = 0; round < 300; ++round) {
    asking = true;
    while (begun == round) queue.post({{{"m", 1}, "e"}});
    asking = false;
    ASSERT_TRUE(queue.wait_until_idle(in(milliseconds(60'000))));
    ASSERT_EQ(ended, round + 1);
    ASSERT_EQ(begun, round + 1);
  }
}

TEST(LoadQueue, WhatACallerLoadsNoLongerWaits) {
  Loads loads;
  loads.queue.post({{{"m", 1}, "e"}, {{"m", 2}, "f"}});  // no threads yet
  std::thread caller([&loads] { loads.queue.load_now("f", {"m", 1}); });
  loads.await_begun(1);
  loads.queue.start(1);
  loads.await_begun(2);  // the one thread is free for the other version
  loads.go = true;
  EXPECT_TRUE(loads.queue.wait_until_idle(in(milliseconds(60'000))));
  caller.join();
  EXPECT_EQ(loads.begun, 2);
}

TEST(LoadQueue, StoppedItDropsWhatWaits) {
  Loads loads;
  loads.queue.start(1);
  loads.queue.post({{{"m", 1}, "e"}});
  loads.await_begun(1);
  loads.queue.post({{{"m", 2}, "e"}, {{"m", 3}, "e"}});
  std::thread stop([&loads] { loads.queue.stop(); });
  EXPECT_TRUE(loads.queue.wait_until_idle(in(milliseconds(60'000))));
  loads.go = true;
  stop.join();
  EXPECT_EQ(loads.begun, 1);
  loads.queue.post({{{"m", 4}, "e"}});
  EXPECT_EQ(loads.begun, 1);
  EXPECT_EQ(loads.arrived, 1);
}

}  // namespace
}  // namespace slipway::serving
