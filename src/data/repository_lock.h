// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"

namespace slipway::data {

// DVC's repository lock: flock on .dvc/tmp/lock, so that `dvc` and Slipway never change a
// repository at once. Taken for every change, given up while a stage's command runs (PathLock holds
// its files then). Not thread-safe.
class RepositoryLock {
 public:
  static constexpr int kAttempts = 7;   // as DVC: six more after the first …
  static constexpr int kPauseMs = 500;  // … half a second apart

  // Takes it. Throws kConflict in DVC's words when somebody else holds it all that time.
  explicit RepositoryLock(const std::filesystem::path& tmp_dir);
  ~RepositoryLock();
  RepositoryLock(const RepositoryLock&) = delete;
  RepositoryLock& operator=(const RepositoryLock&) = delete;

  void unlock();
  void lock();

 private:
  std::filesystem::path file_;
  Fd fd_;
};

// DVC's lock of single files while a command runs: .dvc/tmp/rwlock, a JSON text of who reads and
// writes which absolute paths, guarded by flock on rwlock.lock. Entries of processes that are gone
// are removed. A path conflicts with itself, folders above and files below.
class PathLock {
 public:
  // Throws kConflict naming the process when a path to be written is in use, or one to be read is
  // being written.
  PathLock(std::filesystem::path tmp_dir, std::string command_line,
           std::vector<std::filesystem::path> read, std::vector<std::filesystem::path> write);
  ~PathLock();
  PathLock(const PathLock&) = delete;
  PathLock& operator=(const PathLock&) = delete;

 private:
  std::filesystem::path tmp_dir_;
  std::string command_line_;
  std::vector<std::filesystem::path> read_;
  std::vector<std::filesystem::path> write_;
};

}  // namespace slipway::data
