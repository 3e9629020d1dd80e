// SPDX-License-Identifier: Apache-2.0
#include "data/config.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

namespace slipway::data {
namespace {

using Sections = std::map<std::string, std::map<std::string, std::string>>;

// A value or name without its quotes and without a comment behind it.
std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && (text[0] == '"' || text[0] == '\'')) {
    const std::size_t end = text.find(text[0], 1);
    if (end != std::string_view::npos) {
      const std::string_view rest = trimmed(text.substr(end + 1));
      if (rest.empty() || rest[0] == '#') return std::string(text.substr(1, end - 1));
    }
  }
  return std::string(trimmed(text.substr(0, text.find(" #"))));
}

std::vector<std::string> split_list(const std::string& value) {
  std::vector<std::string> items;
  std::size_t start = 0;
  while (start <= value.size()) {
    const std::size_t end = std::min(value.find(',', start), value.size());
    const std::string item = unquoted(trimmed(std::string_view{value}.substr(start, end - start)));
    if (!item.empty()) items.push_back(item);
    start = end + 1;
  }
  return items;
}

bool parse_bool(const std::string& value, const std::string& name, const std::string& file) {
  const std::string word = ascii_lower(value);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0" || word.empty()) return false;
  throw Error(Code::kInvalidArgument,
              file + ": " + name + " must be true or false, not `" + value + "`");
}

LinkType parse_link_type(const std::string& word, const std::string& file) {
  if (word == "reflink") return LinkType::kReflink;
  if (word == "hardlink") return LinkType::kHardlink;
  if (word == "symlink") return LinkType::kSymlink;
  if (word == "copy") return LinkType::kCopy;
  throw Error(
      Code::kInvalidArgument,
      file + ": cache.type must be of reflink, hardlink, symlink, copy, not `" + word + "`");
}

void apply(const Sections& sections, const std::filesystem::path& file, Config& config) {
  for (const auto& [section, entries] : sections) {
    for (const auto& [key, value] : entries) config.sections[section][key] = value;
  }
  const auto value = [&](const char* section, const char* key) -> const std::string* {
    const auto found = sections.find(section);
    if (found == sections.end()) return nullptr;
    const auto entry = found->second.find(key);
    return entry == found->second.end() ? nullptr : &entry->second;
  };
  if (const std::string* dir = value("cache", "dir")) {
    config.cache_dir = (file.parent_path() / *dir).lexically_normal();
  }
  if (const std::string* types = value("cache", "type")) {
    config.link_types.clear();
    for (const std::string& word : split_list(*types))
      config.link_types.push_back(parse_link_type(ascii_lower(word), file.string()));
  }
  if (const std::string* shared = value("cache", "shared"))
    config.cache_shared_group = *shared == "group";
  if (const std::string* flag = value("core", "no_scm"))
    config.no_scm = parse_bool(*flag, "core.no_scm", file.string());
  if (const std::string* flag = value("core", "autostage"))
    config.autostage = parse_bool(*flag, "core.autostage", file.string());
}

std::filesystem::path folder_from(const char* variable, const std::filesystem::path& otherwise) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0' ? std::filesystem::path(value) : otherwise;
}

}  // namespace

const std::string* Config::find(std::string_view section, std::string_view key) const {
  const auto found = sections.find(std::string(section));
  if (found == sections.end()) return nullptr;
  const auto entry = found->second.find(std::string(key));
  return entry == found->second.end() ? nullptr : &entry->second;
}

Sections parse_config(std::string_view text, const std::string& file_name) {
  Sections sections;
  std::string current;
  int line_number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(text.substr(start, end - start));
    start = end + 1;
    ++line_number;
    if (line.empty() || line[0] == '#') continue;
    const auto fail = [&](const std::string& what) {
      throw Error(Code::kInvalidArgument,
                  file_name + ":" + std::to_string(line_number) + ": " + what);
    };
    if (line[0] == '[') {
      const std::size_t close = line.rfind(']');
      if (close == std::string_view::npos) fail("a section needs a closing bracket");
      current = ascii_lower(unquoted(trimmed(line.substr(1, close - 1))));
      sections[current];
      continue;
    }
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) fail("expected `key = value`");
    if (current.empty()) fail("a key needs a section before it");
    sections[current][ascii_lower(unquoted(trimmed(line.substr(0, equals))))] =
        unquoted(trimmed(line.substr(equals + 1)));
  }
  return sections;
}

Config load_config(const std::filesystem::path& dvc_dir) {
  Config config;
  config.cache_dir = dvc_dir / "cache";
  const char* home = std::getenv("HOME");
  const std::filesystem::path user =
      folder_from("XDG_CONFIG_HOME",
                  std::filesystem::path(home == nullptr ? "/nonexistent" : home) / ".config") /
      "dvc";
  for (const std::filesystem::path& file :
       {folder_from("DVC_SYSTEM_CONFIG_DIR", "/etc/xdg/dvc") / "config",
        folder_from("DVC_GLOBAL_CONFIG_DIR", user) / "config", dvc_dir / "config",
        dvc_dir / "config.local"}) {
    if (const std::optional<std::string> text = read_file_if_exists(file)) {
      apply(parse_config(*text, file.string()), file, config);
    }
  }
  return config;
}

}  // namespace slipway::data
