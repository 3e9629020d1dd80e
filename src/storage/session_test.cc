// SPDX-License-Identifier: Apache-2.0
#include "storage/session.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "storage/database.h"
#include "storage/testing.h"

namespace slipway::storage {
namespace {

// What a Session promises, on whichever engine the tests run.
class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_.write([](Transaction& tx) {
      tx.execute("CREATE TABLE pair (id INTEGER PRIMARY KEY, name TEXT UNIQUE, value BIGINT)");
    });
  }

  std::vector<std::string> list(const std::string& condition, const std::string& pattern) {
    return database_.read_returning<std::vector<std::string>>([&](Session& session) {
      std::vector<std::string> names;
      auto rows =
          session.query("SELECT name FROM pair WHERE " + condition + " ORDER BY name", pattern);
      while (rows.step()) names.push_back(rows.text(0));
      return names;
    });
  }

  FreshStore store_;
  Database database_{store_.options()};
};

using Names = std::vector<std::string>;

TEST_F(SessionTest, AnInsertionReturnsItsId) {
  database_.write([](Transaction& tx) {
    const char* sql = "INSERT INTO pair (name) VALUES (?1) RETURNING id";
    const std::int64_t first = tx.insert_id(sql, "a");
    EXPECT_EQ(tx.insert_id(sql, "b"), first + 1);
    EXPECT_THROW(
        tx.insert_id("INSERT INTO pair (name) VALUES ('a') ON CONFLICT DO NOTHING RETURNING id"),
        Error);
  });
}

TEST_F(SessionTest, ChangesAreThoseOfTheLastStatement) {
  database_.write([](Transaction& tx) {
    EXPECT_EQ(tx.execute("INSERT INTO pair (name, value) VALUES ('a', 1), ('b', 1)"), 2);
    tx.execute("INSERT INTO pair (name, value) VALUES ('c', 1)");
    EXPECT_EQ(tx.execute("UPDATE pair SET value = 2 WHERE value = 1"), 3);
    EXPECT_EQ(tx.execute("INSERT INTO pair (name) VALUES ('a') ON CONFLICT DO NOTHING"), 0);
    EXPECT_EQ(tx.execute("DELETE FROM pair WHERE name = ?1", "zz"), 0);
  });
}

TEST_F(SessionTest, ManyRowsAreInsertedReadChangedAndDeleted) {
  constexpr std::size_t kRows = 1'000;
  const auto name = [](std::size_t i) { return "n" + std::to_string(i); };
  database_.write([&](Transaction& tx) {
    std::int64_t ids = 0;
    tx.execute_many(
        "INSERT INTO pair (name, value) VALUES (?1, ?2) RETURNING id, name", kRows,
        [&](Statement& statement, std::size_t i) {
          statement.bind(1, name(i));
          statement.bind(2, i % 2 == 0 ? std::optional<std::int64_t>(i) : std::nullopt);
        },
        [&](const Statement& row) { ids += row.text(1).empty() ? 0 : 1; });
    EXPECT_EQ(ids, 1'000);
    tx.execute_many("UPDATE pair SET value = ?2 WHERE name = ?1", 2,
                    [&](Statement& statement, std::size_t i) {
                      statement.bind(1, name(i)).bind(2, static_cast<std::int64_t>(5'000 + i));
                    });
    std::int64_t sum = 0;
    std::int64_t nulls = 0;
    tx.execute_many(
        "SELECT value FROM pair WHERE name = ?1", 6,
        [&](Statement& statement, std::size_t i) { statement.bind(1, name(i)); },
        [&](const Statement& row) {
          sum += row.int64(0);
          nulls += row.is_null(0) ? 1 : 0;
        });
    EXPECT_EQ(sum, 5'000 + 5'001 + 2 + 4);
    EXPECT_EQ(nulls, 2);
    tx.execute_many("DELETE FROM pair WHERE name = ?1", kRows - 1,
                    [&](Statement& statement, std::size_t i) { statement.bind(1, name(i)); });
    tx.execute_many("DELETE FROM pair WHERE name = ?1", 0, nullptr);
    auto left = tx.query("SELECT name FROM pair");
    ASSERT_TRUE(left.step());
    EXPECT_EQ(left.text(0), "n999");
    EXPECT_FALSE(left.step());
  });
}

TEST_F(SessionTest, LikeDistinguishesCaseAndFoldsThatOfAsciiAlone) {
  database_.write([](Transaction& tx) {
    for (const char* name : {"abc", "ABC", "a_c", "a%c", "a\\c", "a*c", "a[b]c",
                             "\xc3\xa9t\xc3\xa9", "\xc3\x89T\xc3\x89"})
      tx.execute("INSERT INTO pair (name) VALUES (?1)", name);
  });
  const std::string exact = like("name", "?1");
  EXPECT_EQ(list(exact, "a%c"), (Names{"a%c", "a*c", "a[b]c", "a\\c", "a_c", "abc"}));
  EXPECT_EQ(list(exact, "a_c"), (Names{"a%c", "a*c", "a\\c", "a_c", "abc"}));
  EXPECT_EQ(list(exact, "A%"), (Names{"ABC"}));
  EXPECT_EQ(list(exact, "a\\%"), (Names{"a\\c"}));  // no escape character
  EXPECT_EQ(list(exact, "a*c"), (Names{"a*c"}));
  EXPECT_EQ(list(exact, "a[b]c"), (Names{"a[b]c"}));
  EXPECT_EQ(list(exact, "_t_"), (Names{"\xc3\xa9t\xc3\xa9"}));
  const std::string any_case = like_any_case("name", "?1");
  EXPECT_EQ(list(any_case, "aBc"), (Names{"ABC", "abc"}));
  EXPECT_EQ(list(any_case, "\xc3\xa9T%"), (Names{"\xc3\xa9t\xc3\xa9"}));
}

// By bytes, whatever the language of the machine.
TEST_F(SessionTest, TextsAreOrderedByTheirBytes) {
  database_.write([](Transaction& tx) {
    for (const char* name : {"b", "B", "a", "_", "\xc3\xa4", "Z", "a b", "a-b"})
      tx.execute("INSERT INTO pair (name) VALUES (?1)", name);
  });
  EXPECT_EQ(list("name <> ?1", ""), (Names{"B", "Z", "_", "a", "a b", "a-b", "b", "\xc3\xa4"}));
}

TEST_F(SessionTest, AQueryMayBeInsideItself) {
  database_.write([](Transaction& tx) {
    tx.execute("INSERT INTO pair (name, value) VALUES ('a', 1), ('b', 2)");
    int rows = 0;
    auto outer = tx.query("SELECT value FROM pair ORDER BY value");
    while (outer.step()) {
      auto inner = tx.query("SELECT value FROM pair ORDER BY value");
      while (inner.step()) rows += 1;
      tx.execute("UPDATE pair SET value = value WHERE name = 'a'");
    }
    EXPECT_EQ(rows, 4);
  });
}

}  // namespace
}  // namespace slipway::storage
