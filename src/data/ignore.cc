// SPDX-License-Identifier: Apache-2.0
#include "data/ignore.h"

#include <algorithm>
#include <optional>

#include "base/file.h"

namespace slipway::data {
namespace {

// Matches one bracket expression at `pattern`; sets `length` to what it takes, 0 when it is no
// expression.
bool match_bracket(std::string_view pattern, char c, std::size_t& length) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  bool matched = false;
  for (bool first = true; at < pattern.size() && (first || pattern[at] != ']'); first = false) {
    char low = pattern[at];
    if (low == '\\' && at + 1 < pattern.size()) low = pattern[++at];
    ++at;
    char high = low;
    if (at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
      high = pattern[at + 1];
      at += 2;
    }
    matched |= c >= low && c <= high;
  }
  length = at < pattern.size() ? at + 1 : 0;
  return matched != negated;
}

bool glob(std::string_view pattern, std::string_view text);

// Behind "**": zero or more whole folders.
bool glob_folders(std::string_view rest, std::string_view text) {
  for (std::size_t at = 0;;) {
    if (glob(rest, text.substr(at))) return true;
    const std::size_t slash = text.find('/', at);
    if (slash == std::string_view::npos) return false;
    at = slash + 1;
  }
}

// Behind "*": zero or more characters, within one name.
bool glob_characters(std::string_view rest, std::string_view text) {
  for (std::size_t at = 0;; ++at) {
    if (glob(rest, text.substr(at))) return true;
    if (at == text.size() || text[at] == '/') return false;
  }
}

// Matches one character with what the pattern begins with, no star. Returns how much of the pattern
// that is, 0 when they do not match.
std::size_t match_one(std::string_view pattern, char c) {
  if (pattern[0] == '?') return c == '/' ? 0 : 1;
  if (pattern[0] == '[') {
    std::size_t length = 0;
    const bool matched = match_bracket(pattern, c, length);
    if (length == 0) return c == '[' ? 1 : 0;
    return matched && c != '/' ? length : 0;
  }
  const std::size_t plain = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
  return pattern[plain] == c ? plain + 1 : 0;
}

bool glob(std::string_view pattern, std::string_view text) {
  while (!pattern.empty()) {
    if (pattern.starts_with("**/")) return glob_folders(pattern.substr(3), text);
    if (pattern == "**") return !text.empty();
    if (pattern[0] == '*') return glob_characters(pattern.substr(1), text);
    if (text.empty()) return false;
    const std::size_t length = match_one(pattern, text[0]);
    if (length == 0) return false;
    pattern.remove_prefix(length);
    text.remove_prefix(1);
  }
  return text.empty();
}

}  // namespace

std::vector<IgnorePattern> parse_ignore(std::string_view text) {
  std::vector<IgnorePattern> patterns;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    if (line[0] == '#') continue;
    IgnorePattern pattern;
    if (line[0] == '!') {
      pattern.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      pattern.folders_only = true;
      line.remove_suffix(1);
    }
    pattern.anchored = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    pattern.glob = line;
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

bool matches(const IgnorePattern& pattern, std::string_view path, bool is_folder) {
  if (pattern.folders_only && !is_folder) return false;
  if (pattern.anchored) return glob(pattern.glob, path);
  const std::size_t slash = path.rfind('/');
  return glob(pattern.glob, slash == std::string_view::npos ? path : path.substr(slash + 1));
}

const std::vector<IgnorePattern>& Ignore::patterns_of(const std::string& folder) {
  const auto found = folders_.find(folder);
  if (found != folders_.end()) return found->second;
  std::vector<IgnorePattern> patterns;
  if (const std::optional<std::string> text = read_file_if_exists(root_ / folder / file_name_))
    patterns = parse_ignore(*text);
  return folders_.emplace(folder, std::move(patterns)).first->second;
}

bool Ignore::ignored_here(std::string_view relpath, bool is_folder) {
  const std::size_t slash = relpath.rfind('/');
  const std::string_view name =
      slash == std::string_view::npos ? relpath : relpath.substr(slash + 1);
  if (name == ".git") return true;
  bool result = is_folder && (name == ".hg" || name == ".dvc");
  if (is_folder) {
    std::error_code fault;
    result |= std::filesystem::is_directory(root_ / relpath / ".dvc", fault);
  }
  for (std::size_t start = 0;;) {
    const std::string folder(relpath.substr(0, start == 0 ? 0 : start - 1));
    const std::string_view inside = relpath.substr(start);
    for (const IgnorePattern& pattern : patterns_of(folder)) {
      if (matches(pattern, inside, is_folder)) result = !pattern.negated;
    }
    const std::size_t next = relpath.find('/', start);
    if (next == std::string_view::npos) return result;
    start = next + 1;
  }
}

bool Ignore::ignored(std::string_view relpath, bool is_folder) {
  for (std::size_t slash = relpath.find('/'); slash != std::string_view::npos;
       slash = relpath.find('/', slash + 1)) {
    if (ignored_here(relpath.substr(0, slash), true)) return true;
  }
  return ignored_here(relpath, is_folder);
}

}  // namespace slipway::data
