// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/process.h"
#include "data/workspace.h"
#include "pipeline/stage_record.h"

namespace slipway::pipeline {

// DVC's verbs on tracked data, without their command line. Each takes the repository's lock for as
// long as it works.

// Makes `folder` (absolute) a repository: .dvc, .dvcignore, both staged in git. Throws in DVC's
// words: kAlreadyExists when there is a .dvc and not `force` (which removes it with its cache),
// kFailedPrecondition outside git unless `no_scm`, or below its top folder unless `subdir`.
struct InitOptions {
  bool no_scm = false;
  bool subdir = false;
  bool force = false;
};
void init_repository(const std::filesystem::path& folder, ProcessRunner& processes,
                     const InitOptions& options);

// Tracks files or folders (as the user wrote them, from `current`): hashes, copies into the cache,
// writes PATH.dvc. kNotFound for one that is not there, kConflict for one that overlaps a tracked
// output.
void add_data(data::Workspace& workspace, const std::filesystem::path& current,
              const std::vector<std::string>& targets, bool no_commit, const Console& console);

// What a checkout did, as the user would write the paths; folders end in '/' and come first.
struct CheckoutResult {
  std::vector<std::string> modified;
  std::vector<std::string> added;
  std::vector<std::string> failed;  // without a record, or not in the cache
};
// Brings tracked files of the targets (all when none) into the workspace. Content that is nowhere
// else is kept: kFailedPrecondition naming it unless `force`; nothing is changed then.
CheckoutResult checkout_data(data::Workspace& workspace, const std::filesystem::path& current,
                             const std::vector<std::string>& targets, bool force,
                             const Console& console);

// Records the workspace of the targets (all when none) as it is. A changed one needs `force`:
// kFailedPrecondition in DVC's words otherwise.
void commit_data(data::Workspace& workspace, const std::filesystem::path& current,
                 const std::vector<std::string>& targets, bool force, const Console& console);

}  // namespace slipway::pipeline
