// SPDX-License-Identifier: Apache-2.0
#include "data/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <memory>
#include <sys/stat.h>

#include "base/error.h"

namespace slipway::data {
namespace {

struct Found {
  std::string relpath;
  std::string path;
  struct stat status {};
};

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw Error(Code::kInvalidArgument, "cannot track `" + path + "`: " + why);
}

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

class Walk {
 public:
  Walk(const std::filesystem::path& root, Ignore& ignore)
      : root_(root.string() + "/"), ignore_(ignore) {}

  std::vector<Found> files(const std::string& folder) {
    enter(folder, "");
    return std::move(found_);
  }

 private:
  bool ignored(const std::string& path, bool is_folder) {
    return path.starts_with(root_) &&
           ignore_.ignored(std::string_view{path}.substr(root_.size()), is_folder);
  }

  void enter(const std::string& folder, const std::string& prefix) {
    const std::unique_ptr<DIR, DirCloser> dir(::opendir(folder.c_str()));
    if (!dir) throw errno_error(errno, "cannot read folder `" + folder + "`");
    while (const dirent* entry = ::readdir(dir.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const std::string path = folder + "/" + name;
      Found found{prefix + name, path, {}};
      struct stat link {};
      if (::lstat(path.c_str(), &link) != 0) throw errno_error(errno, "cannot read `" + path + "`");
      if (::stat(path.c_str(), &found.status) != 0) {
        if (ignored(path, false)) continue;
        refuse(path, "it is a link to nowhere");
      }
      const bool is_folder = S_ISDIR(found.status.st_mode);
      if (is_folder && S_ISLNK(link.st_mode)) continue;
      if (ignored(path, is_folder)) continue;
      if (is_folder) {
        enter(path, prefix + name + "/");
      } else if (!S_ISREG(found.status.st_mode)) {
        refuse(path, "it is neither a file nor a folder");
      } else if (name == ".dvcignore") {
        refuse(path, "a .dvcignore must not be inside tracked data");
      } else {
        found_.push_back(std::move(found));
      }
    }
  }

  std::string root_;
  Ignore& ignore_;
  std::vector<Found> found_;
};

// Hashes of all, from the stat cache where it knows them.
std::vector<std::string> hashes_of(const std::vector<Found>& files, StatCache& stats,
                                   HashKind kind) {
  std::vector<std::string> hashes(files.size());
  std::vector<std::size_t> unknown;
  std::vector<std::filesystem::path> paths;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (std::optional<std::string> known = stats.find(files[i].path, files[i].status, kind)) {
      hashes[i] = std::move(*known);
    } else {
      unknown.push_back(i);
      paths.emplace_back(files[i].path);
    }
  }
  const std::int64_t hashed_at_ns = file_clock_ns();
  const std::vector<std::string> fresh = md5_files(paths, kind);
  for (std::size_t k = 0; k < unknown.size(); ++k) {
    const Found& file = files[unknown[k]];
    hashes[unknown[k]] = fresh[k];
    stats.remember(file.path, file.status, kind, fresh[k], hashed_at_ns);
  }
  return hashes;
}

}  // namespace

std::optional<Snapshot> take_snapshot(const std::filesystem::path& path,
                                      const std::filesystem::path& root, Ignore& ignore,
                                      StatCache& stats, HashKind kind) {
  Found self{"", path.string(), {}};
  if (::stat(path.c_str(), &self.status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw errno_error(errno, "cannot read `" + path.string() + "`");
  }
  Snapshot snapshot;
  if (S_ISREG(self.status.st_mode)) {
    snapshot.hash = hashes_of({self}, stats, kind).front();
    snapshot.size = self.status.st_size;
    snapshot.is_exec = (self.status.st_mode & 0111U) != 0;
    return snapshot;
  }
  if (!S_ISDIR(self.status.st_mode)) refuse(path.string(), "it is neither a file nor a folder");
  const std::vector<Found> files = Walk(root, ignore).files(path.string());
  const std::vector<std::string> hashes = hashes_of(files, stats, kind);
  for (std::size_t i = 0; i < files.size(); ++i) {
    snapshot.tree.push_back({files[i].relpath, hashes[i]});
    snapshot.size += files[i].status.st_size;
  }
  sort_tree(snapshot.tree);
  snapshot.nfiles = static_cast<std::int64_t>(files.size());
  snapshot.hash = tree_hash(snapshot.tree);
  return snapshot;
}

}  // namespace slipway::data
