// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpointer.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <thread>

#include "base/error.h"
#include "base/id.h"
#include "storage/database.h"
#include "storage/faulty_disk.h"

namespace slipway::storage {
namespace {

constexpr std::int64_t kFrameBytes = Checkpointer::kFrameBytes;

class CheckpointerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("slipway-checkpoint-" + random_hex32());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "store.db").string(); }
  std::int64_t log_bytes() const {
    return static_cast<std::int64_t>(std::filesystem::file_size(path() + "-wal"));
  }
  // About as many frames.
  static void write_frames(Database& database, int frames) {
    const std::string page(4'000, 'x');
    for (int i = 0; i < frames / 100; ++i) {
      database.write([&](Transaction& transaction) {
        for (int k = 0; k < 100; ++k)
          transaction.execute("INSERT INTO thing (bytes) VALUES (?1)", page);
      });
    }
  }
  static bool within_10_s(const std::function<bool()>& condition) {
    for (int i = 0; i < 1'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::filesystem::path folder_;
};

TEST_F(CheckpointerTest, TheDatabaseFileFollowsWithoutTheWriter) {
  Database database({.path = path()});
  database.write([](Transaction& tx) {
    tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes TEXT)");
  });
  write_frames(database, 3 * Checkpointer::kEveryFrames);
  EXPECT_TRUE(within_10_s([&] {
    return static_cast<std::int64_t>(std::filesystem::file_size(path())) >
           Checkpointer::kEveryFrames * std::int64_t{4'096};
  }));
}

TEST_F(CheckpointerTest, TheLogBeginsAnewWhileWritesGoOn) {
  Database database({.path = path()});
  database.write([](Transaction& tx) {
    tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes TEXT)");
  });
  write_frames(database, Checkpointer::kLogFramesFar + Checkpointer::kLogFramesMax);
  // Never longer than where the writer copies whatever is left, and what one commit adds.
  EXPECT_LE(log_bytes(), (Checkpointer::kLogFramesFar + 1'000) * kFrameBytes);
}

TEST_F(CheckpointerTest, ALongReadOnlyDelaysIt) {
  Database database({.path = path()});
  database.write([](Transaction& tx) {
    tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes TEXT)");
  });
  write_frames(database, 100);
  std::int64_t seen = -1;
  database.read([&](Session& session) {
    const auto count = [&] {
      auto rows = session.query("SELECT COUNT(*) FROM thing");
      rows.step();
      return rows.int64(0);
    };
    const std::int64_t before = count();
    write_frames(database, Checkpointer::kLogFramesFar + 2'000);
    seen = count() - before;
  });
  EXPECT_EQ(seen, 0);
  const std::int64_t longest = log_bytes();
  write_frames(database, 2 * Checkpointer::kEveryFrames);
  write_frames(database, Checkpointer::kLogFramesMax);
  EXPECT_GT(longest, (Checkpointer::kLogFramesFar + 1'000) * kFrameBytes);
  EXPECT_LE(log_bytes(), Checkpointer::kLogFramesFar * kFrameBytes);  // its room was given back
  EXPECT_EQ(database.read_returning<std::int64_t>([](Session& session) {
    auto rows = session.query("SELECT COUNT(*) FROM thing WHERE LENGTH(bytes) = 4000");
    rows.step();
    return rows.int64(0);
  }),
            100 + Checkpointer::kLogFramesFar + 2'000 + 2 * Checkpointer::kEveryFrames +
                Checkpointer::kLogFramesMax);
}

// The writer's part, without a thread in between: what it is asked, and when again.
TEST_F(CheckpointerTest, TheWriterIsAskedWhenTheLogIsLongAndNearlyCopied) {
  { Database database({.path = path()}); }
  Checkpointer checkpointer(path());
  EXPECT_FALSE(checkpointer.committed(1));
  EXPECT_FALSE(checkpointer.committed(Checkpointer::kEveryFrames));
  EXPECT_TRUE(checkpointer.committed(Checkpointer::kLogFramesFar));
  EXPECT_FALSE(checkpointer.committed(Checkpointer::kLogFramesFar + 1));
  EXPECT_FALSE(
      checkpointer.committed(Checkpointer::kLogFramesFar + Checkpointer::kEveryFrames - 1));
  EXPECT_TRUE(checkpointer.committed(Checkpointer::kLogFramesFar + Checkpointer::kEveryFrames));
  EXPECT_FALSE(checkpointer.committed(3));  // it began anew
}

// The pages that a failed sync was for may be gone, and a later sync would say that all is well: so
// nothing is copied any more, and the log is there when the store is opened anew.
TEST_F(CheckpointerTest, AFailedSyncEndsWritingAndKeepsTheLog) {
  FaultyDisk disk;
  {
    Database database({.path = path()});
    database.write([](Transaction& tx) {
      tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes TEXT)");
    });
    EXPECT_TRUE(database.is_healthy());
    disk.syncs_to_fail = 1;
    ASSERT_TRUE(within_10_s([&] {
      try {
        write_frames(database, 100);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Code::kUnavailable);
        EXPECT_STREQ(error.what(),
                     "the disk failed to keep what the store wrote; nothing more is written until "
                     "the server is started anew");
        return true;
      }
      return false;
    }));
    EXPECT_EQ(disk.syncs_to_fail, 0);  // the next one would do, and is not asked
    EXPECT_FALSE(database.is_healthy());
    EXPECT_THROW(write_frames(database, 100), Error);
    EXPECT_GE(database.read_returning<std::int64_t>([](Session& session) {
      auto rows = session.query("SELECT COUNT(*) FROM thing");
      rows.step();
      return rows.int64(0);
    }),
              Checkpointer::kEveryFrames / 2);
  }
  EXPECT_GE(log_bytes(), Checkpointer::kEveryFrames * kFrameBytes);
  {
    Database database({.path = path()});
    EXPECT_TRUE(database.is_healthy());
    write_frames(database, 100);
  }
  EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
}

TEST_F(CheckpointerTest, APassThatFailsForAnotherReasonIsTriedAgain) {
  FaultyDisk disk;
  Database database({.path = path()});
  database.write([](Transaction& tx) {
    tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, bytes TEXT)");
  });
  disk.writes_to_fail = 1;
  write_frames(database, 2 * Checkpointer::kEveryFrames);
  EXPECT_TRUE(within_10_s([&] { return disk.writes_to_fail == 0; }));
  write_frames(database, 2 * Checkpointer::kEveryFrames);
  EXPECT_TRUE(within_10_s([&] {
    return static_cast<std::int64_t>(std::filesystem::file_size(path())) >
           Checkpointer::kEveryFrames * std::int64_t{4'096};
  }));
  EXPECT_TRUE(database.is_healthy());
}

}  // namespace
}  // namespace slipway::storage
