// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "data/config.h"
#include "data/ignore.h"
#include "data/object_cache.h"
#include "data/snapshot.h"
#include "data/stat_cache.h"

namespace slipway::data {

// A DVC repository on disk: where it is, how it is configured, its cache, and what is known of its
// files. One per command; not thread-safe. Changes are made under RepositoryLock.
class Workspace {
 public:
  // The repository that `start` (absolute) is in: the nearest folder upwards with a `.dvc` folder.
  // Throws kNotFound, in DVC's words, when there is none. `cache_dir`, when not empty, replaces the
  // configured cache.
  Workspace(const std::filesystem::path& start, ProcessRunner& processes,
            const std::filesystem::path& cache_dir = {});
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace();  // saves the stat cache

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path dvc_dir() const { return root_ / ".dvc"; }
  std::filesystem::path tmp_dir() const { return dvc_dir() / "tmp"; }
  const Config& config() const { return config_; }
  const ObjectCache& cache() const { return cache_; }
  Ignore& ignore() { return ignore_; }
  ProcessRunner& processes() { return processes_; }

  // What is at `path` (absolute) now; see take_snapshot.
  std::optional<Snapshot> snapshot(const std::filesystem::path& path,
                                   HashKind kind = HashKind::kMd5);

  // Forgets nothing but writes what was learnt.
  void save_stats() { stats_.save(); }

  // Copies what is there into the cache, and links the workspace to it as cache.type asks.
  // REQUIRES: `snapshot` is of `path`.
  void commit(const std::filesystem::path& path, const Snapshot& snapshot,
              HashKind kind = HashKind::kMd5);

  enum class Change { kNone, kAdded, kModified };

  // Makes `path` equal to the object: files that differ are replaced, others removed, missing ones
  // placed. Content of the workspace that is not in the cache is never lost: unless `force`, throws
  // kFailedPrecondition naming such files and changes nothing. kNotFound when an object is missing
  // from the cache.
  Change checkout(const std::filesystem::path& path, const std::string& hash, bool is_exec,
                  bool force, HashKind kind = HashKind::kMd5);

  // Files at `path` that a checkout of `hash` would replace or remove and that the cache does not
  // have.
  std::vector<std::filesystem::path> unsaved_files(const std::filesystem::path& path,
                                                   const std::string& hash,
                                                   HashKind kind = HashKind::kMd5);

  // Removes a file or a directory with everything in it; nothing there is fine.
  static void remove(const std::filesystem::path& path);

 private:
  std::map<std::string, std::string> wanted_files(const std::string& hash, HashKind kind) const;
  void relink(const std::filesystem::path& path, const std::string& hash, HashKind kind);

  std::filesystem::path root_;
  Config config_;
  ObjectCache cache_;
  Ignore ignore_;
  StatCache stats_;
  ProcessRunner& processes_;
};

// The repository's root for `start`; nullopt when there is none upwards.
std::optional<std::filesystem::path> find_repository(const std::filesystem::path& start);

}  // namespace slipway::data
