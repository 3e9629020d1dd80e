// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::storage {

// One prepared statement, bound to the Session that made it; not for other threads, not beyond the
// function that was handed the Session. Parameters are ?1, ?2 …; columns count from 0. Faults throw
// (see Database).
class Statement {
 public:
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  ~Statement();  // resets it and gives it back to the session's cache

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, int value) { return bind(index, std::int64_t{value}); }
  Statement& bind(int index, bool value) { return bind(index, std::int64_t{value ? 1 : 0}); }
  Statement& bind(int index,
                  double value);  // NaN is stored as NULL by SQLite: store a flag beside it
  Statement& bind(int index, std::string_view text);  // copied
  Statement& bind(int index, const std::string& text) {
    return bind(index, std::string_view{text});
  }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  Statement& bind_blob(int index, std::string_view bytes);  // copied
  Statement& bind_null(int index);
  template <typename T>
  Statement& bind(int index, const std::optional<T>& value) {
    return value ? bind(index, *value) : bind_null(index);
  }

  bool step();   // true: there is a row to read; false: done
  void reset();  // ready to bind and step again; bindings stay

  bool is_null(int column) const;
  std::int64_t int64(int column) const;
  double real(int column) const;
  std::string text(int column) const;            // "" for NULL
  std::string_view text_view(int column) const;  // valid until the next step or reset
  std::string_view blob_view(int column) const;  // likewise
  std::optional<std::string> maybe_text(int column) const;
  std::optional<std::int64_t> maybe_int64(int column) const;

 private:
  friend class Session;
  struct State;
  explicit Statement(State* state) : state_(state) {}
  State* state_;
};

// One connection, for the length of one read or one write.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Prepared once per connection and text, then reused; so the text must not carry values. Kept are
  // texts of up to 4 KiB, 400 at once, those that were used last; of a text that is open several
  // times at once up to 32.
  Statement prepare(std::string_view sql);

  // Binds the arguments to ?1 … and runs to the end. Returns the number of rows changed.
  template <typename... Args>
  std::int64_t execute(std::string_view sql, const Args&... args) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, args), ...);
    while (statement.step()) {
    }
    return changes();
  }

  // Binds and returns the statement ready to step.
  template <typename... Args>
  Statement query(std::string_view sql, const Args&... args) {
    Statement statement = prepare(sql);
    int index = 0;
    (statement.bind(++index, args), ...);
    return statement;
  }

  std::int64_t changes() const;         // by the last statement
  std::int64_t last_insert_id() const;  // of the last INSERT
  // How many statements of this text are kept.
  std::size_t prepared(std::string_view sql) const;

 protected:
  friend class Database;
  struct State;
  explicit Session(State* state) : state_(state) {}
  State* state_;
};

// What a write may do: everything a Session does, on the writer thread, all of it or nothing.
class Transaction : public Session {
 public:
  // Runs after the commit that made this write durable, on the writer thread: for waking up those
  // who follow a table. Must not throw, block or write. Not run when the write fails.
  void after_commit(std::function<void()> action);

 private:
  friend class Database;
  using Session::Session;
};

enum class Durability {
  kKill,   // an acknowledged write survives kill -9 of this process (WAL, synchronous = NORMAL)
  kPower,  // and a power cut (synchronous = FULL)
};

// The metadata store: SQLite with write-ahead log. One thread writes, in the order in which writes
// were handed over; what has gathered while it was busy shares one commit. Readers never wait for
// it and see the last commit.
//
// Faults of SQL, of the disk or of the file throw Error: kResourceExhausted when the disk is full
// (the write is undone, reads go on), kDataLoss when the file is damaged, kUnavailable when another
// process holds the store, kInternal else. An Error thrown by the function itself undoes that
// function's savepoint only and is handed on.
class Database {
 public:
  struct Options {
    std::string path;  // the file; ":memory:" for tests (reads then share the writer's connection,
                       // one at a time)
    Durability durability = Durability::kKill;
    int readers_max = 4;
    std::int64_t queue_max = 100'000;  // writes waiting; more are refused with kUnavailable
  };

  // Opens or creates the file and brings its schema up to date (storage/migrations.h). A schema
  // newer than this program throws kFailedPrecondition naming both versions and touches nothing.
  explicit Database(const Options& options);
  ~Database();  // runs what was queued, then closes
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  using Write = std::function<void(Transaction&)>;
  using Done = std::function<void(std::exception_ptr)>;  // null: committed

  // Hands the write over and returns; `done` runs on the writer thread once it is committed, or
  // undone with the Error. `done` must be quick and must not throw.
  void write_async(Write write, Done done);

  // The same, waiting. Throws what the write threw. Never call it from a write, a read or a `done`.
  void write(const Write& write);

  // write() with a result.
  template <typename T>
  T write_returning(const std::function<T(Transaction&)>& work) {
    std::optional<T> result;
    write([&](Transaction& transaction) { result.emplace(work(transaction)); });
    return std::move(*result);
  }

  // Runs on the calling thread with a read connection: one consistent state for the whole function.
  // Do not keep statements.
  void read(const std::function<void(Session&)>& work);

  template <typename T>
  T read_returning(const std::function<T(Session&)>& work) {
    std::optional<T> result;
    read([&](Session& session) { result.emplace(work(session)); });
    return std::move(*result);
  }

  std::int64_t writes_waiting() const;

  // False once the disk has failed to sync the store. From then on writes are refused with
  // kUnavailable and reads go on; opening the store anew heals it where the disk is sound.
  bool is_healthy() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::storage
