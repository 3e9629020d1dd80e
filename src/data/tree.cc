// SPDX-License-Identifier: Apache-2.0
#include "data/tree.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "data/md5.h"
#include "data/python_json.h"
#include "json/value.h"

namespace slipway::data {
namespace {

constexpr std::string_view kDirSuffix = ".dir";

// A file's name may hold any byte but '/' and NUL; parts that lead elsewhere are what must not come
// out of a cache.
bool stays_inside(std::string_view relpath) {
  if (relpath.empty() || relpath.front() == '/' || relpath.find('\0') != std::string_view::npos)
    return false;
  for (std::size_t start = 0; start <= relpath.size();) {
    const std::size_t end = std::min(relpath.find('/', start), relpath.size());
    const std::string_view part = relpath.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") return false;
    start = end + 1;
  }
  return true;
}

}  // namespace

void sort_tree(Tree& tree) {
  std::sort(tree.begin(), tree.end(),
            [](const TreeEntry& a, const TreeEntry& b) { return a.relpath < b.relpath; });
}

std::string tree_bytes(const Tree& tree) {
  std::string out = "[";
  for (const TreeEntry& entry : tree) {
    if (out.size() > 1) out += ", ";
    out += "{\"md5\": \"" + entry.md5 + "\", \"relpath\": ";
    append_python_string(out, entry.relpath);
    out += '}';
  }
  out += ']';
  return out;
}

Tree parse_tree(std::string_view bytes, const std::string& name) {
  const auto fail = [&](const std::string& why) {
    throw Error(Code::kDataLoss, "directory object `" + name + "` is damaged: " + why);
  };
  Tree tree;
  json::Value value;
  try {
    value = json::parse(restore_lone_bytes(bytes));
  } catch (const Error& error) {
    fail(error.what());
  }
  if (!value.is_array()) fail("it is no list");
  for (const json::Value& item : value.as_array()) {
    const json::Value* md5 = item.find("md5");
    const json::Value* relpath = item.find("relpath");
    if (md5 == nullptr || relpath == nullptr || !md5->is_string() || !relpath->is_string())
      fail("an entry lacks md5 or relpath");
    std::string path = undo_lone_bytes(relpath->as_string());
    if (!stays_inside(path)) fail("an entry leads outside: " + path);
    tree.push_back({std::move(path), md5->as_string()});
  }
  sort_tree(tree);
  return tree;
}

std::string tree_hash(const Tree& tree) {
  return md5_hex(tree_bytes(tree)) + std::string(kDirSuffix);
}

bool is_dir_hash(std::string_view hash) { return hash.ends_with(kDirSuffix); }

}  // namespace slipway::data
