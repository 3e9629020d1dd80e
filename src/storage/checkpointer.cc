// SPDX-License-Identifier: Apache-2.0
#include "storage/checkpointer.h"

#include <sqlite3.h>
#include <utility>

#include "base/error.h"

namespace slipway::storage {
namespace {

// What passes may leave to the writer: as much as came in while the last one was at work. And how
// much longer the log is before it is asked again, where a reader kept it from copying.
constexpr int kRestFrames = Checkpointer::kEveryFrames;
constexpr int kAskAgainFrames = Checkpointer::kEveryFrames;

// The file itself. A pass that commits have overtaken leaves its pages to the system; the one that
// reaches the end of the log must then not wait for all of them.
void sync_database_file(sqlite3* handle) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK) return;
  if (file == nullptr || file->pMethods == nullptr) return;
  file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
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
  if (log_frames_ < kLogFramesMax) return false;
  return log_frames_ - copied_frames_ <= kRestFrames || log_frames_ >= kLogFramesFar;
}

// A pass for every so many frames; and when the log is long, passes until only few are left, as
// long as they get on.
bool Checkpointer::due() const {
  if (is_writers_turn()) return false;
  if (log_frames_ - passed_frames_ >= kEveryFrames) return true;
  return log_frames_ >= kLogFramesMax && progress_ && log_frames_ != passed_frames_;
}

void Checkpointer::copy_rest(sqlite3* handle) {
  const auto copy = [handle] {
    return sqlite3_wal_checkpoint_v2(handle, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  };
  if ((copy() & 0xff) != SQLITE_BUSY) return;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    asked_frames_ = 0;
    if (log_frames_ < kLogFramesFar) return;
    pass_ended_.wait(lock, [this] { return !passing_; });
  }
  copy();
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
  if (code == SQLITE_OK) sync_database_file(handle_);
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
