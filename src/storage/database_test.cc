// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include <atomic>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "storage/migrations.h"

namespace slipway::storage {
namespace {

class DatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("slipway-database-" + random_hex32());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Database::Options options() const { return {.path = (folder_ / "store.db").string()}; }

  static void make_table(Database& database) {
    database.write([](Transaction& tx) {
      tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
    });
  }
  static std::int64_t count(Database& database) {
    return database.read_returning<std::int64_t>([](Session& session) {
      auto rows = session.query("SELECT count(*) FROM thing");
      rows.step();
      return rows.int64(0);
    });
  }

  std::filesystem::path folder_;
};

TEST_F(DatabaseTest, WhatWasWrittenIsReadAfterReopening) {
  {
    Database database(options());
    make_table(database);
    database.write(
        [](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES (?1)", "a"); });
  }
  Database database(options());
  EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, AThrowUndoesThatWriteAlone) {
  Database database(options());
  make_table(database);
  database.write([](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES ('kept')"); });
  EXPECT_THROW(database.write([](Transaction& tx) {
    tx.execute("INSERT INTO thing (name) VALUES ('gone')");
    throw Error(Code::kInvalidArgument, "no");
  }),
               Error);
  EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, WritesOfOneGroupFailOneByOne) {
  Database database(options());
  make_table(database);
  std::promise<void> gate;
  std::shared_future<void> opened = gate.get_future().share();
  std::atomic<int> failed = 0;
  std::atomic<int> committed = 0;
  // The first write holds the writer, so that the others gather into one group.
  database.write_async([opened](Transaction&) { opened.wait(); }, nullptr);
  for (int i = 0; i < 10; ++i) {
    database.write_async(
        [i](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES (?1)", i < 5 ? i : 0); },
        [&](std::exception_ptr fault) { fault ? ++failed : ++committed; });
  }
  gate.set_value();
  database.write([](Transaction&) {});
  EXPECT_EQ(committed, 5);
  EXPECT_EQ(failed, 5);
  EXPECT_EQ(count(database), 5);
}

TEST_F(DatabaseTest, AfterCommitRunsOnlyForWritesThatWereKept) {
  Database database(options());
  make_table(database);
  int ran = 0;
  database.write([&](Transaction& tx) { tx.after_commit([&] { ++ran; }); });
  EXPECT_THROW(database.write([&](Transaction& tx) {
    tx.after_commit([&] { ran += 100; });
    throw Error(Code::kConflict, "no");
  }),
               Error);
  EXPECT_EQ(ran, 1);
}

TEST_F(DatabaseTest, AReadSeesOneStateWhileWritesGoOn) {
  Database database(options());
  make_table(database);
  database.read([&](Session& session) {
    auto first = session.query("SELECT count(*) FROM thing");
    first.step();
    std::thread([&] {
      database.write(
          [](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES ('later')"); });
    }).join();
    auto second = session.query("SELECT  count(*) FROM thing");
    second.step();
    EXPECT_EQ(second.int64(0), 0);
  });
  EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, AFullQueueRefuses) {
  Database::Options few = options();
  few.queue_max = 2;
  std::promise<void> gate;  // both outlive the writer thread
  std::promise<void> started;
  Database database(few);
  database.write_async(
      [&](Transaction&) {
        started.set_value();
        gate.get_future().wait();
      },
      nullptr);
  started.get_future().wait();
  database.write_async([](Transaction&) {}, nullptr);
  database.write_async([](Transaction&) {}, nullptr);
  try {
    database.write_async([](Transaction&) {}, nullptr);
    FAIL() << "the third waiting write was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_STREQ(error.what(),
                 "more than 2 writes are waiting for the store; try again in a moment");
  }
  gate.set_value();
}

TEST_F(DatabaseTest, AFullDiskFailsTheWriteAndReadsGoOn) {
  Database database(options());
  make_table(database);
  database.write([](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES ('kept')"); });
  // SQLite's own page limit answers exactly as a full file system does.
  database.write([](Transaction& tx) {
    auto rows = tx.query("PRAGMA page_count");
    rows.step();
    const std::int64_t pages = rows.int64(0);
    rows.reset();
    tx.execute("PRAGMA max_page_count = " + std::to_string(pages + 2));
  });
  try {
    database.write([](Transaction& tx) {
      tx.execute("INSERT INTO thing (name) VALUES (?1)", std::string(1 << 20, 'x'));
    });
    FAIL() << "a megabyte fitted into two pages";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kResourceExhausted);
    EXPECT_STREQ(error.what(), "the disk of the store is full; nothing of this write was kept");
  }
  EXPECT_EQ(count(database), 1);
  database.write([](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES ('small')"); });
  EXPECT_EQ(count(database), 2);
}

TEST_F(DatabaseTest, ANewerStoreIsRefusedByName) {
  const int newest = migrations(Engine::kSqlite).back().number;
  { const Database database(options()); }
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(options().path.c_str(), &handle), SQLITE_OK);
  sqlite3_exec(handle, "PRAGMA user_version = 9999", nullptr, nullptr, nullptr);
  sqlite3_close(handle);
  try {
    const Database database(options());
    FAIL() << "a newer store was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kFailedPrecondition);
    EXPECT_EQ(std::string(error.what()),
              "the store `" + options().path +
                  "` has schema version 9999, this program knows versions up to " +
                  std::to_string(newest));
  }
}

TEST_F(DatabaseTest, AFileThatIsNoStoreIsNotTouched) {
  const std::string path = options().path;
  std::FILE* file = std::fopen(path.c_str(), "w");
  const std::string text(5000, 'n');
  std::fwrite(text.data(), 1, text.size(), file);
  std::fclose(file);
  EXPECT_THROW(Database{options()}, Error);
  EXPECT_EQ(std::filesystem::file_size(path), 5000U);
}

TEST_F(DatabaseTest, ManyThreadsReadAndWrite) {
  Database database(options());
  make_table(database);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&database, t] {
      for (int i = 0; i < 50; ++i) {
        database.write([&](Transaction& tx) {
          tx.execute("INSERT INTO thing (name) VALUES (?1)",
                     std::to_string(t) + "/" + std::to_string(i));
        });
        count(database);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count(database), 400);
}

TEST(MemoryDatabase, ReadsSeeWrites) {
  Database database({.path = ":memory:"});
  database.write([](Transaction& tx) {
    tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)");
    tx.execute("INSERT INTO thing (name) VALUES (?1)", std::optional<std::string>());
  });
  database.read([](Session& session) {
    auto rows = session.query("SELECT name FROM thing");
    ASSERT_TRUE(rows.step());
    EXPECT_FALSE(rows.maybe_text(0).has_value());
  });
}

TEST(Migrations, AreNumberedWithoutGaps) {
  int expected = 0;
  for (const Migration& step : migrations(Engine::kSqlite))
    EXPECT_EQ(step.number, ++expected) << step.name;
}

TEST_F(DatabaseTest, StatementsThatAreUsedStayPreparedAndOthersMakeRoom) {
  Database database(options());
  const auto text = [](int i) { return "SELECT " + std::to_string(i); };
  database.read([&](Session& session) {
    for (int i = 0; i < 1'000; ++i) {
      session.query(text(-1)).step();
      session.query(text(i)).step();
    }
    EXPECT_EQ(session.prepared(text(-1)), 1U);
    EXPECT_EQ(session.prepared(text(999)), 1U);
    EXPECT_EQ(session.prepared(text(0)), 0U);
    std::size_t kept = 0;
    for (int i = -1; i < 1'000; ++i) kept += session.prepared(text(i));
    EXPECT_EQ(kept, 400U);
  });
}

TEST_F(DatabaseTest, ALongStatementIsNotKept) {
  Database database(options());
  const std::string head = "SELECT 1 --";
  const std::string longest = head + std::string(4'096 - head.size(), 'x');
  database.read([&](Session& session) {
    EXPECT_TRUE(session.query(longest).step());
    EXPECT_TRUE(session.query(longest + "x").step());
    EXPECT_EQ(session.prepared(longest), 1U);
    EXPECT_EQ(session.prepared(longest + "x"), 0U);
  });
}

TEST_F(DatabaseTest, ATextThatIsOpenSeveralTimesIsKeptAsOftenUpToALimit) {
  Database database(options());
  const std::string sql = "SELECT ?1";
  database.read([&](Session& session) {
    const auto open = [&](int copies) {
      std::vector<Statement> statements;
      statements.reserve(static_cast<std::size_t>(copies));
      for (int i = 0; i < copies; ++i) statements.push_back(session.query(sql, i));
      for (int i = 0; i < copies; ++i) {
        EXPECT_TRUE(statements[static_cast<std::size_t>(i)].step());
        EXPECT_EQ(statements[static_cast<std::size_t>(i)].int64(0), i);
      }
    };
    open(3);
    EXPECT_EQ(session.prepared(sql), 3U);
    open(40);
    EXPECT_EQ(session.prepared(sql), 32U);
  });
}

}  // namespace
}  // namespace slipway::storage
