// SPDX-License-Identifier: Apache-2.0
#include "pipeline/tracked_data.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/file.h"
#include "data/repository_lock.h"
#include "git/repository.h"
#include "pipeline/project.h"
#include "pipeline/status.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDvcIgnore =
    "# Add patterns of files dvc should ignore, which could improve\n# the performance. Learn more "
    "at\n"
    "# https://dvc.org/doc/user-guide/dvcignore\n";
constexpr std::string_view kGitIgnore = "/config.local\n/tmp\n/cache\n";

std::vector<std::size_t> selected_or_all(const Project& project,
                                         const std::vector<std::string>& targets) {
  if (!targets.empty()) return project.select(targets);
  std::vector<std::size_t> all(project.stages().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

bool inside(const fs::path& path, const fs::path& folder) {
  return path.native().starts_with(folder.native() + "/");
}

// The data stage that tracks exactly this path, or a new one.
Stage stage_for(const Project& project, const fs::path& path, const fs::path& file) {
  for (const Stage& stage : project.stages()) {
    for (const Output& output : stage.outs) {
      if (output.absolute == path && stage.is_data()) return stage;
      if (output.absolute == path) {
        throw Error(Code::kConflict,
                    "cannot update '" + project.shown(path) + "': overlaps with an output of " +
                        stage.title() + " in '" + project.shown(stage.file) +
                        "'.\nRun the pipeline or use 'dvc commit' to force update it.");
      }
      if (inside(path, output.absolute) || inside(output.absolute, path)) {
        throw Error(Code::kConflict,
                    "Cannot add '" + project.shown(path) +
                        "', because it is overlapping with other DVC tracked output: '" +
                        project.shown(output.absolute) + "'.");
      }
    }
  }
  Stage stage;
  stage.file = file;
  stage.folder = path.parent_path();
  stage.address = project.shown(file);
  Output output;
  output.path = path.filename().string();
  output.absolute = path;
  stage.outs.push_back(std::move(output));
  return stage;
}

std::string shown_folder_or_file(const Project& project, const fs::path& path) {
  std::error_code fault;
  return project.shown(path) + (fs::is_directory(path, fault) ? "/" : "");
}

void folders_first(std::vector<std::string>& paths) {
  std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
    return std::pair(!a.ends_with('/'), a) < std::pair(!b.ends_with('/'), b);
  });
}

}  // namespace

void init_repository(const fs::path& folder, ProcessRunner& processes, const InitOptions& options) {
  if (options.no_scm && options.subdir) {
    throw Error(Code::kInvalidArgument, "Cannot initialize repo with `--no-scm` and `--subdir`");
  }
  const git::Repository git(processes, folder);
  const std::optional<fs::path> top = options.no_scm ? std::nullopt : git.top_level();
  std::error_code fault;
  const bool at_top = top && fs::equivalent(*top, folder, fault);
  if (!options.no_scm && !(at_top || (top && options.subdir))) {
    throw Error(Code::kFailedPrecondition,
                folder.string() +
                    " is not tracked by any supported SCM tool (e.g. Git). Use `--no-scm` if you "
                    "don't want to use any SCM or "
                    "`--subdir` if initializing inside a subdirectory of a parent SCM repository.");
  }
  const fs::path dvc = folder / ".dvc";
  if (fs::is_directory(dvc, fault)) {
    if (!options.force) throw Error(Code::kAlreadyExists, "'.dvc' exists. Use `-f` to force.");
    data::Workspace::remove(dvc);
  }
  fs::create_directories(dvc / "tmp", fault);
  if (fault) throw errno_error(fault.value(), "cannot create folder `" + dvc.string() + "`");
  write_file_atomic(dvc / "config", options.no_scm ? "[core]\n    no_scm = True\n" : "");
  write_file_atomic(dvc / "tmp" / "btime", "");
  if (!fs::exists(folder / ".dvcignore", fault))
    write_file_atomic(folder / ".dvcignore", kDvcIgnore);
  if (options.no_scm) return;
  write_file_atomic(dvc / ".gitignore", kGitIgnore);
  git.add({dvc / "config", dvc / ".gitignore", folder / ".dvcignore"});
}

