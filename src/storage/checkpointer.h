// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

struct sqlite3;

namespace slipway::storage {

// Copies what is committed from the write-ahead log into the database file, on a thread and a
// connection of its own: that takes two syncs of the disk, and a writer that did it would keep all
// who wait for it waiting (SQLite does it in the commit that makes the log long).
//
// The log can only begin anew when all of it has been copied, and while writes go on there is
// always some that has not. So when it is long, and all but the newest frames are copied and
// synced, the writer is asked to copy these few itself.
//
// A failure (a full disk) is logged, and tried again with the next commits: the log keeps
// everything until then. After a sync that failed nothing is tried any more: the system may have
// dropped the pages that it could not write, and a later sync would not tell. Nobody copies then,
// also not the connection that closes last, so that the log keeps everything until the store is
// opened anew, when SQLite copies it from its beginning.
class Checkpointer {
 public:
  // In frames, which are pages of 4 KiB with 24 bytes of head.
  static constexpr int kEveryFrames = 1'000;
  static constexpr int kLogFramesMax = 8'000;              // 32 MiB: then the log should begin anew
  static constexpr int kLogFramesFar = 2 * kLogFramesMax;  // then it must: passes do not keep up

  static constexpr std::int64_t kFrameBytes = 4'096 + 24;

  explicit Checkpointer(const std::string& path);
  ~Checkpointer();  // ends the thread, closes the connection
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  // For the writer, after each commit: how long the log is now. True asks it to call copy_rest()
  // before it goes on.
  bool committed(int log_frames);

  // Copies what has not been copied yet, on the calling thread and its connection. If the thread is
  // at it just now: waits for it when the log is kLogFramesFar long (the disk is slower than the
  // writes), else leaves it to the next commit.
  void copy_rest(sqlite3* handle);

  std::int64_t passes() const;  // so many were made on the thread

  // A sync of the disk failed: what the database file holds is not known.
  bool sync_failed() const { return sync_failed_; }
  void check_disk() const;  // kUnavailable then; for the writer, before it begins

 private:
  // REQUIRES of both: mutex_ is held
  bool is_writers_turn() const;
  bool due() const;
  void loop();
  void pass(int seen_frames);
  void note_failure(sqlite3* handle, int code);
  void note_failed_sync(int code);

  sqlite3* handle_;  // the thread's alone, once it runs
  std::atomic<bool> sync_failed_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable pass_ended_;
  bool passing_ = false;     // guarded by mutex_
  int log_frames_ = 0;       // guarded by mutex_: at the last commit
  int copied_frames_ = 0;    // guarded by mutex_: of them, by the last pass
  int passed_frames_ = 0;    // guarded by mutex_: how long the log was when that began
  bool progress_ = true;     // guarded by mutex_: that pass copied something
  int asked_frames_ = 0;     // guarded by mutex_: how long it was when the writer was asked
  std::int64_t passes_ = 0;  // guarded by mutex_
  bool stopping_ = false;    // guarded by mutex_
  std::chrono::steady_clock::time_point
      say_again_;  // guarded by mutex_: failures before that are quiet
  std::thread thread_;
};

}  // namespace slipway::storage
