// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <string>
#include <unistd.h>
#include <vector>

#include "storage/faulty_disk.h"
#include "storage/migrations.h"
#include "tracking/run_search.h"
#include "tracking/run_table.h"
#include "tracking/session.h"

namespace slipway::tracking {
namespace {

// The schemas that programs before this one's wrote: before the fragments of metrics (0009) and
// before the indexes of searches (0010).
class OldStore : public ::testing::Test {
 protected:
  OldStore()
      : folder_(std::filesystem::temp_directory_path() /
                ("search_migration_" + std::to_string(getpid()))),
        path_((folder_ / "slipway.db").string()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~OldStore() override { std::filesystem::remove_all(folder_); }

  // A store as the program of this schema left it.
  void write_store(int schema, const std::vector<std::string>& statements) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    const auto run = [&](const std::string& sql) {
      ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
          << sqlite3_errmsg(handle) << "\n"
          << sql;
    };
    run("PRAGMA synchronous = OFF");
    int version = 0;
    for (const storage::Migration& step : storage::migrations(storage::Engine::kSqlite)) {
      if (step.number > schema) break;
      run(std::string(step.sql));
      version = step.number;
    }
    ASSERT_EQ(version, schema);
    run("PRAGMA user_version = " + std::to_string(version));
    for (const std::string& sql : statements) run(sql);
    sqlite3_close(handle);
  }

  const std::filesystem::path folder_;
  const std::string path_;
};

const char* const kRuns =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) "
    "INSERT INTO run (uuid, experiment, name, user_id, status, start_time_ms, artifact_uri) "
    "SELECT printf('%032x', i), 0, 'run ' || i, 'u', 3, 1000 - i, 'x' FROM n";

class OldSchema : public OldStore, public ::testing::WithParamInterface<int> {};

// A store that an older program wrote gets its indexes when it is opened, and searches then find
// what it holds.
TEST_P(OldSchema, AnOlderStoreIsConverted) {
  write_store(
      GetParam(),
      {kRuns, "INSERT INTO param (run, key, value) SELECT id, 'lr', 'v' || (id % 3) FROM run",
       "INSERT INTO tag (run, key, value) SELECT id, 'note', printf('%0100d', id) FROM run"});
  {
    storage::Database database(storage::Database::Options{.path = path_});
    const auto count = [&](const std::string& filter, std::vector<std::string> order) {
      return database.read_returning<KeyPage>([&](storage::Session& session) {
        return search_runs(session,
                           {.experiment_ids = {0}, .filter = filter, .order_by = std::move(order)});
      });
    };
    EXPECT_EQ(count("params.lr = 'v1'", {}).keys.size(), 100U);
    const KeyPage by_param = count("", {"params.lr", "start_time"});
    ASSERT_EQ(by_param.keys.size(), 300U);
    EXPECT_EQ(by_param.keys.front(), 300);  // v0, the earliest start
    EXPECT_EQ(by_param.keys.back(), 2);
    // Longer than what the index holds.
    const std::string note = std::string(97, '0') + "123";
    EXPECT_EQ(count("tags.note = '" + note + "'", {}).keys, std::vector<std::int64_t>{123});
    EXPECT_EQ(count("", {"tags.note DESC"}).keys.front(), 300);
    // And what is written from now on keeps them right.
    database.write([](storage::Transaction& transaction) {
      transaction.execute("UPDATE tag SET value = 'other' WHERE run = 123");
      transaction.execute("DELETE FROM tag WHERE run = 124");
      transaction.execute("DELETE FROM param WHERE run = 1");
    });
    EXPECT_TRUE(count("tags.note = '" + note + "'", {}).keys.empty());
    EXPECT_EQ(count("tags.note LIKE 'oth%'", {}).keys, std::vector<std::int64_t>{123});
    EXPECT_EQ(count("tags.note IS NULL", {}).keys, std::vector<std::int64_t>{124});
    EXPECT_EQ(count("params.lr = 'v1'", {}).keys.size(), 99U);
    database.read([](storage::Session& session) {
      auto row = session.query(
          "SELECT COUNT(*), (SELECT COUNT(*) FROM param_by_value) FROM "
          "tag_by_value");
      row.step();
      EXPECT_EQ(row.int64(0), 299);
      EXPECT_EQ(row.int64(1), 299);
    });
  }
}
INSTANTIATE_TEST_SUITE_P(Released, OldSchema, ::testing::Values(8, 9));

// Sorting a large table goes through files: a store may be larger than the memory.
TEST_F(OldStore, ALargeStoreIsNotSortedInMemory) {
  constexpr int kTagsOfARun = 1'000;  // of some 80 bytes, so 24 MB: more than the page cache has
  write_store(9,
              {kRuns, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                          std::to_string(kTagsOfARun) +
                          ") INSERT INTO tag (run, key, value) SELECT run.id, printf('%04d', n.i), "
                          "printf('%064d', abs(random() % 100000)) FROM run, n"});
  storage::FaultyDisk disk;
  storage::Database database(storage::Database::Options{.path = path_});
  EXPECT_GT(disk.temporaries, 0);
  database.read([&](storage::Session& session) {
    auto row = session.query("SELECT COUNT(*) FROM tag_by_value");
    row.step();
    EXPECT_EQ(row.int64(0), 300 * kTagsOfARun);
  });
}

}  // namespace
}  // namespace slipway::tracking
