// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

namespace slipway::log {
namespace {

// What `act` writes to stderr, without the time at the start of each line (its form is checked
// here).
std::string logged(const std::function<void()>& act) {
  testing::internal::CaptureStderr();
  act();
  std::string text = testing::internal::GetCapturedStderr();
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    EXPECT_EQ(line.substr(0, 9), R"({"time":")") << line;
    EXPECT_EQ(line.substr(36, 2), "\",") << line;
    out += "{" + line.substr(38) + "\n";
    at = end + 1;
  }
  return out;
}

class LogTest : public testing::Test {
 protected:
  void TearDown() override { set_level(Level::kOff); }
};

TEST_F(LogTest, IsSilentUntilALevelIsSet) {
  EXPECT_EQ(logged([] { error("nobody hears this"); }), "");
}

TEST_F(LogTest, WritesFieldsInTheirOrder) {
  set_level(Level::kInfo);
  EXPECT_EQ(logged([] {
              info("server started", {{"port", "5000"}, {"data", ".slipway"}});
            }),
            "{\"level\":\"info\",\"message\":\"server "
            "started\",\"port\":\"5000\",\"data\":\".slipway\"}\n");
}

TEST_F(LogTest, KeepsWhatIsAtOrAboveTheLevel) {
  set_level(Level::kWarning);
  EXPECT_EQ(logged([] {
              debug("a");
              info("b");
              warning("c");
              error("d");
            }),
            "{\"level\":\"warning\",\"message\":\"c\"}\n{\"level\":\"error\",\"message\":\"d\"}\n");
}

TEST_F(LogTest, EscapesWhatJsonForbids) {
  set_level(Level::kDebug);
  EXPECT_EQ(logged([] {
              debug(std::string("a\"b\\c\n\t\r\x01\x00", 10), {{"d\"", "\xc3\xa4"}});
            }),
            "{\"level\":\"debug\",\"message\":\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u0000\",\"d\\\"\":"
            "\"\xc3\xa4\"}\n");
}

TEST_F(LogTest, ReplacesBytesThatAreNotUtf8) {
  set_level(Level::kDebug);
  EXPECT_EQ(logged([] { debug("x\xff\xc3"); }),
            "{\"level\":\"debug\",\"message\":\"x\\ufffd\\ufffd\"}\n");
}

TEST_F(LogTest, LinesOfManyThreadsDoNotMix) {
  set_level(Level::kInfo);
  const std::string text = logged([] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int k = 0; k < 100; ++k) info(std::string(200, 'x'));
      });
    }
    for (auto& thread : threads) thread.join();
  });
  const std::string line = "{\"level\":\"info\",\"message\":\"" + std::string(200, 'x') + "\"}\n";
  std::string expected;
  for (int i = 0; i < 400; ++i) expected += line;
  EXPECT_EQ(text, expected);
}

}  // namespace
}  // namespace slipway::log
