// SPDX-License-Identifier: Apache-2.0
#include "pipeline/repro.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/id.h"
#include "git/repository.h"
#include "pipeline/environment.h"
#include "pipeline/outputs.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& message) {
  throw Error(Code::kFailedPrecondition, message);
}

// Why a forced or changed stage runs, for --dry and plans.
std::string reason_for(const Stage& stage, const StageStatus& status, bool force) {
  return force ? "forced" : reason_of(stage, status);
}

std::vector<std::size_t> steps_of(const Project& project, const ReproOptions& options) {
  const std::vector<std::size_t> selected = project.select(options.targets);
  return options.single ? selected : project.order(selected);
}

}  // namespace

Plan plan_repro(const Project& project, data::Workspace& workspace, const ReproOptions& options) {
  Plan plan;
  std::vector<bool> runs(project.stages().size(), false);
  for (const std::size_t index : steps_of(project, options)) {
    const Stage& stage = project.stages()[index];
    const StageStatus status = status_of(stage, project, workspace);
    PlanStep step{index, options.force || status.changed(), ""};
    if (step.runs) step.reason = reason_for(stage, status, options.force);
    for (const std::size_t before : project.upstream()[index]) {
      if (step.runs || stage.frozen || !runs[before]) continue;
      step.runs = true;
      step.reason = "stage '" + project.stages()[before].address + "' runs before it";
    }
    runs[index] = step.runs;
    plan.push_back(std::move(step));
  }
  return plan;
}

Repro::Repro(data::Workspace& workspace, StageRunner& runner, RunRecorder& recorder,
             const Clock& clock, Console console)
    : workspace_(workspace),
      runner_(runner),
      recorder_(recorder),
      clock_(clock),
      console_(std::move(console)),
      run_cache_(workspace) {}

ReproResult Repro::run(const fs::path& current, const ReproOptions& options) {
  data::RepositoryLock lock(workspace_.tmp_dir());
  Project project(workspace_, current);
  StageRecord record(workspace_, project, console_);
  lock_ = &lock;
  project_ = &project;
  record_ = &record;
  options_ = &options;
  repro_begun_ = false;
  ReproResult result;
  bool previous_ran = false;
  for (const std::size_t index : steps_of(project, options)) {
    if (previous_ran) console_.info("");
    Stage& stage = project.stages()[index];
    record.begin_stage();
    stage_begun_ = false;
    try {
      const Done done = bring_up_to_date(stage, options);
      previous_ran = done != Done::kUnchanged;
      result.stages_run += done == Done::kRun ? 1U : 0U;
      result.stages_cached += done == Done::kCached ? 1U : 0U;
      result.stages_unchanged += done == Done::kUnchanged ? 1U : 0U;
    } catch (const Error& error) {
      record_->forget_ignored();
      if (stage_begun_) {
        StageOutcome outcome;
        outcome.exit_code = 1;
        outcome.reason = error.what();
        recorder_.finish_stage(outcome);
      }
      if (repro_begun_) recorder_.finish_repro(false);
      throw Error(error.code() == Code::kConflict ? error.code() : Code::kFailedPrecondition,
                  "failed to reproduce '" + stage.address + "': " + error.what(), error.hint());
    }
  }
  if (repro_begun_) recorder_.finish_repro(true);
  if (!options.dry) record.hint_at_git();
  return result;
}

