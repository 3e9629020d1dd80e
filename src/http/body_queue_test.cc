// SPDX-License-Identifier: Apache-2.0
#include "http/body_queue.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

namespace slipway::http {
namespace {

std::string read_some(BodyQueue& queue, std::size_t size) {
  std::string out(size, '\0');
  out.resize(queue.read(out.data(), size));
  return out;
}

TEST(BodyQueue, GivesBytesInOrderAndThenTheEnd) {
  BodyQueue queue([] {});
  EXPECT_TRUE(queue.push("hello "));
  EXPECT_TRUE(queue.push("world"));
  queue.finish();
  EXPECT_EQ(read_some(queue, 3), "hel");
  EXPECT_EQ(read_some(queue, 100), "lo world");
  EXPECT_EQ(read_some(queue, 100), "");
  EXPECT_EQ(read_some(queue, 100), "");
}

TEST(BodyQueue, TellsWhenItIsFullAndWhenItHasRoom) {
  int drained = 0;
  BodyQueue queue([&] { ++drained; });
  EXPECT_TRUE(queue.push(std::string(kBodyQueueBytesMax - 1, 'x')));
  EXPECT_FALSE(queue.push("y"));
  EXPECT_EQ(read_some(queue, 1), "x");
  EXPECT_EQ(drained, 1);
  EXPECT_TRUE(queue.push("z"));
  EXPECT_EQ(read_some(queue, kBodyQueueBytesMax).size(), kBodyQueueBytesMax - 1);
  EXPECT_EQ(read_some(queue, 10), "z");
  EXPECT_EQ(drained, 1);
}

TEST(BodyQueue, AnErrorComesBeforeUnreadBytesAndStays) {
  BodyQueue queue([] {});
  queue.push("abc");
  queue.fail(Error(Code::kUnavailable, "gone"));
  queue.finish();
  for (int i = 0; i < 2; ++i) EXPECT_THROW(read_some(queue, 10), Error);
}

TEST(BodyQueue, AnErrorAfterTheEndIsNoError) {
  BodyQueue queue([] {});
  queue.push("abc");
  queue.finish();
  queue.fail(Error(Code::kUnavailable, "gone"));
  EXPECT_EQ(read_some(queue, 10), "abc");
  EXPECT_EQ(read_some(queue, 10), "");
}

TEST(BodyQueue, WakesAWaitingReader) {
  BodyQueue queue([] {});
  std::atomic<bool> failed{false};
  std::thread reader([&] {
    EXPECT_EQ(read_some(queue, 10), "abc");
    try {
      read_some(queue, 10);
    } catch (const Error&) {
      failed = true;
    }
  });
  queue.push("abc");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  queue.fail(Error(Code::kUnavailable, "gone"));
  reader.join();
  EXPECT_TRUE(failed);
}

}  // namespace
}  // namespace slipway::http
