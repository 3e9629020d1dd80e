// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/workspace.h"
#include "pipeline/project.h"
#include "pipeline/stage.h"

namespace slipway::pipeline {

// How something differs from what was recorded, in DVC's words: "modified", "deleted", "new", "not
// in cache".
enum class Difference { kModified, kDeleted, kNew, kNotInCache };
std::string_view difference_name(Difference difference);

struct PathDifference {
  std::string path;  // as the user would write it
  Difference difference = Difference::kModified;
  std::vector<std::pair<std::string, Difference>>
      keys;  // of a parameter file; then `difference` says nothing
};

// Everything about a stage that differs from its record.
struct StageStatus {
  std::vector<PathDifference> deps;
  std::vector<PathDifference> outs;
  bool command_changed = false;
  bool always_changed = false;

  bool changed() const {
    return !deps.empty() || !outs.empty() || command_changed || always_changed;
  }
};

// Reads the workspace (by the stat cache where it can). A frozen stage's dependencies are not
// looked at.
StageStatus status_of(const Stage& stage, const Project& project, data::Workspace& workspace);

// Why it would run, for people: "dependency 'a.csv' is modified", "parameter 'lr' of 'params.yaml'
// is modified", "it never ran" …; "" when it would not.
std::string reason_of(const Stage& stage, const StageStatus& status);

}  // namespace slipway::pipeline
