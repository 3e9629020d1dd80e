// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/config.h"
#include "data/md5.h"
#include "data/tree.h"

namespace slipway::data {

// DVC's local cache of contents by hash: <cache>/files/md5/<2>/<30>[.dir], and <cache>/<2>/<30> for
// DVC 2's hashes. Objects are complete or absent (temporary name, then rename), mode 0444. Trust
// rule, as DVC's: an object of exactly that mode is believed; of any other mode it is hashed first,
// and removed when it is not what its name says. Not thread-safe; processes may share one cache.
class ObjectCache {
 public:
  explicit ObjectCache(const Config& config);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path path_of(std::string_view hash, HashKind kind = HashKind::kMd5) const;

  // The object is there and believed. May remove a damaged one.
  bool contains(std::string_view hash, HashKind kind = HashKind::kMd5) const;

  // The directory's object and every file of it.
  bool contains_all(std::string_view hash, HashKind kind = HashKind::kMd5) const;

  // Copies a file in under its hash (by reflink where the file system can). Nothing happens when it
  // is there already.
  void add_file(const std::filesystem::path& source, std::string_view hash,
                HashKind kind = HashKind::kMd5) const;
  void add_bytes(std::string_view bytes, std::string_view hash,
                 HashKind kind = HashKind::kMd5) const;

  // The files of a directory object; nullopt when it is not there. kDataLoss when it is damaged.
  std::optional<Tree> read_tree(std::string_view dir_hash, HashKind kind = HashKind::kMd5) const;

  // Puts the object at `target`, which must not exist (its folder is made), by the first link type
  // that works here. Throws kNotFound "… is not in the cache" when the object is missing,
  // kFailedPrecondition when no link type works.
  void place(std::string_view hash, const std::filesystem::path& target,
             HashKind kind = HashKind::kMd5) const;

  // Whether the workspace file is already linked as the first working type would link it; otherwise
  // it has to be replaced by place().
  bool is_linked_as_configured(std::string_view hash, const std::filesystem::path& target,
                               HashKind kind = HashKind::kMd5) const;

 private:
  void make_folder(const std::filesystem::path& folder) const;
  void finish(const std::filesystem::path& temporary, const std::filesystem::path& target) const;

  std::filesystem::path root_;
  std::vector<LinkType> link_types_;
  bool shared_group_;
};

// Copies bytes and nothing else, by reflink where possible. The target must not exist; it gets 0666
// less the umask.
void copy_content(const std::filesystem::path& source, const std::filesystem::path& target);

// Makes a workspace file the user's own: replaces a link to the cache by a copy, and gives it 0666
// less the umask. Folders recursively.
void unprotect(const std::filesystem::path& path);

}  // namespace slipway::data
