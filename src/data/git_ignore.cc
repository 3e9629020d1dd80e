// SPDX-License-Identifier: Apache-2.0
#include "data/git_ignore.h"

#include <algorithm>
#include <vector>

#include "base/file.h"

namespace slipway::data {
namespace {

std::filesystem::path file_for(const std::filesystem::path& path) {
  return path.parent_path() / ".gitignore";
}

// With their line ends.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size() - 1);
    lines.push_back(text.substr(start, end - start + 1));
    start = end + 1;
  }
  return lines;
}

std::string_view stripped(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

std::string git_ignore_entry(std::string_view name) {
  std::string entry = "/";
  for (const char c : name) {
    if (std::string_view("[]!*#?").find(c) != std::string_view::npos) entry += '\\';
    entry += c;
  }
  return entry;
}

bool has_git_ignore(const std::filesystem::path& path) {
  const std::string text = read_file_if_exists(file_for(path)).value_or("");
  const std::string entry = git_ignore_entry(path.filename().string());
  const std::vector<std::string> lines = lines_of(text);
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
    return line == entry + "\n" || line == entry;
  });
}

std::optional<std::filesystem::path> add_git_ignore(const std::filesystem::path& path) {
  if (has_git_ignore(path)) return std::nullopt;
  const std::filesystem::path file = file_for(path);
  std::string text = read_file_if_exists(file).value_or("");
  if (!text.empty() && text.back() != '\n') text += '\n';
  write_file_atomic(file, text + git_ignore_entry(path.filename().string()) + "\n");
  return file;
}

void remove_git_ignore(const std::filesystem::path& path) {
  const std::filesystem::path file = file_for(path);
  const std::optional<std::string> text = read_file_if_exists(file);
  if (!text) return;
  const std::string entry = git_ignore_entry(path.filename().string());
  std::string rest;
  for (const std::string& line : lines_of(*text)) {
    if (stripped(line) != entry) rest += line;
  }
  if (rest.empty()) {
    std::filesystem::remove(file);
  } else if (rest != *text) {
    write_file_atomic(file, rest);
  }
}

}  // namespace slipway::data
