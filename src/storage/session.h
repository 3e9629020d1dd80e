// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "storage/value.h"

namespace slipway::storage {

enum class Engine { kSqlite, kPostgres };

// What a statement is prepared for.
enum class Usage {
  kPlain,
  kWalk,  // it has many rows, of which perhaps only the first will be read
  kMany,  // execute_many()
};

// One prepared statement, bound to the Session that made it; not for other threads, not beyond the
// function that was handed the Session. Parameters are ?1, ?2 …; columns count from 0. Faults throw
// (see Database).
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  ~Statement();  // resets it and gives it back to the session's cache

  Statement& bind(int index, std::int64_t value) { return bind(index, Value::of(value)); }
  Statement& bind(int index, int value) { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, bool value) { return bind(index, std::int64_t{value ? 1 : 0}); }
  Statement& bind(int index, double value) {  // NaN is stored as NULL: store a flag beside it
    return bind(index, Value::of(value));
  }
  Statement& bind(int index, std::string_view text) { return bind(index, Value::text(text)); }
  Statement& bind(int index, const std::string& text) {
    return bind(index, std::string_view{text});
  }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind_blob(int index, std::string_view bytes) {
    return bind(index, Value::blob(bytes));
  }
  template <typename T>
  Statement& bind(int index, const std::optional<T>& value) {
    if (value) return bind(index, *value);
    if constexpr (std::is_integral_v<T>) return bind(index, Value::missing(Value::Kind::kInt));
    if constexpr (std::is_floating_point_v<T>)
      return bind(index, Value::missing(Value::Kind::kReal));
    return bind(index, Value::missing(Value::Kind::kText));
  }
  Statement& bind(int index, const Value& value);  // copied

  bool step();   // true: there is a row to read; false: done
  void reset();  // ready to bind and step again; bindings stay

  bool is_null(int column) const;
  std::int64_t int64(int column) const;          // 0 for NULL
  double real(int column) const;                 // 0 for NULL
  std::string text(int column) const;            // "" for NULL
  std::string_view text_view(int column) const;  // valid until the next step or reset
  std::string_view blob_view(int column) const;  // likewise
  std::optional<std::string> maybe_text(int column) const;
  std::optional<std::int64_t> maybe_int64(int column) const;

 private:
  friend class Session;
  struct State;
  explicit Statement(State* state) : state_(state) {}
  void send();
  State* state_;
};

// How many rows a statement changed, for who asks: PostgreSQL answers a statement that nobody asks
// about together with a later one. To be asked before the session's next statement.
class Changes;

// One connection, for the length of one read or one write.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Prepared once per connection and text, then reused; so the text must not carry values. Kept are
  // texts of up to 4 KiB, 400 at once of each usage, those that were used last; of a text that is
  // open several times at once up to 32.
  Statement prepare(std::string_view sql, Usage usage = Usage::kPlain);

  // Binds the arguments to ?1 … and runs to the end.
  template <typename... Args>
  Changes execute(std::string_view sql, const Args&... args);

  // Binds and returns the statement ready to step.
  template <typename... Args>
  Statement query(std::string_view sql, const Args&... args) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, args), ...);
    return statement;
  }

  // An INSERT that ends in "RETURNING id" (its integer primary key). Throws kInternal where it
  // inserted nothing.
  template <typename... Args>
  std::int64_t insert_id(std::string_view sql, const Args&... args) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, args), ...);
    return returned_id(statement);
  }

  // The statement once for each of 0 … count - 1, with the parameters that `bind` binds: a loop on
  // SQLite, one statement over arrays on PostgreSQL. So it is one of
  //   INSERT INTO t (a, b) VALUES (?1, ?2) [ON CONFLICT …] [RETURNING …]
  //   UPDATE t SET a = ?2 WHERE id = ?1
  //   DELETE FROM t WHERE a = ?1
  //   SELECT … FROM t WHERE a = ?1 AND b = ?2
  // with parameters only where these have them and no SELECT within. `bind` binds every parameter;
  // no two calls touch the same row. `each_row` gets the rows that come back, in any order.
  using BindOne = std::function<void(Statement&, std::size_t)>;
  using EachRow = std::function<void(const Statement&)>;
  void execute_many(std::string_view sql, std::size_t count, const BindOne& bind,
                    const EachRow& each_row = nullptr);

  std::int64_t changes() const;  // by the last statement
  // How many statements of this text, without a usage of their own, are kept.
  std::size_t prepared(std::string_view sql) const;

 protected:
  friend class Database;
  friend class Writer;
  friend class ReadPool;
  struct State;
  explicit Session(State* state) : state_(state) {}
  State* state_;

 private:
  static void send(Statement& statement) { statement.send(); }
  static std::int64_t returned_id(Statement& statement);
};

class Changes {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): it is that number
  operator std::int64_t() const { return session_.changes(); }

 private:
  friend class Session;
  explicit Changes(const Session& session) : session_(session) {}
  const Session& session_;
};

template <typename... Args>
Changes Session::execute(std::string_view sql, const Args&... args) {
  Statement statement = prepare(sql);
  int index = 0;
  (statement.bind(++index, args), ...);
  send(statement);
  return Changes(*this);
}

// What a write may do: everything a Session does, on the writer thread, all of it or nothing.
class Transaction : public Session {
 public:
  // Runs after the commit that made this write durable, on the writer thread: for waking up those
  // who follow a table. Must not throw, block or write. Not run when the write fails.
  void after_commit(std::function<void()> action);

 private:
  friend class Writer;
  using Session::Session;
};

// "column LIKE ?3" that distinguishes case, and one that folds the case of ASCII letters alone. %
// and _ are the wildcards, and there is no escape character. The same on all engines.
std::string like(std::string_view column, std::string_view place);
std::string like_any_case(std::string_view column, std::string_view place);

}  // namespace slipway::storage
