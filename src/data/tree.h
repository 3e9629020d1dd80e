// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

// One regular file of a directory.
struct TreeEntry {
  std::string relpath;  // '/' between parts, as the file system's bytes
  std::string md5;
  bool operator==(const TreeEntry&) const = default;
};

// The files of a tracked directory, sorted by relpath. Its object in the cache is a JSON text whose
// MD5, with ".dir" behind it, is the directory's hash (docs/formats/dvc.md).
using Tree = std::vector<TreeEntry>;

// Sorts by relpath as Python sorts texts: by code points, which is the order of UTF-8's bytes.
void sort_tree(Tree& tree);

// The object's bytes: `[{"md5": "…", "relpath": "…"}, …]`, non-ASCII as \uXXXX, bytes that are not
// UTF-8 as \udcXX. REQUIRES: sorted.
std::string tree_bytes(const Tree& tree);

// The reverse. Throws kDataLoss naming `name` when the text is not such a list, or when a relpath
// would lead outside the directory.
Tree parse_tree(std::string_view bytes, const std::string& name);

// 32 hex digits and ".dir".
std::string tree_hash(const Tree& tree);

bool is_dir_hash(std::string_view hash);

}  // namespace slipway::data
