// SPDX-License-Identifier: Apache-2.0
#include "storage/database.h"

#include <cassert>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>
#include <sqlite3.h>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/log.h"
#include "storage/checkpointer.h"
#include "storage/migrations.h"

namespace slipway::storage {
namespace {

constexpr int kBusyTimeoutMs = 5'000;              // another process backing up or copying
constexpr std::size_t kStatementsMax = 400;        // prepared statements kept per connection
constexpr std::size_t kStatementBytesMax = 4'096;  // a longer text is prepared for one use
constexpr std::size_t kStatementCopiesMax = 32;    // of one text, open at the same time
constexpr std::size_t kGroupWritesMax = 1'000;     // writes that share one commit

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

// Lets a statement be looked up by the text as it stands, without a copy of it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace

struct Statement::State {
  sqlite3* handle = nullptr;
  sqlite3_stmt* statement = nullptr;
  bool cached = false;  // else finalised on release
  bool busy = false;
  std::uint64_t used = 0;  // when last, on the session's count of uses
};

struct Session::State {
  sqlite3* handle = nullptr;
  // By text; a text that is open several times at once (the parts of a walk) has several.
  std::unordered_multimap<std::string, std::unique_ptr<Statement::State>, TextHash, std::equal_to<>>
      statements;
  std::uint64_t uses = 0;
  std::vector<std::function<void()>> after_commit;  // of the writes in the open group

  ~State() {
    for (auto& [sql, cached] : statements) sqlite3_finalize(cached->statement);
    sqlite3_close_v2(handle);
  }

  // Gives up the statement that was not used for longest. False when all are in use.
  bool forget_oldest() {
    auto oldest = statements.end();
    for (auto it = statements.begin(); it != statements.end(); ++it) {
      if (it->second->busy) continue;
      if (oldest == statements.end() || it->second->used < oldest->second->used) oldest = it;
    }
    if (oldest == statements.end()) return false;
    sqlite3_finalize(oldest->second->statement);
    statements.erase(oldest);
    return true;
  }
};

// --- Statement

Statement::Statement(Statement&& other) noexcept : state_(other.state_) { other.state_ = nullptr; }

Statement::~Statement() {
  if (state_ == nullptr) return;
  if (!state_->cached) {
    sqlite3_finalize(state_->statement);
    delete state_;
    return;
  }
  sqlite3_reset(state_->statement);
  sqlite3_clear_bindings(state_->statement);
  state_->busy = false;
}

Statement& Statement::bind(int index, std::int64_t value) {
  const int code = sqlite3_bind_int64(state_->statement, index, value);
  assert(code == SQLITE_OK);
  (void)code;
  return *this;
}

Statement& Statement::bind(int index, double value) {
  const int code = sqlite3_bind_double(state_->statement, index, value);
  assert(code == SQLITE_OK);
  (void)code;
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  const int code =
      sqlite3_bind_text64(state_->statement, index, text.data() == nullptr ? "" : text.data(),
                          text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);  // NOLINT
  if (code != SQLITE_OK) fail(state_->handle, code, "cannot bind a text");
  return *this;
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  const int code = sqlite3_bind_blob64(state_->statement, index,
                                       bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                                       SQLITE_TRANSIENT);  // NOLINT
  if (code != SQLITE_OK) fail(state_->handle, code, "cannot bind bytes");
  return *this;
}

Statement& Statement::bind_null(int index) {
  const int code = sqlite3_bind_null(state_->statement, index);
  assert(code == SQLITE_OK);
  (void)code;
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(state_->statement);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  fail(state_->handle, code, "the store refused a statement");
}

void Statement::reset() { sqlite3_reset(state_->statement); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(state_->statement, column) == SQLITE_NULL;
}
std::int64_t Statement::int64(int column) const {
  return sqlite3_column_int64(state_->statement, column);
}
double Statement::real(int column) const {
  return sqlite3_column_double(state_->statement, column);
}

std::string_view Statement::text_view(int column) const {
  const auto* const text = sqlite3_column_text(state_->statement, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(
              text),  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast): SQLite's unsigned char
          static_cast<std::size_t>(sqlite3_column_bytes(state_->statement, column))};
}

std::string_view Statement::blob_view(int column) const {
  const void* const bytes = sqlite3_column_blob(state_->statement, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(state_->statement, column))};
}

std::string Statement::text(int column) const { return std::string(text_view(column)); }

std::optional<std::string> Statement::maybe_text(int column) const {
  if (is_null(column)) return std::nullopt;
  return text(column);
}

std::optional<std::int64_t> Statement::maybe_int64(int column) const {
  if (is_null(column)) return std::nullopt;
  return int64(column);
}

