// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::data {

// Entries that DVC keeps in the .gitignore beside a tracked file: "/name", wildcards escaped by a
// backslash.

// Adds the entry for `path` unless the file has it. Returns the .gitignore when it was changed.
std::optional<std::filesystem::path> add_git_ignore(const std::filesystem::path& path);

// Whether the .gitignore beside `path` has the entry; other rules that ignore it are git's to know
// (git::Repository::is_ignored).
bool has_git_ignore(const std::filesystem::path& path);

// Takes it out; a file left empty is removed.
void remove_git_ignore(const std::filesystem::path& path);

// "/name" with []!*#? escaped.
std::string git_ignore_entry(std::string_view name);

}  // namespace slipway::data
