// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/session.h"
#include "storage/value.h"

namespace slipway::storage {

// The door to a database engine. What is above it (session.cc, writer.cc, read_pool.cc,
// migrations.cc) is the same for all engines; sqlite_connection.cc and postgres_connection.cc stand
// behind it. Faults throw Error as Database says.

// A statement of one connection, and no longer than that. Parameters and columns as in Statement.
class PreparedStatement {
 public:
  PreparedStatement() = default;
  PreparedStatement(const PreparedStatement&) = delete;
  PreparedStatement& operator=(const PreparedStatement&) = delete;
  virtual ~PreparedStatement() = default;

  virtual void bind(int index, const Value& value) = 0;  // copied
  virtual bool step() = 0;                               // true: there is a row
  // Runs to the end, for what it does. The engine may do it later, before anything else of this
  // connection; so may its fault come.
  virtual void send() = 0;
  virtual void reset(bool unbind) = 0;       // no rows any more; with `unbind` no parameters either
  virtual Value cell(int column) const = 0;  // of the row; text valid until step or reset
};

// One thread at a time.
class Connection {
 public:
  Connection(Engine engine, std::string name) : engine_(engine), name_(std::move(name)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;

  Engine engine() const { return engine_; }
  const std::string& name() const { return name_; }  // of the store, as messages may show it

  virtual std::unique_ptr<PreparedStatement> prepare(std::string_view sql, Usage usage) = 0;
  // Several statements at once, without parameters. `meanwhile` is called now and then while they
  // run.
  virtual void run(const std::string& script, const std::function<void()>& meanwhile) = 0;
  void run(const std::string& script) { run(script, nullptr); }

  virtual void begin() = 0;                 // a transaction, of the connection's role
  virtual void end() noexcept = 0;          // of one whose outcome nobody asks for: rolls back
  virtual bool in_transaction() const = 0;  // false too when a fault has ended it
  virtual std::int64_t changes() = 0;       // rows changed by the last statement
  virtual void committed() = 0;             // after a commit, when nobody waits: upkeep
  virtual void migrated() {}                // once, when the store has its newest schema
  // False once the disk has failed to keep what was written: begin() throws kUnavailable then. From
  // any thread.
  virtual bool is_healthy() const { return true; }

 private:
  const Engine engine_;
  const std::string name_;
};

}  // namespace slipway::storage
