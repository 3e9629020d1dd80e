// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite_connection.h"

#include <cassert>
#include <chrono>
#include <optional>
#include <sqlite3.h>
#include <string_view>

#include "base/error.h"
#include "storage/checkpointer.h"

namespace slipway::storage {
namespace {

constexpr int kBusyTimeoutMs = 5'000;          // another process backing up or copying
constexpr int kStepsBetweenLooks = 1'000'000;  // of SQLite's machine: some tens of ms
constexpr std::string_view kMemory = ":memory:";

[[noreturn]] void fail(sqlite3* handle, int code, std::string_view doing) {
  const std::string text = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  const std::string message = std::string(doing) + ": " + text;
  switch (code & 0xff) {
    case SQLITE_FULL:
      throw Error(Code::kResourceExhausted,
                  "the disk of the store is full; nothing of this write was kept",
                  "free space in the data folder; reads and inference go on meanwhile");
    case SQLITE_IOERR: {
      const int system = handle != nullptr ? sqlite3_system_errno(handle) : 0;
      if (system == ENOSPC || system == EDQUOT) {
        throw Error(Code::kResourceExhausted,
                    "the disk of the store is full; nothing of this write was kept",
                    "free space in the data folder; reads and inference go on meanwhile");
      }
      throw Error(Code::kInternal, message);
    }
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: throw Error(Code::kDataLoss, message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(Code::kUnavailable, message + " (another process holds the store)");
    default: throw Error(Code::kInternal, message);
  }
}

class SqliteStatement final : public PreparedStatement {
 public:
  SqliteStatement(sqlite3* handle, std::string_view sql) : handle_(handle) {
    const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (code != SQLITE_OK)
      fail(handle, code, "the store cannot read `" + std::string(sql.substr(0, 200)) + "`");
  }
  ~SqliteStatement() override { sqlite3_finalize(statement_); }

  void bind(int index, const Value& value) override {
    const int code = value.null ? sqlite3_bind_null(statement_, index) : bind_value(index, value);
    if (code != SQLITE_OK) fail(handle_, code, "cannot bind a parameter");
  }

  bool step() override {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    fail(handle_, code, "the store refused a statement");
  }

  void send() override {
    while (step()) {
    }
  }

  void reset(bool unbind) override {
    sqlite3_reset(statement_);
    if (unbind) sqlite3_clear_bindings(statement_);
  }

  Value cell(int column) const override {
    switch (sqlite3_column_type(statement_, column)) {
      case SQLITE_INTEGER: return Value::of(std::int64_t{sqlite3_column_int64(statement_, column)});
      case SQLITE_FLOAT: return Value::of(sqlite3_column_double(statement_, column));
      case SQLITE_NULL: return {};
      case SQLITE_TEXT: {
        const auto* const text = sqlite3_column_text(statement_, column);
        return Value::text(bytes_at(text, column));
      }
      default: return Value::blob(bytes_at(sqlite3_column_blob(statement_, column), column));
    }
  }

 private:
  int bind_value(int index, const Value& value) {
    const char* const data = value.bytes.data() == nullptr ? "" : value.bytes.data();
    switch (value.kind) {
      case Value::Kind::kInt: return sqlite3_bind_int64(statement_, index, value.integer);
      case Value::Kind::kReal: return sqlite3_bind_double(statement_, index, value.real);
      case Value::Kind::kText:
        return sqlite3_bind_text64(statement_, index, data, value.bytes.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8);  // NOLINT
      case Value::Kind::kBytes:
        return sqlite3_bind_blob64(statement_, index, data, value.bytes.size(),
                                   SQLITE_TRANSIENT);  // NOLINT
      default: return SQLITE_MISUSE;
    }
  }

  std::string_view bytes_at(const void* first, int column) const {
    if (first == nullptr) return {};  // of no length
    return {static_cast<const char*>(first),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

  sqlite3* handle_;
  sqlite3_stmt* statement_ = nullptr;
};

// Frees the handle, which must outlive everything that is made of it.
struct Handle {
  explicit Handle(sqlite3* opened) : handle(opened) {}
  Handle(const Handle&) = delete;
  ~Handle() { sqlite3_close_v2(handle); }
  sqlite3* handle;
};

sqlite3* open_handle(const std::string& path, int flags) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string text = handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    sqlite3_close_v2(handle);
    throw Error(code == SQLITE_CANTOPEN ? Code::kPermissionDenied : Code::kInternal,
                "cannot open the store `" + path + "`: " + text);
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  return handle;
}

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(const std::string& path, int flags, const char* begin)
      : Connection(Engine::kSqlite, path), handle_(open_handle(path, flags)), begin_sql_(begin) {}

  std::unique_ptr<PreparedStatement> prepare(std::string_view sql, Usage) override {
    return std::make_unique<SqliteStatement>(handle(), sql);
  }

  using Connection::run;
  void run(const std::string& script, const std::function<void()>& meanwhile) override {
    if (meanwhile) {
      sqlite3_progress_handler(
          handle(), kStepsBetweenLooks,
          [](void* look) {
            (*static_cast<const std::function<void()>*>(look))();
            return 0;
          },
          const_cast<std::function<void()>*>(&meanwhile));  // NOLINT: called alone
    }
    const int code = sqlite3_exec(handle(), script.c_str(), nullptr, nullptr, nullptr);
    if (meanwhile) sqlite3_progress_handler(handle(), 0, nullptr, nullptr);
    if (code != SQLITE_OK)
      fail(handle(), code, "the store refused `" + script.substr(0, 200) + "`");
  }

  ~SqliteConnection() override {
    // The last connection that closes would copy the log, and then remove it.
    if (!is_healthy()) sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }

  void begin() override {
    if (checkpointer_) checkpointer_->check_disk();
    if (!begin_) begin_.emplace(handle(), begin_sql_);
    begin_->send();
    begin_->reset(false);
  }
  void end() noexcept override {
    sqlite3_exec(handle(), "ROLLBACK", nullptr, nullptr, nullptr);  // there is none: no harm
  }
  bool in_transaction() const override { return sqlite3_get_autocommit(handle()) == 0; }
  std::int64_t changes() override { return sqlite3_changes64(handle()); }

  // Not before: a migration sorts whole tables, which must not stand in memory.
  void migrated() override { run("PRAGMA temp_store = MEMORY"); }
  bool is_healthy() const override { return !checkpointer_ || !checkpointer_->sync_failed(); }

  void committed() override {
    if (checkpointer_ && checkpointer_->committed(log_frames_)) checkpointer_->copy_rest(handle());
  }

  // Takes the copying of the log over from SQLite's own hook, which does it within a commit.
  void copy_log() {
    sqlite3_wal_hook(
        handle(),
        [](void* frames, sqlite3*, const char*, int log_frames) {
          *static_cast<int*>(frames) = log_frames;
          return SQLITE_OK;
        },
        &log_frames_);
    // A log that a long read has kept growing gives its room back when it begins anew.
    run("PRAGMA journal_size_limit = " +
        std::to_string(Checkpointer::kLogFramesFar * Checkpointer::kFrameBytes));
    checkpointer_ = std::make_unique<Checkpointer>(name());
  }

 private:
  sqlite3* handle() const { return handle_.handle; }

  Handle handle_;
  const char* begin_sql_;
  std::optional<SqliteStatement> begin_;
  int log_frames_ = 0;  // length of the write-ahead log after the last commit
  std::unique_ptr<Checkpointer> checkpointer_;
};

bool is_new(Connection& connection) {
  const auto version = connection.prepare("PRAGMA user_version", Usage::kPlain);
  return version->step() && version->cell(0).integer == 0;
}

}  // namespace

std::unique_ptr<Connection> open_sqlite_writer(const std::string& path, bool power_safe) {
  // Nobody asks for the sums of memory that SQLite would keep under one lock for all threads. Only
  // the first store of a process can say so.
  static const int no_sums = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)no_sums;
  auto connection = std::make_unique<SqliteConnection>(
      path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, "BEGIN IMMEDIATE");
  if (is_new(*connection)) connection->run("PRAGMA auto_vacuum = INCREMENTAL");
  if (path != kMemory) connection->run("PRAGMA journal_mode = WAL");
  connection->run(power_safe ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  connection->run("PRAGMA foreign_keys = ON");
  connection->run("PRAGMA case_sensitive_like = ON");
  connection->run("PRAGMA cache_size = -16000");
  if (path != kMemory) connection->copy_log();
  return connection;
}

std::unique_ptr<Connection> open_sqlite_reader(const std::string& path) {
  auto connection = std::make_unique<SqliteConnection>(path, SQLITE_OPEN_READONLY, "BEGIN");
  connection->run("PRAGMA temp_store = MEMORY");
  connection->run("PRAGMA case_sensitive_like = ON");
  connection->run("PRAGMA mmap_size = 268435456");
  return connection;
}

}  // namespace slipway::storage
