// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"

namespace slipway::git {

// Facts of a git repository, asked of the `git` program (each call is one process, 2 to 5 ms). No
// call writes but those that say so. Thread-safe, since the
// ProcessRunner is.
class Repository {
 public:
  // `folder` is anywhere inside a work tree.
  Repository(ProcessRunner& processes, std::filesystem::path folder)
      : processes_(processes), folder_(std::move(folder)) {}

  // The work tree's top folder; nullopt when the folder is in none, or there is no git program.
  std::optional<std::filesystem::path> top_level() const;

  // The main work tree's top folder: of a linked work tree the one that it was made from.
  std::optional<std::filesystem::path> main_folder() const;

  std::optional<std::string> head_commit()
      const;  // 40 (or 64) hex digits; nullopt before the first commit
  std::optional<std::string> branch() const;  // nullopt when HEAD is detached
  bool is_dirty()
      const;  // tracked files differ from HEAD, or are staged; untracked ones do not count

  // The commit that a name, tag or abbreviation means; nullopt when it means none.
  std::optional<std::string> resolve(const std::string& revision) const;

  // Whether the ignore rules name the path, tracked or not.
  bool is_ignored(const std::filesystem::path& path) const;

  // Those of the paths (files, or folders with something in them) that the index holds.
  std::vector<std::filesystem::path> tracked_among(
      const std::vector<std::filesystem::path>& paths) const;

  // Writes: stages files (`git add`). Throws kFailedPrecondition with git's words.
  void add(const std::vector<std::filesystem::path>& paths) const;

  // Writes: a work tree of its own at `target` (must not exist), HEAD detached at the commit.
  // Throws kFailedPrecondition with git's words.
  void add_worktree(const std::filesystem::path& target, const std::string& commit) const;

  // Writes: removes it with whatever is in it; fine when it is gone already.
  void remove_worktree(const std::filesystem::path& target) const;

 private:
  Outcome run(std::vector<std::string> arguments) const;
  std::optional<std::string> line(std::vector<std::string> arguments) const;

  ProcessRunner& processes_;
  std::filesystem::path folder_;
};

}  // namespace slipway::git
