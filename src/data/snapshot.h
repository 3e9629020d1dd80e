// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "data/ignore.h"
#include "data/md5.h"
#include "data/stat_cache.h"
#include "data/tree.h"

namespace slipway::data {

// A file or directory as its content is now.
struct Snapshot {
  std::string hash;                    // 32 hex digits, with ".dir" behind them for a directory
  std::int64_t size = 0;               // bytes; of a directory the sum of its files
  std::optional<std::int64_t> nfiles;  // of a directory
  bool is_exec = false;                // of a file: any of its three x bits
  Tree tree;                           // of a directory
};

// Reads what is at `path` (absolute). nullopt when nothing is there. Symbolic links to files are
// read as the file; links to directories inside a directory are left out, as are empty directories
// and what `ignore` says. Throws kInvalidArgument naming the file: a FIFO, socket or device (DVC
// would hang), a link to nowhere, a .dvcignore below a tracked directory.
//   root    of the repository, for `ignore`'s relative paths
//   stats   asked before a file is read and told afterwards
std::optional<Snapshot> take_snapshot(const std::filesystem::path& path,
                                      const std::filesystem::path& root, Ignore& ignore,
                                      StatCache& stats, HashKind kind = HashKind::kMd5);

}  // namespace slipway::data
