// SPDX-License-Identifier: Apache-2.0
#include "data/workspace.h"

#include <algorithm>
#include <set>
#include <sys/stat.h>

#include "base/error.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

fs::path require_repository(const fs::path& start) {
  if (const std::optional<fs::path> root = find_repository(start)) return *root;
  throw Error(Code::kNotFound,
              "you are not inside of a DVC repository (checked up to mount point '/')",
              "slipway init");
}

Config config_with_cache(const fs::path& root, const fs::path& cache_dir) {
  Config config = load_config(root / ".dvc");
  if (!cache_dir.empty()) config.cache_dir = cache_dir;
  return config;
}

// relpath → md5, where "" stands for a file that is no directory.
std::map<std::string, std::string> files_of(const Snapshot& snapshot) {
  std::map<std::string, std::string> files;
  if (!is_dir_hash(snapshot.hash)) return {{"", snapshot.hash}};
  for (const TreeEntry& entry : snapshot.tree) files[entry.relpath] = entry.md5;
  return files;
}

fs::path below(const fs::path& path, const std::string& relpath) {
  return relpath.empty() ? path : path / relpath;
}

void set_exec(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) ::chmod(path.c_str(), (status.st_mode & 07777U) | 0100U);
}

}  // namespace

std::optional<fs::path> find_repository(const fs::path& start) {
  for (fs::path folder = start.lexically_normal(); !folder.empty(); folder = folder.parent_path()) {
    std::error_code fault;
    if (fs::is_directory(folder / ".dvc", fault)) return folder;
    if (folder == folder.root_path()) break;
  }
  return std::nullopt;
}

Workspace::Workspace(const fs::path& start, ProcessRunner& processes, const fs::path& cache_dir)
    : root_(require_repository(start)),
      config_(config_with_cache(root_, cache_dir)),
      cache_(config_),
      ignore_(root_),
      stats_(tmp_dir() / "slipway" / "stat-cache"),
      processes_(processes) {}

Workspace::~Workspace() { stats_.save(); }

std::optional<Snapshot> Workspace::snapshot(const fs::path& path, HashKind kind) {
  return take_snapshot(path, root_, ignore_, stats_, kind);
}

void Workspace::commit(const fs::path& path, const Snapshot& snapshot, HashKind kind) {
  for (const auto& [relpath, md5] : files_of(snapshot))
    cache_.add_file(below(path, relpath), md5, kind);
  // The directory's object last: where it is, its files are.
  if (is_dir_hash(snapshot.hash)) cache_.add_bytes(tree_bytes(snapshot.tree), snapshot.hash, kind);
  for (const auto& [relpath, md5] : files_of(snapshot)) relink(below(path, relpath), md5, kind);
  if (is_dir_hash(snapshot.hash)) return;
  // A single file gets the mode that a checkout would give it; DVC replaces it by a fresh copy,
  // with the same end.
  struct stat link {};
  if (::lstat(path.c_str(), &link) == 0 && S_ISREG(link.st_mode) && link.st_nlink == 1)
    unprotect(path);
  if (snapshot.is_exec) set_exec(path);
}

void Workspace::relink(const fs::path& path, const std::string& hash, HashKind kind) {
  if (cache_.is_linked_as_configured(hash, path, kind)) return;
  std::error_code fault;
  fs::remove(path, fault);
  cache_.place(hash, path, kind);
}

std::vector<fs::path> Workspace::unsaved_files(const fs::path& path, const std::string& hash,
                                               HashKind kind) {
  const std::optional<Snapshot> present = snapshot(path, kind);
  if (!present || present->hash == hash) return {};
  const std::map<std::string, std::string> target = wanted_files(hash, kind);
  std::vector<fs::path> unsaved;
  for (const auto& [relpath, md5] : files_of(*present)) {
    const auto keep = target.find(relpath);
    if (keep != target.end() && keep->second == md5) continue;
    if (!cache_.contains(md5, kind)) unsaved.push_back(below(path, relpath));
  }
  return unsaved;
}

std::map<std::string, std::string> Workspace::wanted_files(const std::string& hash,
                                                           HashKind kind) const {
  Snapshot wanted;
  wanted.hash = hash;
  if (is_dir_hash(hash)) wanted.tree = cache_.read_tree(hash, kind).value_or(Tree{});
  return files_of(wanted);
}

Workspace::Change Workspace::checkout(const fs::path& path, const std::string& hash, bool is_exec,
                                      bool force, HashKind kind) {
  const std::optional<Snapshot> present = snapshot(path, kind);
  if (present && present->hash == hash) return Change::kNone;
  if (!cache_.contains_all(hash, kind)) {
    throw Error(Code::kNotFound, "`" + path.string() + "` is not in the cache (" + hash + ")");
  }
  if (!force) {
    std::string unsaved;
    for (const fs::path& file : unsaved_files(path, hash, kind)) unsaved += "\n" + file.string();
    if (!unsaved.empty()) {
      throw Error(
          Code::kFailedPrecondition,
          "Can't remove the following unsaved files without confirmation. Use `--force` to force." +
              unsaved);
    }
  }
  const std::map<std::string, std::string> now =
      present ? files_of(*present) : std::map<std::string, std::string>{};
  const std::map<std::string, std::string> target = wanted_files(hash, kind);
  const bool kind_differs = present && is_dir_hash(present->hash) != is_dir_hash(hash);
  if (kind_differs) remove(path);
  const auto has = [](const std::map<std::string, std::string>& files,
                      const std::pair<const std::string, std::string>& file) {
    const auto found = files.find(file.first);
    return found != files.end() && found->second == file.second;
  };
  for (const auto& file : now) {
    if (!kind_differs && !has(target, file)) remove(below(path, file.first));
  }
  if (is_dir_hash(hash)) fs::create_directories(path);
  for (const auto& file : target) {
    if (kind_differs || !has(now, file)) cache_.place(file.second, below(path, file.first), kind);
  }
  if (is_exec && !is_dir_hash(hash)) set_exec(path);
  return present ? Change::kModified : Change::kAdded;
}

void Workspace::remove(const fs::path& path) {
  std::error_code fault;
  fs::remove_all(path, fault);
  if (fault && fault != std::errc::no_such_file_or_directory) {
    throw errno_error(fault.value(), "cannot remove `" + path.string() + "`");
  }
}

}  // namespace slipway::data