Repro::Done Repro::bring_up_to_date(Stage& stage, const ReproOptions& options) {
  if (stage.frozen && !stage.is_import) {
    console_.warning(stage.title() +
                     " is frozen. Its dependencies are not going to be reproduced.");
  }
  const StageStatus status = status_of(stage, *project_, workspace_);
  if (!options.force && !status.changed()) {
    console_.info((stage.is_data() ? "'" + stage.address + "'" : "Stage '" + stage.address + "'") +
                  " didn't change, skipping");
    return Done::kUnchanged;
  }
  if (stage.is_data() || stage.frozen) {
    verify_without_command(stage, options);
    return Done::kRun;
  }
  if (!options.dry) remove_outputs(stage);
  const bool unchanged_inputs =
      status.deps.empty() && !status.command_changed && stage.recorded_command.has_value();
  bool cached = false;
  if (!options.force) {
    if (!unchanged_inputs || !options.dry) record_->record_inputs(stage);
    cached = restore(stage, unchanged_inputs, options);
  }
  if (!cached) {
    if (!options.dry) record_->record_inputs(stage);
    run_commands(stage, options);
  }
  if (options.dry) return cached ? Done::kCached : Done::kRun;
  record_->record_inputs(stage);
  record_->record_outputs(stage);
  if (!options.no_commit) record_->keep(stage);
  record_->write_record(stage);
  finish(stage);
  return cached ? Done::kCached : Done::kRun;
}

// Data somebody added, and frozen stages: what is there is taken as it is.
void Repro::verify_without_command(Stage& stage, const ReproOptions& options) {
  if (options.dry) return;
  if (stage.is_import) {
    throw Error(Code::kUnimplemented,
                "imported data that changed cannot be brought up to date by slipway yet",
                "dvc update " + stage.address);
  }
  // Data that is in the cache but not in this work tree (a fresh one, as retraining makes it) is
  // brought, where DVC would give up.
  for (const Output& output : stage.outs) {
    std::error_code fault;
    if (!stage.is_data() || fs::exists(output.absolute, fault) || !output.recorded) continue;
    if (!workspace_.cache().contains_all(output.recorded->hash, output.recorded->kind)) continue;
    workspace_.checkout(output.absolute, output.recorded->hash, output.recorded->is_exec, false,
                        output.recorded->kind);
    console_.info("'" + project_->shown(output.absolute) + "' checked out from the cache");
  }
  console_.info(std::string("Verifying ") +
                (stage.frozen && !stage.is_data() ? "outputs in frozen " : "data sources in ") +
                stage.title());
  std::string missing;
  std::size_t count = 0;
  for (const Output& output : stage.outs) {
    std::error_code fault;
    if (fs::exists(output.absolute, fault)) continue;
    missing += (count++ == 0 ? "" : ", ") + project_->shown(output.absolute);
  }
  if (count > 0)
    fail(std::string("missing data 'source") + (count > 1 ? "s" : "") + "': " + missing);
  record_->record_inputs(stage);
  record_->record_outputs(stage);
  if (!options.no_commit) record_->keep(stage);
  record_->write_record(stage);
}

void Repro::remove_outputs(const Stage& stage) {
  for (const Output& output : stage.outs) {
    std::error_code fault;
    if (!output.persist) {
      data::Workspace::remove(output.absolute);
    } else if (output.cache && fs::exists(output.absolute, fault)) {
      data::unprotect(output.absolute);
    }
  }
}

bool Repro::restore(Stage& stage, bool unchanged_inputs, const ReproOptions& options) {
  if (!run_cache_.is_usable(stage)) return false;
  std::optional<std::vector<Recorded>> outputs;
  const bool all_recorded =
      std::all_of(stage.outs.begin(), stage.outs.end(),
                  [](const Output& output) { return output.recorded.has_value(); });
  if (unchanged_inputs && all_recorded) {
    // The record itself says what this command makes of these inputs.
    outputs.emplace();
    for (const Output& output : stage.outs) outputs->push_back(*output.recorded);
    const bool whole = std::all_of(outputs->begin(), outputs->end(), [&](const Recorded& recorded) {
      return workspace_.cache().contains_all(recorded.hash, recorded.kind);
    });
    if (!whole) outputs.reset();
  } else if (!options.no_run_cache) {
    outputs = run_cache_.find(stage);
  }
  if (!outputs) return false;
  console_.info("Stage '" + stage.address + "' is cached - skipping run, checking out outputs");
  if (options.dry) return true;
  std::map<std::string, std::string> unused;
  announce(stage, true, unused);
  for (std::size_t i = 0; i < stage.outs.size(); ++i) {
    const Recorded& recorded = (*outputs)[i];
    workspace_.checkout(stage.outs[i].absolute, recorded.hash, recorded.is_exec, false,
                        recorded.kind);
  }
  return true;
}