void add_data(data::Workspace& workspace, const fs::path& current,
              const std::vector<std::string>& targets, bool no_commit, const Console& console) {
  const data::RepositoryLock lock(workspace.tmp_dir());
  const Project project(workspace, current);
  StageRecord record(workspace, project, console);
  std::vector<Stage> stages;
  for (const std::string& target : targets) {
    fs::path path = (current / target).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::error_code fault;
    if (!inside(path, workspace.root()))
      throw Error(Code::kInvalidArgument, "'" + target + "' is outside of the repository");
    if (!fs::exists(path, fault))
      throw Error(Code::kNotFound, "output '" + target + "' does not exist");
    fs::path file = path;
    file += ".dvc";
    stages.push_back(stage_for(project, path, file));
  }
  for (Stage& stage : stages) {
    record.begin_stage();
    try {
      record.record_outputs(stage);
      if (!no_commit) record.store_outputs(stage);
      record.write_record(stage);
    } catch (const Error&) {
      record.forget_ignored();
      throw;
    }
  }
  record.hint_at_git();
}

CheckoutResult checkout_data(data::Workspace& workspace, const fs::path& current,
                             const std::vector<std::string>& targets, bool force,
                             const Console& console) {
  const data::RepositoryLock lock(workspace.tmp_dir());
  const Project project(workspace, current);
  CheckoutResult result;
  std::vector<const Output*> outputs;
  std::string unsaved;
  for (const std::size_t index : selected_or_all(project, targets)) {
    for (const Output& output : project.stages()[index].outs) {
      if (!output.cache) continue;
      if (!output.recorded) {
        console.warning("No file hash info found for '" + output.absolute.string() +
                        "'. It won't be created.");
        result.failed.push_back(project.shown(output.absolute));
        continue;
      }
      outputs.push_back(&output);
      for (const fs::path& file :
           workspace.unsaved_files(output.absolute, output.recorded->hash, output.recorded->kind)) {
        unsaved += "\n" + file.string();
      }
    }
  }
  if (!unsaved.empty() && !force) {
    throw Error(
        Code::kFailedPrecondition,
        "Can't remove the following unsaved files without confirmation. Use `--force` to force." +
            unsaved);
  }
  for (const Output* output : outputs) {
    const Recorded& recorded = *output->recorded;
    try {
      const data::Workspace::Change change = workspace.checkout(
          output->absolute, recorded.hash, recorded.is_exec, true, recorded.kind);
      if (change == data::Workspace::Change::kAdded)
        result.added.push_back(shown_folder_or_file(project, output->absolute));
      if (change == data::Workspace::Change::kModified)
        result.modified.push_back(shown_folder_or_file(project, output->absolute));
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) throw;
      result.failed.push_back(project.shown(output->absolute));
    }
  }
  folders_first(result.added);
  folders_first(result.modified);
  return result;
}

void commit_data(data::Workspace& workspace, const fs::path& current,
                 const std::vector<std::string>& targets, bool force, const Console& console) {
  const data::RepositoryLock lock(workspace.tmp_dir());
  Project project(workspace, current);
  StageRecord record(workspace, project, console);
  for (const std::size_t index : selected_or_all(project, targets)) {
    Stage& stage = project.stages()[index];
    const StageStatus status = status_of(stage, project, workspace);
    // Content that merely is not in the cache yet is what a commit is for.
    const bool outs_changed =
        std::any_of(status.outs.begin(), status.outs.end(), [](const PathDifference& difference) {
          return difference.difference != Difference::kNotInCache;
        });
    const bool changed = !status.deps.empty() || outs_changed || status.command_changed;
    if (changed && !force) {
      throw Error(Code::kFailedPrecondition,
                  "unable to commit changed " + stage.title() + ". Use `-f|--force` to force.");
    }
    record.begin_stage();
    if (changed || force) {
      record.record_inputs(stage);
      record.record_outputs(stage);
      record.keep(stage);
    } else {
      record.store_outputs(stage);
    }
    record.write_record(stage);
  }
}

}  // namespace slipway::pipeline
