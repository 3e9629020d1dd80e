// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage_record.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "data/git_ignore.h"
#include "git/repository.h"
#include "pipeline/data_file.h"
#include "pipeline/lock_file.h"
#include "pipeline/params.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& message) {
  throw Error(Code::kFailedPrecondition, message);
}

bool holds_nothing(const fs::path& path) {
  std::error_code fault;
  if (fs::is_directory(path, fault)) return fs::is_empty(path, fault);
  return fs::file_size(path, fault) == 0;
}

}  // namespace

bool is_under_git(const data::Workspace& workspace) {
  if (workspace.config().no_scm) return false;
  std::error_code fault;
  for (fs::path folder = workspace.root();; folder = folder.parent_path()) {
    if (fs::exists(folder / ".git", fault)) return true;
    if (folder == folder.root_path()) return false;
  }
}

// What the dependencies and parameters are now.
void StageRecord::record_inputs(Stage& stage) {
  for (Dependency& dependency : stage.deps) {
    const data::HashKind kind =
        dependency.recorded ? dependency.recorded->kind : data::HashKind::kMd5;
    std::optional<data::Snapshot> now = workspace_.snapshot(dependency.absolute, kind);
    if (!now)
      fail("missing dependency '" + project_.shown(dependency.absolute) + "': it does not exist");
    if (dependency.recorded && dependency.recorded->kind == data::HashKind::kMd5Dos2Unix) {
      if (dependency.recorded->hash == now->hash) continue;  // a hash of DVC 2 stays while it holds
      now = workspace_.snapshot(dependency.absolute);
    }
    dependency.recorded = recorded_of(*now);
  }
  for (ParamDependency& params : stage.params) {
    const std::string shown = project_.shown(params.absolute);
    const std::optional<yaml::Node> file = read_param_file(params.absolute, shown);
    if (!file) fail("missing parameter file '" + shown + "': it does not exist");
    std::string missing;
    for (const std::string& key : missing_params(params, *file))
      missing += (missing.empty() ? "" : ", ") + key;
    if (!missing.empty()) fail("Parameters '" + missing + "' are missing from '" + shown + "'.");
    params.recorded = select_params(params, *file);
  }
}

void StageRecord::record_outputs(Stage& stage) {
  for (Output& output : stage.outs) {
    std::error_code fault;
    const std::string shown = project_.shown(output.absolute);
    if (!fs::exists(output.absolute, fault)) fail("output '" + shown + "' does not exist");
    if (holds_nothing(output.absolute)) console_.warning("'" + shown + "' is empty.");
  }
  ignore_in_git(stage);
  for (Output& output : stage.outs) {
    const data::HashKind kind = output.recorded ? output.recorded->kind : data::HashKind::kMd5;
    std::optional<data::Snapshot> now = workspace_.snapshot(output.absolute, kind);
    if (now && kind == data::HashKind::kMd5Dos2Unix && output.recorded->hash == now->hash) continue;
    if (now && kind == data::HashKind::kMd5Dos2Unix) now = workspace_.snapshot(output.absolute);
    if (!now) fail("output '" + project_.shown(output.absolute) + "' does not exist");
    output.recorded = recorded_of(*now);
  }
}

void StageRecord::ignore_in_git(const Stage& stage) {
  if (!is_under_git(workspace_)) return;
  std::vector<fs::path> cached;
  for (const Output& output : stage.outs) {
    if (output.cache && !output.path.starts_with('/')) cached.push_back(output.absolute);
  }
  if (cached.empty()) return;
  const git::Repository git(workspace_.processes(), workspace_.root());
  const std::vector<fs::path> tracked = git.tracked_among(cached);
  if (!tracked.empty()) {
    const std::string shown = project_.shown(tracked.front());
    fail(" output '" + shown +
         "' is already tracked by SCM (e.g. Git).\n    You can remove it from Git, then add to "
         "DVC.\n"
         "        To stop tracking from Git:\n            git rm -r --cached '" +
         shown + "'\n            git commit -m \"stop tracking " + shown + "\" ");
  }
  for (const fs::path& path : cached) {
    if (data::has_git_ignore(path) || git.is_ignored(path)) continue;
    if (const std::optional<fs::path> file = data::add_git_ignore(path)) {
      to_track_.insert(project_.shown(*file));
      ignored_.push_back(path);
    }
  }
}

// Run cache first, as DVC does: it holds what the stage made even where the stage's own outputs are
// not cached.
void StageRecord::keep(Stage& stage) {
  const bool uncached_data =
      std::any_of(stage.outs.begin(), stage.outs.end(),
                  [](const Output& output) { return !output.cache && !output.metric; });
  if (!uncached_data) run_cache_.save(stage);
  store_outputs(stage);
}

void StageRecord::store_outputs(const Stage& stage) {
  for (const Output& output : stage.outs) {
    if (!output.cache || !output.recorded) continue;
    const data::HashKind kind = output.recorded->kind;
    const std::optional<data::Snapshot> now = workspace_.snapshot(output.absolute, kind);
    if (!now || now->hash != output.recorded->hash) {
      fail("output '" + project_.shown(output.absolute) + "' changed while it was being stored");
    }
    workspace_.commit(output.absolute, *now, kind);
  }
}

void StageRecord::write_record(Stage& stage) {
  if (stage.is_data()) {
    const std::string before = read_file_if_exists(stage.file).value_or("");
    const std::string after = data_file_text(stage, before, project_.shown(stage.file));
    if (after != before) write_file_atomic(stage.file, after);
    to_track_.insert(project_.shown(stage.file));
    return;
  }
  fs::path file = stage.file;
  file.replace_extension(".lock");
  const std::string shown = project_.shown(file);
  // Read again: while the command ran, another repro may have recorded another stage.
  LockFile lock(file, shown);
  const bool fresh = lock.empty();
  if (!lock.set(stage.name, lock_entry(stage))) return;
  if (fresh) console_.info("Generating lock file '" + shown + "'");
  console_.info("Updating lock file '" + shown + "'");
  lock.save();
  to_track_.insert(shown);
}

void StageRecord::hint_at_git() {
  if (to_track_.empty() || !is_under_git(workspace_)) return;
  if (workspace_.config().autostage) {
    std::vector<fs::path> files(to_track_.begin(), to_track_.end());
    git::Repository(workspace_.processes(), fs::current_path()).add(files);
    return;
  }
  std::string command = "\tgit add";
  for (const std::string& file : to_track_) command += " " + file;
  console_.info("\nTo track the changes with git, run:\n\n" + command);
  console_.info("\nTo enable auto staging, run:\n\n\tdvc config core.autostage true");
}

void StageRecord::forget_ignored() {
  for (const fs::path& path : ignored_) data::remove_git_ignore(path);
  ignored_.clear();
}

}  // namespace slipway::pipeline
