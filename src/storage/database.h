// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/session.h"

namespace slipway::storage {

enum class Durability {
  // An acknowledged write survives kill -9 of this process. SQLite: synchronous = NORMAL;
  // PostgreSQL: as the database is set, which is to wait for the disk unless somebody changed it.
  kKill,
  kPower,  // and a power cut (synchronous = FULL, synchronous_commit = on)
};

// The metadata store: SQLite with write-ahead log, or PostgreSQL. One thread writes, in the order
// in which writes were handed over; what has gathered while it was busy shares one commit. Readers
// never wait for it and see the last commit. On PostgreSQL too nobody else writes meanwhile: a
// second server is refused (storage/postgres_connection.h).
//
// Faults of SQL, of the disk, of the file or of the connection throw Error: kResourceExhausted when
// the disk is full (the write is undone, reads go on), kDataLoss when the file is damaged,
// kUnavailable when another process holds the store or the database cannot be reached,
// kInvalidArgument for a text that PostgreSQL cannot hold, kInternal else. An Error thrown by the
// function itself undoes that function's savepoint only and is handed on.
class Database {
 public:
  struct Options {
    // The file; postgresql://USER@HOST/DATABASE; or ":memory:" for tests (reads then share the
    // writer's connection, one at a time).
    std::string path;
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