// --- Session

Statement Session::prepare(std::string_view sql) {
  State& state = *state_;
  const auto [first, last] = state.statements.equal_range(sql);
  std::size_t copies = 0;
  for (auto it = first; it != last; ++it, ++copies) {
    Statement::State& idle = *it->second;
    if (idle.busy) continue;
    idle.busy = true;
    idle.used = ++state.uses;
    return Statement(&idle);
  }
  const bool keeps = sql.size() <= kStatementBytesMax && copies < kStatementCopiesMax &&
                     (state.statements.size() < kStatementsMax || state.forget_oldest());
  const std::string text(sql);
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(state.handle, text.c_str(), static_cast<int>(text.size()) + 1,
                                      keeps ? SQLITE_PREPARE_PERSISTENT : 0, &statement, nullptr);
  if (code != SQLITE_OK)
    fail(state.handle, code, "the store cannot read `" + text.substr(0, 200) + "`");
  auto made = std::make_unique<Statement::State>(
      Statement::State{state.handle, statement, keeps, true, ++state.uses});
  if (!keeps) return Statement(made.release());
  Statement::State* const kept = made.get();
  state.statements.emplace(text, std::move(made));
  return Statement(kept);
}

std::int64_t Session::changes() const { return sqlite3_changes64(state_->handle); }
std::int64_t Session::last_insert_id() const { return sqlite3_last_insert_rowid(state_->handle); }
std::size_t Session::prepared(std::string_view sql) const {
  const auto [first, last] = state_->statements.equal_range(sql);
  return static_cast<std::size_t>(std::distance(first, last));
}

void Transaction::after_commit(std::function<void()> action) {
  state_->after_commit.push_back(std::move(action));
}

// --- Database

namespace {

void run(sqlite3* handle, const char* sql) {
  const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK)
    fail(handle, code, "the store refused `" + std::string(sql).substr(0, 200) + "`");
}

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

int stored_version(sqlite3* handle) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, nullptr) != SQLITE_OK) {
    fail(handle, sqlite3_errcode(handle), "cannot read the store's version");
  }
  const int code = sqlite3_step(statement);
  const int version = code == SQLITE_ROW ? sqlite3_column_int(statement, 0) : 0;
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) fail(handle, code, "cannot read the store's version");
  return version;
}

// Says while a step of the schema runs how long it has: one over a large store takes minutes.
class MigrationProgress {
 public:
  MigrationProgress(sqlite3* handle, const Migration& step)
      : handle_(handle), step_(step), began_(std::chrono::steady_clock::now()), said_(began_) {
    log::info("the store is converted to a newer schema", {{"step", std::string(step.name)}});
    sqlite3_progress_handler(handle, kStepsBetweenLooks, &look, this);
  }
  MigrationProgress(const MigrationProgress&) = delete;
  ~MigrationProgress() { sqlite3_progress_handler(handle_, 0, nullptr, nullptr); }
  void done() const {
    log::info("that step is done", {{"step", std::string(step_.name)}, {"seconds", seconds()}});
  }

 private:
  static constexpr int kStepsBetweenLooks = 1'000'000;  // some tens of milliseconds
  static constexpr std::chrono::seconds kBetween{5};

  static int look(void* self) {
    auto& progress = *static_cast<MigrationProgress*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (now - progress.said_ >= kBetween) {
      progress.said_ = now;
      log::info("the store is still being converted",
                {{"step", std::string(progress.step_.name)}, {"seconds", progress.seconds()}});
    }
    return 0;
  }
  std::string seconds() const {
    const auto passed = std::chrono::steady_clock::now() - began_;
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(passed).count());
  }

  sqlite3* handle_;
  const Migration& step_;
  std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point said_;
};

void migrate(sqlite3* handle, const std::string& path) {
  const std::vector<Migration> steps = migrations();
  const int newest = steps.empty() ? 0 : steps.back().number;
  const int stored = stored_version(handle);
  if (stored > newest) {
    throw Error(Code::kFailedPrecondition,
                "the store `" + path + "` has schema version " + std::to_string(stored) +
                    ", this program knows versions up to " + std::to_string(newest),
                "use the newer program that wrote it; nothing was changed");
  }
  for (const Migration& step : steps) {
    if (step.number <= stored) continue;
    std::optional<MigrationProgress> progress;
    if (stored > 0) progress.emplace(handle, step);
    run(handle, "BEGIN IMMEDIATE");
    try {
      run(handle, std::string(step.sql).c_str());
      run(handle, ("PRAGMA user_version = " + std::to_string(step.number)).c_str());
      run(handle, "COMMIT");
      if (progress) progress->done();
    } catch (const Error&) {
      sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  }
}

}  // namespace

