// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_connection.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <future>
#include <gtest/gtest.h>
#include <thread>

#include "base/error.h"
#include "storage/database.h"
#include "storage/migrations.h"
#include "storage/testing.h"

namespace slipway::storage {
namespace {

std::string refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
  return "";
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(PostgresUrl, IsToldFromAPath) {
  EXPECT_TRUE(is_postgres_url("postgresql://h/d"));
  EXPECT_TRUE(is_postgres_url("postgres://h/d"));
  EXPECT_FALSE(is_postgres_url("/postgresql:/h"));
  EXPECT_FALSE(is_postgres_url(":memory:"));
}

// Needs libpq, but no server.
TEST(PostgresUrl, NoMessageShowsThePassword) {
  for (const char* url :
       {"postgresql://ada:s3cret@127.0.0.1:1/store", "postgresql://ada:s3cret@[::1/store",
        "postgresql://ada:s3cret@127.0.0.1:1/store?nonsense=s3cret",
        "postgresql://127.0.0.1:1/store?password=s3cret&user=ada"}) {
    const std::string refusal = refusal_of([&] { open_postgres_reader(url); });
    EXPECT_NE(refusal, "") << url;
    EXPECT_FALSE(contains(refusal, "s3cret")) << refusal;
  }
  const std::string unreachable =
      refusal_of([] { open_postgres_reader("postgresql://ada:s3cret@127.0.0.1:1/store"); });
  EXPECT_TRUE(unreachable.starts_with(
      "unavailable: cannot open the store `postgresql://127.0.0.1:1/store`: "))
      << unreachable;
}

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // About PostgreSQL alone: ctest runs this program again, on one, as storage_postgres.
    if (test_database_url().empty()) GTEST_SKIP() << "SLIPWAY_TEST_DATABASE names no PostgreSQL";
    store_.emplace();
    database_.emplace(store_->options());
    database_->write([](Transaction& tx) {
      tx.execute("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value REAL)");
    });
  }

  void add(const std::string& name) {
    database_->write(
        [&](Transaction& tx) { tx.execute("INSERT INTO thing (name) VALUES (?1)", name); });
  }
  std::int64_t count() {
    return database_->read_returning<std::int64_t>([](Session& session) {
      auto rows = session.query("SELECT COUNT(*) FROM thing");
      rows.step();
      return rows.int64(0);
    });
  }
  // Ends the other sessions of this test, as a restart of the database does.
  void end_sessions() {
    const auto other = open_postgres_reader(store_->path());
    other->run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND "
        "application_name = 'slipway'");
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }

  std::optional<FreshStore> store_;
  std::optional<Database> database_;
};

TEST_F(PostgresTest, ALostConnectionIsMadeAnew) {
  add("before");
  EXPECT_EQ(count(), 1);
  end_sessions();
  EXPECT_EQ(count(), 1);
  add("after");
  EXPECT_EQ(count(), 2);
}

TEST_F(PostgresTest, AWriteWhoseConnectionIsLostFailsAndTheNextOneDoesNot) {
  const std::string refusal = refusal_of([&] {
    database_->write([&](Transaction& tx) {
      tx.execute("INSERT INTO thing (name) VALUES ('lost')");
      tx.changes();
      end_sessions();
      tx.execute("INSERT INTO thing (name) VALUES ('too')");
    });
  });
  EXPECT_TRUE(refusal.starts_with("unavailable: the connection to the store `postgresql://"))
      << refusal;
  EXPECT_TRUE(contains(refusal, "was lost: ")) << refusal;
  add("next");
  EXPECT_EQ(count(), 1);
}

TEST_F(PostgresTest, ASecondServerIsRefused) {
  const std::string refusal = refusal_of([&] { const Database second(store_->options()); });
  EXPECT_TRUE(refusal.starts_with("unavailable: another server has the store `postgresql://"))
      << refusal;
  database_.reset();
  EXPECT_EQ(refusal_of([&] { const Database second(store_->options()); }), "");
}

TEST_F(PostgresTest, ADatabaseThatWillNotDoIsRefusedWithTheReason) {
  const std::string url = test_database_url() + "&options=-csearch_path%3Dnowhere";
  const std::string no_schema = refusal_of([&] { const Database none({.path = url}); });
  EXPECT_TRUE(no_schema.starts_with("failed_precondition: ")) << no_schema;
  EXPECT_TRUE(contains(no_schema, "no schema has been selected to create in")) << no_schema;
  std::string absent = test_database_url();
  absent.replace(absent.find("/slipway?"), 9, "/no_such_database?");
  const std::string no_database = refusal_of([&] { const Database none({.path = absent}); });
  EXPECT_TRUE(no_database.starts_with("failed_precondition: cannot open the store `"))
      << no_database;
  EXPECT_TRUE(contains(no_database, "database \"no_such_database\" does not exist")) << no_database;
  open_postgres_reader(test_database_url())
      ->run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  std::string latin = test_database_url();
  latin.replace(latin.find("/slipway?"), 9, "/latin?");
  EXPECT_TRUE(contains(refusal_of([&] { const Database none({.path = latin}); }),
                       "has encoding LATIN1; UTF8 is needed"));
  open_postgres_reader(test_database_url())->run("DROP DATABASE latin");
}

