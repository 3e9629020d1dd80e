// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "data/workspace.h"
#include "pipeline/project.h"
#include "pipeline/run_cache.h"
#include "pipeline/stage.h"

namespace slipway::pipeline {

// Lines for the user: what DVC prints at its normal level on stdout, and warnings on stderr.
struct Console {
  std::function<void(const std::string&)> info;
  std::function<void(const std::string&)> warning;
};

// Brings what is written about a stage (its dvc.lock entry or .dvc file, the cache, .gitignore) in
// line with the workspace. For one command; under the repository's lock. Functions throw
// kFailedPrecondition naming the file when the workspace is not as the stage promises.
class StageRecord {
 public:
  StageRecord(data::Workspace& workspace, const Project& project, const Console& console)
      : workspace_(workspace), project_(project), console_(console), run_cache_(workspace) {}

  // Takes down what dependencies and parameters are now.
  void record_inputs(Stage& stage);

  // The same of the outputs, which must exist; cached ones get an entry in .gitignore.
  void record_outputs(Stage& stage);

  // Copies recorded outputs into the cache and remembers the run in the run cache.
  void keep(Stage& stage);

  // The first half alone.
  void store_outputs(const Stage& stage);

  // Writes dvc.lock or the .dvc file, if that changes it.
  void write_record(Stage& stage);

  // Entries made in .gitignore since begin_stage() are taken out again: for a stage that failed.
  void begin_stage() { ignored_.clear(); }
  void forget_ignored();

  // Stages what was written with `git add` where core.autostage says so, else tells the user to.
  void hint_at_git();

 private:
  void ignore_in_git(const Stage& stage);

  data::Workspace& workspace_;
  const Project& project_;
  const Console& console_;
  RunCache run_cache_;
  std::set<std::string> to_track_;  // as the user would write them
  std::vector<std::filesystem::path> ignored_;
};

// Whether the repository is inside a git work tree and may use it.
bool is_under_git(const data::Workspace& workspace);

}  // namespace slipway::pipeline
