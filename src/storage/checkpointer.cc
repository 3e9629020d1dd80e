// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpointer.h"

#include <sqlite3.h>
#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace slipway::storage {
namespace {

// What passes may leave to the writer: as much as came in while the last one was at work. And how
// much longer the log is before it is asked again, where a reader kept it from copying.
constexpr int kRestFrames = Checkpointer::kEveryFrames;
constexpr int kAskAgainFrames = Checkpointer::kEveryFrames;
constexpr std::chrono::minutes kSayAgain{1};

// The file itself. A pass that commits have overtaken leaves its pages to the system; the one that
// reaches the end of the log must then not wait for all of them.
int sync_database_file(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return code;
  if (file == nullptr || file->pMethods == nullptr) return SQLITE_OK;
  return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

}  // namespace

Checkpointer::Checkpointer(const std::string& path) : handle_(nullptr) {
  const int code =
      sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw Error(Code::kInternal,
                "cannot open the store `" + path + "` a second time: " + sqlite3_errstr(code));
  }
  sqlite3_wal_autocheckpoint(handle_, 0);
  // A connection that has read nothing yet does not know that there is a log, and copies none of
  // it.
  sqlite3_exec(handle_, "SELECT 1 FROM sqlite_schema LIMIT 1", nullptr, nullptr, nullptr);
  thread_ = std::thread([this] { loop(); });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  if (sync_failed_) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_close_v2(handle_);
}

bool Checkpointer::committed(int log_frames) {
  const std::lock_guard lock(mutex_);
  if (log_frames < log_frames_) {  // it began anew
    copied_frames_ = passed_frames_ = asked_frames_ = 0;
    progress_ = true;
  }
  log_frames_ = log_frames;
  const bool asked_lately = asked_frames_ > 0 && log_frames_ - asked_frames_ < kAskAgainFrames;
  if (is_writers_turn() && !asked_lately) {
    asked_frames_ = log_frames_;
    return true;
  }
  if (due()) changed_.notify_one();
  return false;
}

bool Checkpointer::is_writers_turn() const {
  if (sync_failed_ || log_frames_ < kLogFramesMax) return false;
  return log_frames_ - copied_frames_ <= kRestFrames || log_frames_ >= kLogFramesFar;
}

// A pass for every so many frames; and when the log is long, passes until only few are left, as
// long as they get on.
bool Checkpointer::due() const {
  if (sync_failed_ || is_writers_turn()) return false;
  if (log_frames_ - passed_frames_ >= kEveryFrames) return true;
  return log_frames_ >= kLogFramesMax && progress_ && log_frames_ != passed_frames_;
}

void Checkpointer::copy_rest(sqlite3* handle) {
  const auto copy = [handle] {
    return sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  };
  if (sync_failed_) return;
  if (const int code = copy(); (code & 0xff) != SQLITE_BUSY) {
    if (code != SQLITE_OK) note_failure(handle, code);
    return;
  }
  {
    std::unique_lock<std::mutex> lock(mutex_);
    asked_frames_ = 0;
    if (log_frames_ < kLogFramesFar) return;
    pass_ended_.wait(lock, [this] { return !passing_; });
  }
  if (sync_failed_) return;
  if (const int code = copy(); code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
    note_failure(handle, code);
}

void Checkpointer::note_failure(sqlite3* handle, int code) {
  const int exact = sqlite3_extended_errcode(handle);
  if (exact == SQLITE_IOERR_FSYNC || exact == SQLITE_IOERR_DIR_FSYNC) {
    note_failed_sync(exact);
    return;
  }
  const std::string error = sqlite3_errmsg(handle);
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (now < say_again_) return;
  say_again_ = now + kSayAgain;
  log::error("the log of the store cannot be copied into its file; it grows until it can",
             {{"error", error},
              {"code", std::to_string(code)},
              {"system", std::to_string(sqlite3_system_errno(handle))}});
}

void Checkpointer::note_failed_sync(int code) {
  if (sync_failed_.exchange(true)) return;
  log::error("the disk failed to sync the store: nothing more is written until a new start",
             {{"error", sqlite3_errstr(code)}, {"code", std::to_string(code)}});
}

void Checkpointer::check_disk() const {
  if (!sync_failed_) return;
  throw Error(Code::kUnavailable,
              "the disk failed to keep what the store wrote; nothing more is written until the "
              "server is started anew",
              "the server's log names the fault; what was acknowledged is in the write-ahead log");
}

std::int64_t Checkpointer::passes() const {
  const std::lock_guard lock(mutex_);
  return passes_;
}

void Checkpointer::pass(int seen_frames) {
  int log_frames = 0;
  int copied_frames = 0;
  const int code = sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                             &log_frames, &copied_frames);
  if (code == SQLITE_OK) {
    if (const int synced = sync_database_file(handle_); synced != SQLITE_OK)
      note_failed_sync(synced);
  } else if ((code & 0xff) != SQLITE_BUSY) {
    note_failure(handle_, code);
  }
  const std::lock_guard lock(mutex_);
  ++passes_;
  // Not where the log began anew meanwhile: these frames are those of the old one.
  if (log_frames_ < seen_frames) return;
  passed_frames_ = seen_frames;
  progress_ = code == SQLITE_OK && copied_frames > copied_frames_;
  if (progress_) copied_frames_ = copied_frames;
}

void Checkpointer::loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || due(); });
    if (stopping_) return;
    const int seen_frames = log_frames_;
    passing_ = true;
    lock.unlock();
    pass(seen_frames);
    lock.lock();
    passing_ = false;
    pass_ended_.notify_one();
  }
}

}  // namespace slipway::storage