TEST_F(PostgresTest, ANewerSchemaIsRefusedByName) {
  database_->write(
      [](Transaction& tx) { tx.execute("INSERT INTO slipway_schema (version) VALUES (9999)"); });
  database_.reset();
  const std::string refusal = refusal_of([&] { const Database again(store_->options()); });
  EXPECT_TRUE(contains(refusal, "has schema version 9999, this program knows versions up to " +
                                    std::to_string(migrations(Engine::kPostgres).back().number)))
      << refusal;
  EXPECT_TRUE(refusal.starts_with("failed_precondition: the store `postgresql://")) << refusal;
}

TEST_F(PostgresTest, AFaultOfAStatementNobodyAskedAboutBelongsToItsWrite) {
  std::promise<void> gate;
  database_->write_async([&](Transaction&) { gate.get_future().wait(); }, nullptr);
  std::atomic<int> kept = 0;
  std::vector<std::string> faults(3);
  for (std::size_t i = 0; i < faults.size(); ++i) {
    database_->write_async(
        [i](Transaction& tx) {
          tx.execute("INSERT INTO thing (id, name) VALUES (?1, ?2)", i == 1 ? 7 : 7 + int(i),
                     "n" + std::to_string(i));
        },
        [&, i](std::exception_ptr fault) {
          if (!fault) ++kept;
          faults[i] = refusal_of([&] {
            if (fault) std::rethrow_exception(fault);
          });
        });
  }
  gate.set_value();
  database_->write([](Transaction&) {});
  EXPECT_EQ(kept, 2);
  EXPECT_EQ(faults[0], "");
  EXPECT_TRUE(contains(faults[1], "duplicate key value violates unique constraint")) << faults[1];
  EXPECT_EQ(faults[2], "");
  EXPECT_EQ(count(), 2);
}

TEST_F(PostgresTest, AWriteThatHidesAFaultIsNotCalledKept) {
  const std::string refusal = refusal_of([&] {
    database_->write([](Transaction& tx) {
      tx.execute("INSERT INTO thing (name) VALUES ('first')");
      EXPECT_NE(refusal_of([&] { tx.query("SELECT nonsense FROM thing").step(); }), "");
    });
  });
  EXPECT_EQ(refusal, "internal: a statement of a write failed, so nothing of it was kept");
  EXPECT_EQ(count(), 0);
}

TEST_F(PostgresTest, WalksReadOnlyAsFarAsTheyAreAsked) {
  static constexpr int kRows = 20'000;
  database_->write([](Transaction& tx) {
    tx.execute("INSERT INTO thing (name) SELECT 'n' || i FROM generate_series(1, ?1) i", kRows);
  });
  database_->read([](Session& session) {
    for (const std::int64_t wanted :
         {std::int64_t{1}, std::int64_t{128}, std::int64_t{129}, std::int64_t{kRows}}) {
      auto walk = session.prepare("SELECT id FROM thing WHERE id > ?1 ORDER BY id", Usage::kWalk);
      walk.bind(1, 0);
      auto within = session.prepare("SELECT id FROM thing ORDER BY id DESC", Usage::kWalk);
      for (std::int64_t i = 1; i <= wanted; ++i) {
        ASSERT_TRUE(walk.step());
        ASSERT_EQ(walk.int64(0), i);
        if (i == 100) {
          ASSERT_TRUE(within.step());
          ASSERT_EQ(within.int64(0), kRows);
        }
      }
      if (wanted == kRows) {
        ASSERT_FALSE(walk.step());
      }
    }
  });
}

TEST_F(PostgresTest, TheSameParameterMayBeOfTwoTypes) {
  database_->write([](Transaction& tx) {
    const char* sql = "INSERT INTO thing (name, value) VALUES (?1, ?2)";
    tx.execute(sql, "whole", 1);
    tx.execute(sql, "real", 1.5);
    tx.execute(sql, std::optional<std::string>(), std::optional<double>());
    tx.execute(sql, "nan", std::nan(""));
    auto rows = tx.query("SELECT name, value FROM thing ORDER BY id");
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.real(1), 1);
    ASSERT_TRUE(rows.step());
    EXPECT_EQ(rows.real(1), 1.5);
    ASSERT_TRUE(rows.step());
    EXPECT_TRUE(rows.is_null(0));
    EXPECT_TRUE(rows.is_null(1));
    ASSERT_TRUE(rows.step());
    EXPECT_TRUE(rows.is_null(1));  // as on SQLite
  });
}

TEST_F(PostgresTest, MoreStatementsThanAreKeptAreAllRight) {
  database_->read([](Session& session) {
    for (int i = 0; i < 1'200; ++i) {
      auto row = session.query("SELECT ?1 + " + std::to_string(i), 1);
      ASSERT_TRUE(row.step());
      ASSERT_EQ(row.int64(0), i + 1);
    }
  });
}

TEST_F(PostgresTest, ATextWithNulIsRefused) {
  EXPECT_EQ(refusal_of([&] { add(std::string("a\0b", 3)); }),
            "invalid_argument: a text with a NUL character cannot be stored");
  EXPECT_EQ(count(), 0);
}

}  // namespace
}  // namespace slipway::storage
