// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage.h"

#include <algorithm>

namespace slipway::pipeline {
namespace {

bool is_numeric(const yaml::Node& node) { return node.is_number() || node.is_bool(); }

double number_of(const yaml::Node& node) {
  return node.is_bool() ? (node.as_bool() ? 1.0 : 0.0) : node.as_double();
}

// str.splitlines() ends lines at more than '\n'; of these, those that occur in YAML texts.
bool ends_line(char c) { return c == '\n' || c == '\r' || c == '\v' || c == '\f'; }

}  // namespace

Recorded recorded_of(const data::Snapshot& snapshot) {
  Recorded recorded;
  recorded.hash = snapshot.hash;
  recorded.size = snapshot.size;
  recorded.nfiles = snapshot.nfiles;
  recorded.is_exec = snapshot.is_exec;
  return recorded;
}

std::vector<std::string> command_lines(const yaml::Node& command) {
  std::vector<std::string> lines;
  if (command.is_sequence()) {
    for (const yaml::Node& item : command.items()) lines.push_back(item.as_string());
    return lines;
  }
  const std::string& text = command.as_string();
  for (std::size_t start = 0; start < text.size();) {
    std::size_t end = start;
    while (end < text.size() && !ends_line(text[end])) ++end;
    lines.push_back(text.substr(start, end - start));
    if (end + 1 < text.size() && text[end] == '\r' && text[end + 1] == '\n') ++end;
    start = end + 1;
  }
  return lines;
}

bool python_equal(const yaml::Node& a, const yaml::Node& b) {
  if (is_numeric(a) && is_numeric(b)) {
    if (a.is_int() && b.is_int()) return a == b;
    return number_of(a) == number_of(b);
  }
  if (a.kind() != b.kind()) return false;
  if (a.is_sequence()) {
    return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                      python_equal);
  }
  if (!a.is_mapping()) return a == b;
  if (a.entries().size() != b.entries().size()) return false;
  return std::all_of(a.entries().begin(), a.entries().end(), [&](const yaml::Entry& mine) {
    return std::any_of(b.entries().begin(), b.entries().end(), [&](const yaml::Entry& theirs) {
      return python_equal(mine.key, theirs.key) && python_equal(mine.value, theirs.value);
    });
  });
}

}  // namespace slipway::pipeline