struct Database::State {
  struct Queued {
    Write write;
    Done done;
  };

  explicit State(const Options& chosen) : options(chosen) {}

  Options options;        // constant after construction
  Session::State writer;  // the writer thread's alone, once it runs

  std::mutex queue_mutex;
  std::condition_variable queue_changed;
  std::deque<Queued> queue;  // guarded by queue_mutex
  bool stopping = false;     // guarded by queue_mutex

  std::mutex readers_mutex;
  std::condition_variable reader_freed;
  std::vector<std::unique_ptr<Session::State>> readers_free;  // guarded by readers_mutex
  int readers_made = 0;                                       // guarded by readers_mutex
  std::mutex memory_mutex;  // ":memory:": reads and commit groups take turns on the one connection

  // Constant after construction; null for ":memory:".
  std::unique_ptr<Checkpointer> checkpointer;
  int log_frames = 0;  // the writer thread's: length of the write-ahead log after the last commit

  std::thread thread;

  bool in_memory() const { return options.path == ":memory:"; }

  void write_loop();
  void run_group(std::vector<Queued>& group);
  std::exception_ptr run_one(Transaction& transaction, const Write& write, bool alone);
};

// One write, inside a savepoint unless nothing else is in the transaction. Returns its Error, if it
// threw one.
std::exception_ptr Database::State::run_one(Transaction& transaction, const Write& write,
                                            bool alone) {
  const std::size_t actions_before = writer.after_commit.size();
  if (!alone) transaction.execute("SAVEPOINT one_write");
  try {
    write(transaction);
    if (!alone) transaction.execute("RELEASE one_write");
    return nullptr;
  } catch (const std::exception&) {
    std::exception_ptr fault = std::current_exception();
    writer.after_commit.resize(actions_before);
    if (!alone) {
      sqlite3_exec(writer.handle, "ROLLBACK TO one_write; RELEASE one_write", nullptr, nullptr,
                   nullptr);
    }
    return fault;
  }
}

void Database::State::run_group(std::vector<Queued>& group) {
  std::vector<std::exception_ptr> faults(group.size());
  std::exception_ptr group_fault;
  {
    std::unique_lock<std::mutex> turn(memory_mutex, std::defer_lock);
    if (in_memory()) turn.lock();
    Transaction transaction(&writer);
    const bool alone = group.size() == 1;
    try {
      if (checkpointer) checkpointer->check_disk();
      transaction.execute("BEGIN IMMEDIATE");
      for (std::size_t i = 0; i < group.size(); ++i) {
        faults[i] = run_one(transaction, group[i].write, alone);
        // A full disk rolls the whole transaction back inside SQLite: what came before is gone too,
        // so the group ends here.
        if (sqlite3_get_autocommit(writer.handle) != 0) {
          group_fault = faults[i];
          break;
        }
      }
      if (alone && faults.front()) group_fault = faults.front();
      if (!group_fault) transaction.execute("COMMIT");
    } catch (const std::exception&) {
      group_fault = std::current_exception();
    }
    if (group_fault && sqlite3_get_autocommit(writer.handle) == 0) {
      sqlite3_exec(writer.handle, "ROLLBACK", nullptr, nullptr, nullptr);
    }
  }
  std::vector<std::function<void()>> actions;
  actions.swap(writer.after_commit);
  if (!group_fault) {
    for (const auto& action : actions) action();
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    const std::exception_ptr fault = group_fault && !faults[i] ? group_fault : faults[i];
    if (group[i].done) group[i].done(fault);
  }
  if (!group_fault && checkpointer && checkpointer->committed(log_frames))
    checkpointer->copy_rest(writer.handle);
}

void Database::State::write_loop() {
  std::vector<Queued> group;
  for (;;) {
    group.clear();
    {
      std::unique_lock<std::mutex> lock(queue_mutex);
      queue_changed.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      while (!queue.empty() && group.size() < kGroupWritesMax) {
        group.push_back(std::move(queue.front()));
        queue.pop_front();
      }
    }
    run_group(group);
  }
}

