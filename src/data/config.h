// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::data {

enum class LinkType { kReflink, kHardlink, kSymlink, kCopy };

// What of DVC's configuration bears on local work; other sections and keys are kept for those who
// ask by name.
struct Config {
  std::filesystem::path cache_dir;  // absolute; .dvc/cache unless cache.dir says otherwise
  std::vector<LinkType> link_types = {LinkType::kReflink,
                                      LinkType::kCopy};  // cache.type, in the order to try
  bool cache_shared_group = false;  // cache.shared = group: folders 02775, files 0664
  bool no_scm = false;              // core.no_scm
  bool autostage = false;           // core.autostage
  std::map<std::string, std::map<std::string, std::string>>
      sections;  // names and keys in lower case, remotes as `remote "x"`

  // The value of a key, nullptr when it is not set.
  const std::string* find(std::string_view section, std::string_view key) const;
};

// One file of DVC's dialect (ConfigObj): `[section]`, `['remote "name"']`, `key = value`, '#'
// comments, values in single or double quotes. Section and key names in lower case. Throws
// kInvalidArgument "file:line: …".
std::map<std::string, std::map<std::string, std::string>> parse_config(
    std::string_view text, const std::string& file_name);

// The four files in DVC's order, the later winning: system, global, <dvc_dir>/config,
// <dvc_dir>/config.local; DVC_SYSTEM_CONFIG_DIR and DVC_GLOBAL_CONFIG_DIR move the first two.
// Relative cache.dir is relative to the folder of the file that has it. Throws kInvalidArgument
// naming the file for a value that cannot be (a link type that is none, a truth value that is
// none).
Config load_config(const std::filesystem::path& dvc_dir);

}  // namespace slipway::data
