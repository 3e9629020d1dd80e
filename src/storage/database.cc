// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include <mutex>
#include <utility>

#include "storage/migrations.h"
#include "storage/postgres_connection.h"
#include "storage/read_pool.h"
#include "storage/sqlite_connection.h"
#include "storage/writer.h"

namespace slipway::storage {
namespace {

std::unique_ptr<Connection> open_writer(const Database::Options& options) {
  const bool power_safe = options.durability == Durability::kPower;
  auto connection = is_postgres_url(options.path) ? open_postgres_writer(options.path, power_safe)
                                                  : open_sqlite_writer(options.path, power_safe);
  migrate(*connection);
  connection->migrated();
  return connection;
}

std::unique_ptr<Connection> open_reader(const std::string& path) {
  return is_postgres_url(path) ? open_postgres_reader(path) : open_sqlite_reader(path);
}

}  // namespace

// Constant after construction; the members guard themselves.
struct Database::State {
  explicit State(const Options& options)
      : in_memory(options.path == ":memory:"),
        connection(open_writer(options)),
        readers([path = options.path] { return open_reader(path); }, options.readers_max),
        writer(connection, in_memory ? &turn : nullptr, options.queue_max) {}

  const bool in_memory;
  std::mutex turn;  // ":memory:": reads and commit groups take turns on the one connection
  Session::State connection;
  ReadPool readers;
  Writer writer;
};

Database::Database(const Options& options) : state_(std::make_unique<State>(options)) {}
Database::~Database() = default;

void Database::write_async(Write write, Done done) {
  state_->writer.write_async(std::move(write), std::move(done));
}

void Database::write(const Write& write) { state_->writer.write(write); }

void Database::read(const std::function<void(Session&)>& work) {
  if (!state_->in_memory) {
    state_->readers.read(work);
    return;
  }
  const std::lock_guard turn(state_->turn);
  Session session(&state_->connection);
  work(session);
}

bool Database::is_healthy() const { return state_->connection.connection->is_healthy(); }

std::int64_t Database::writes_waiting() const { return state_->writer.waiting(); }

}  // namespace slipway::storage
