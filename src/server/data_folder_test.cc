// SPDX-License-Identifier: Apache-2.0
#include "server/data_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/id.h"

namespace slipway::server {
namespace {

class DataFolderTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(path_); }
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / ("slipway-data-" + random_hex32()) / ".slipway";
};

TEST_F(DataFolderTest, HoldsItsLockAndSaysWhoHasIt) {
  {
    const DataFolder folder(path_);
    folder.announce("http://127.0.0.1:5001");
    EXPECT_EQ(read_file(path_ / ".gitignore"), "*\n");
    ASSERT_TRUE(find_announcement(path_).has_value());
    EXPECT_EQ(find_announcement(path_)->url, "http://127.0.0.1:5001");
    try {
      const DataFolder second(path_);
      FAIL() << "two servers on one folder";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kConflict);
      EXPECT_EQ(std::string(error.what()),
                "another server runs on the data folder `" + path_.string() +
                    "`: http://127.0.0.1:5001, process " + std::to_string(::getpid()));
    }
  }
  EXPECT_FALSE(find_announcement(path_).has_value());
  const DataFolder again(path_);
  EXPECT_EQ(again.token().size(), 68U);
}

TEST_F(DataFolderTest, WhatAKilledServerAnnouncedIsGoneOnceTheFolderIsHeld) {
  std::filesystem::create_directories(path_);
  // Its process's number is alive again, in a container say.
  write_file_atomic(path_ / "server.json",
                    R"({"url":"http://127.0.0.1:5001","pid":)" + std::to_string(::getpid()) + "}");
  ASSERT_TRUE(find_announcement(path_).has_value());
  const DataFolder folder(path_);  // and the disk is too full for announce()
  EXPECT_FALSE(find_announcement(path_).has_value());
}

TEST_F(DataFolderTest, AnAnnouncementOfADeadProcessOrHalfAFileSaysNothing) {
  std::filesystem::create_directories(path_);
  for (const char* const text :
       {"", "{", "[]", "{\"url\":1,\"pid\":2}", "{\"url\":\"http://x\",\"pid\":-1}",
        "{\"url\":\"http://x\",\"pid\":2147483646}"}) {
    write_file_atomic(path_ / "server.json", text);
    EXPECT_FALSE(find_announcement(path_).has_value()) << text;
  }
}

}  // namespace
}  // namespace slipway::server