void Repro::run_commands(Stage& stage, const ReproOptions& options) {
  console_.info("Running stage '" + stage.address + "':");
  StageTask task;
  task.stage = stage.address;
  task.commands = command_lines(stage.command);
  task.folder = stage.folder;
  task.cancelled = options.cancelled;
  task.started = [&](const std::string& command) { console_.info("> " + command); };
  if (options.dry) {
    for (const std::string& command : task.commands) task.started(command);
    return;
  }
  if (std::getenv("DVC_ROOT") == nullptr) task.environment["DVC_ROOT"] = workspace_.root().string();
  task.environment["DVC_STAGE"] = stage.address;
  // The server's own token may run commands; a stage gets one that can only record.
  if (recorder_.records()) task.environment_removed = {"SLIPWAY_TOKEN"};
  announce(stage, false, task.environment);
  workspace_.save_stats();
  StageResult result;
  {
    std::vector<fs::path> read;
    std::vector<fs::path> write;
    for (const Dependency& dependency : stage.deps) read.push_back(dependency.absolute);
    for (const ParamDependency& params : stage.params) read.push_back(params.absolute);
    for (const Output& output : stage.outs) write.push_back(output.absolute);
    const data::PathLock paths(workspace_.tmp_dir(), options.command_line, std::move(read),
                               std::move(write));
    lock_->unlock();
    try {
      result = runner_.run(task);
    } catch (const Error&) {
      lock_->lock();
      throw;
    }
    lock_->lock();
  }
  if (result.cancelled)
    throw Error(Code::kConflict, "interrupted while running: " + result.failed_command);
  if (result.exit_code != 0) {
    fail("failed to run: " + result.failed_command + ", exited with " +
         std::to_string(result.exit_code));
  }
}

// Tells the recorder what is about to happen, before it does.
void Repro::announce(const Stage& stage, bool cached,
                     std::map<std::string, std::string>& environment) {
  if (!recorder_.records()) return;
  if (!repro_begun_) {
    ReproFacts facts;
    facts.repro = new_ulid(clock_.now());
    facts.repository = workspace_.root().string();
    const git::Repository git(workspace_.processes(), workspace_.root());
    if (is_under_git(workspace_)) {
      facts.main_folder = git.main_folder().value_or(workspace_.root()).string();
      facts.commit = git.head_commit().value_or("");
      facts.branch = git.branch().value_or("");
      facts.dirty = git.is_dirty();
    }
    facts.targets = options_->targets;
    facts.environment = environment_facts(workspace_.processes(),
                                          workspace_.tmp_dir() / "slipway" / "environment.json");
    recorder_.begin_repro(facts);
    repro_begun_ = true;
  }
  StageFacts facts;
  facts.stage = stage.address;
  facts.commands = command_lines(stage.command);
  facts.dependencies = contents_json(stage.deps);
  facts.parameters = params_json(stage.params);
  facts.cached = cached;
  for (auto& [name, value] : recorder_.begin_stage(facts)) environment[name] = value;
  stage_begun_ = true;
}

void Repro::finish(const Stage& stage) {
  if (!stage_begun_) return;
  StageOutcome outcome;
  outcome.outputs = contents_json(stage.outs);
  for (const Output& output : stage.outs) {
    if (!output.metric) continue;
    for (auto& metric : read_metrics(output.absolute)) outcome.metrics.push_back(std::move(metric));
  }
  stage_begun_ = false;
  recorder_.finish_stage(outcome);
}

}  // namespace slipway::pipeline
