// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unordered_map>

#include "data/md5.h"

namespace slipway::data {

// Hashes of files as they were, by what stat(2) says of them: a file whose size, times, inode and
// device are unchanged is not read again. Kept in one file, `.dvc/tmp/slipway/stat-cache`; losing
// or damaging it costs time, never truth.
//
// Racy rule: a file that was written at or after the moment at which it was hashed (to
// kTimeGranularityNs) may change again without its times showing it, so its record is not believed,
// as in git's index. Not thread-safe.
class StatCache {
 public:
  static constexpr std::int64_t kTimeGranularityNs =
      20'000'000;  // two ticks of the slowest kernel clock in use
  static constexpr std::size_t kRecordsMax = 20'000'000;  // beyond, the cache starts anew

  // Reads the file if it is there and whole.
  explicit StatCache(std::filesystem::path file);

  // The hash of the file that stat(2) describes so, if it is known and believed.
  std::optional<std::string> find(const std::string& path, const struct stat& status,
                                  HashKind kind) const;

  // `hashed_at_ns`: wall clock before its bytes were read.
  void remember(const std::string& path, const struct stat& status, HashKind kind,
                const std::string& md5, std::int64_t hashed_at_ns);

  // Writes what is new, atomically. A failure to write is not an error: the next run hashes again.
  void save();

 private:
  struct Record {
    std::int64_t size = 0;
    std::int64_t mtime_ns = 0;
    std::int64_t ctime_ns = 0;
    std::uint64_t inode = 0;
    std::uint64_t device = 0;
    std::int64_t hashed_at_ns = 0;
    HashKind kind = HashKind::kMd5;
    std::string md5;
  };
  static Record describe(const struct stat& status, HashKind kind);
  void load();

  std::filesystem::path file_;
  std::unordered_map<std::string, Record> records_;
  bool changed_ = false;
};

// Wall clock in nanoseconds, as the kernel stamps files (its coarse clock).
std::int64_t file_clock_ns();

}  // namespace slipway::data
