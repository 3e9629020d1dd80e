// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

// One line of a .dvcignore, in gitignore's syntax: '*', '?', '[…]', '**', leading or inner '/'
// anchors, trailing '/' means folders alone, leading '!' takes out again, '\' escapes, '#'
// comments.
struct IgnorePattern {
  std::string glob;  // without '!', leading and trailing '/'
  bool negated = false;
  bool folders_only = false;
  bool anchored = false;  // matches the whole path from the file's folder, not only the last part
};

// The patterns of a .dvcignore's text, in order.
std::vector<IgnorePattern> parse_ignore(std::string_view text);

// Whether a path (relative to the pattern's folder, '/' between parts) matches. Pure; each star may
// double the time, so not for patterns of strangers.
bool matches(const IgnorePattern& pattern, std::string_view path, bool is_folder);

// What DVC does not see in a repository: .git, .hg, .dvc, what .dvcignore files say (each for its
// folder and below, the deeper and later winning), and folders that are DVC repositories
// themselves. Reads .dvcignore files when first needed and keeps them. Not thread-safe.
class Ignore {
 public:
  // `file_name` may be ".gitignore", to know what git leaves out without starting it (rules outside
  // the repository are not seen).
  explicit Ignore(std::filesystem::path root, std::string file_name = ".dvcignore")
      : root_(std::move(root)), file_name_(std::move(file_name)) {}

  // `relpath` from the root, '/' between parts; also true when a folder above it is ignored.
  bool ignored(std::string_view relpath, bool is_folder);

 private:
  const std::vector<IgnorePattern>& patterns_of(const std::string& folder);
  bool ignored_here(std::string_view relpath, bool is_folder);

  std::filesystem::path root_;
  std::string file_name_;
  std::map<std::string, std::vector<IgnorePattern>, std::less<>> folders_;
};

}  // namespace slipway::data
