// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/process.h"
#include "json/value.h"

namespace slipway::automation {

// A detached working tree of one commit, beside the user's own, which is not touched: git knows it
// as one more worktree.
struct Worktree {
  std::string repository;  // top folder of the user's clone
  std::string folder;      // of the tree, absolute
  std::string commit;
};

// `git worktree add --detach`. A folder that is there from an earlier attempt is removed first.
// Throws kFailedPrecondition with git's own words.
void add_worktree(ProcessRunner& processes, const Worktree& worktree);

// Removes it with everything in it and git's note of it. No error when it is gone already.
void remove_worktree(ProcessRunner& processes, const Worktree& worktree);

// Lets the tree use the main repository's DVC cache: writes `[cache] dir = …` into
// `.dvc/config.local` of the DVC root at or above `pipeline` (a folder below the tree's top, "." =
// the top). Nothing where the repository has no `.dvc`.
void share_cache(const Worktree& worktree, const std::string& pipeline);

// Sets parameters in `folder`/params.yaml by dotted key ("train.holdout_days"); nothing when there
// are none. Throws kFailedPrecondition naming the key where the file has none of that name: a
// parameter that nothing reads would be silent.
void set_params(const std::string& folder, const json::Object& params);

}  // namespace slipway::automation