Database::Database(const Options& options) : state_(std::make_unique<State>(options)) {
  State& state = *state_;
  // Nobody asks for the sums of memory that SQLite would keep under one lock for all threads. Only
  // the first store of a process can say so.
  static const int no_sums = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)no_sums;
  state.writer.handle = open_handle(options.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  sqlite3* const handle = state.writer.handle;
  if (stored_version(handle) == 0) run(handle, "PRAGMA auto_vacuum = INCREMENTAL");
  if (!state.in_memory()) run(handle, "PRAGMA journal_mode = WAL");
  run(handle, options.durability == Durability::kPower ? "PRAGMA synchronous = FULL"
                                                       : "PRAGMA synchronous = NORMAL");
  run(handle, "PRAGMA foreign_keys = ON");
  run(handle, "PRAGMA case_sensitive_like = ON");
  run(handle, "PRAGMA cache_size = -16000");
  migrate(handle, options.path);
  // Not before: a migration sorts whole tables, which must not stand in memory.
  run(handle, "PRAGMA temp_store = MEMORY");
  if (!state.in_memory()) {
    // Takes the place of SQLite's own hook, which copies the log within a commit.
    sqlite3_wal_hook(
        handle,
        [](void* frames, sqlite3*, const char*, int log_frames) {
          *static_cast<int*>(frames) = log_frames;
          return SQLITE_OK;
        },
        &state.log_frames);
    // A log that a long read has kept growing gives its room back when it begins anew.
    run(handle, ("PRAGMA journal_size_limit = " +
                 std::to_string(Checkpointer::kLogFramesFar * Checkpointer::kFrameBytes))
                    .c_str());
    state.checkpointer = std::make_unique<Checkpointer>(options.path);
  }
  state.thread = std::thread([this] { state_->write_loop(); });
}

Database::~Database() {
  {
    const std::lock_guard lock(state_->queue_mutex);
    state_->stopping = true;
  }
  state_->queue_changed.notify_all();
  state_->thread.join();
  // The last connection that closes would copy the log, and then remove it.
  if (!is_healthy())
    sqlite3_db_config(state_->writer.handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  state_->checkpointer.reset();
}

void Database::write_async(Write write, Done done) {
  {
    const std::lock_guard lock(state_->queue_mutex);
    if (static_cast<std::int64_t>(state_->queue.size()) >= state_->options.queue_max) {
      throw Error(Code::kUnavailable,
                  "more than " + std::to_string(state_->options.queue_max) +
                      " writes are waiting for the store; try again in a moment");
    }
    state_->queue.push_back({std::move(write), std::move(done)});
  }
  state_->queue_changed.notify_one();
}

void Database::write(const Write& write) {
  assert(std::this_thread::get_id() != state_->thread.get_id());
  std::mutex mutex;
  std::condition_variable finished;
  bool done = false;
  std::exception_ptr fault;
  write_async(write, [&](std::exception_ptr outcome) {
    const std::lock_guard lock(mutex);
    fault = std::move(outcome);
    done = true;
    finished.notify_one();
  });
  std::unique_lock<std::mutex> lock(mutex);
  finished.wait(lock, [&] { return done; });
  if (fault) std::rethrow_exception(fault);
}

void Database::read(const std::function<void(Session&)>& work) {
  State& state = *state_;
  if (state.in_memory()) {
    const std::lock_guard turn(state.memory_mutex);
    Session session(&state.writer);
    work(session);
    return;
  }
  std::unique_ptr<Session::State> reader;
  {
    std::unique_lock<std::mutex> lock(state.readers_mutex);
    state.reader_freed.wait(lock, [&] {
      return !state.readers_free.empty() || state.readers_made < state.options.readers_max;
    });
    if (!state.readers_free.empty()) {
      reader = std::move(state.readers_free.back());
      state.readers_free.pop_back();
    } else {
      ++state.readers_made;
    }
  }
  // The connection goes back to the pool however the work ends.
  struct GiveBack {
    State& state;
    std::unique_ptr<Session::State>& reader;
    ~GiveBack() {
      {
        const std::lock_guard lock(state.readers_mutex);
        if (reader)
          state.readers_free.push_back(std::move(reader));
        else
          --state.readers_made;
      }
      state.reader_freed.notify_one();
    }
  } give_back{state, reader};
  if (!reader) {
    auto made = std::make_unique<Session::State>();
    made->handle = open_handle(state.options.path, SQLITE_OPEN_READONLY);
    run(made->handle, "PRAGMA temp_store = MEMORY");
    run(made->handle, "PRAGMA case_sensitive_like = ON");
    run(made->handle, "PRAGMA mmap_size = 268435456");
    reader = std::move(made);
  }
  run(reader->handle, "BEGIN");
  struct EndRead {
    sqlite3* handle;
    ~EndRead() { sqlite3_exec(handle, "ROLLBACK", nullptr, nullptr, nullptr); }
  } end_read{reader->handle};
  Session session(reader.get());
  work(session);
}

bool Database::is_healthy() const {
  return !state_->checkpointer || !state_->checkpointer->sync_failed();
}

std::int64_t Database::writes_waiting() const {
  const std::lock_guard lock(state_->queue_mutex);
  return static_cast<std::int64_t>(state_->queue.size());
}

}  // namespace slipway::storage
