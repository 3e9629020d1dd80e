// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/workspace.h"
#include "pipeline/lock_file.h"
#include "pipeline/stage.h"

namespace slipway::pipeline {

// All stages of a repository and how they hang together: every dvc.yaml with its dvc.lock, every
// .dvc file; what .dvcignore, .gitignore (folders) and tracked outputs hide is not searched. A
// value of the moment at which it was read.
class Project {
 public:
  // Reads everything. `current` (absolute) is where the user stands: names in messages are relative
  // to it. Throws kInvalidArgument: a file that cannot be read (see parse_pipeline), one output in
  // two stages or inside another, a stage inside an output, a cycle.
  Project(data::Workspace& workspace, std::filesystem::path current);

  std::vector<Stage>& stages() { return stages_; }
  const std::vector<Stage>& stages() const { return stages_; }

  // For each stage those whose outputs it reads, in the order of its dependencies.
  const std::vector<std::vector<std::size_t>>& upstream() const { return upstream_; }

  // Stages that a target names: "train", "sub/dvc.yaml", "sub/dvc.yaml:train", "data.dvc", or the
  // path of a tracked output; no target = all stages of
  // ./dvc.yaml. Throws kNotFound in DVC's words.
  std::vector<std::size_t> select(const std::vector<std::string>& targets) const;

  // The stages and everything upstream of them, each behind what it needs. A frozen stage's own
  // upstream is left out unless it is named.
  std::vector<std::size_t> order(const std::vector<std::size_t>& selected) const;

  // The lock beside the stage's dvc.yaml. REQUIRES: the stage is of a dvc.yaml.
  LockFile& lock_of(const Stage& stage);

  // A path as the user would write it from where they stand.
  std::string shown(const std::filesystem::path& absolute) const;

 private:
  void collect(const std::filesystem::path& folder);
  void load_pipeline(const std::filesystem::path& file);
  void load_data(const std::filesystem::path& file);
  void link_stages();
  void check_cycles() const;

  data::Workspace& workspace_;
  std::filesystem::path current_;
  data::Ignore git_ignore_;
  std::vector<Stage> stages_;
  std::vector<std::vector<std::size_t>> upstream_;
  std::map<std::filesystem::path, LockFile> locks_;  // by dvc.lock
};

}  // namespace slipway::pipeline
