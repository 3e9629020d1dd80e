// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "data/repository_lock.h"
#include "data/workspace.h"
#include "pipeline/project.h"
#include "pipeline/run_cache.h"
#include "pipeline/run_recorder.h"
#include "pipeline/stage_record.h"
#include "pipeline/stage_runner.h"
#include "pipeline/status.h"

namespace slipway::pipeline {

struct ReproOptions {
  std::vector<std::string> targets;  // none = the stages of ./dvc.yaml
  bool force = false;                // -f: also what did not change, and without the run cache
  bool single = false;               // -s: the targets alone, not what they need
  bool dry = false;                  // say what would run, change nothing
  bool no_commit = false;            // record in dvc.lock, leave cache and run cache alone
  bool no_run_cache = false;
  std::string command_line;  // of this process, for the locks that DVC shows to people who wait
  std::function<bool()> cancelled;  // polled while a command runs
};

// What a repro would do, stage by stage, as the repository is now. A stage further down may turn
// out unchanged after all, when those before it make what they made before.
struct PlanStep {
  std::size_t stage = 0;  // index in the project
  bool runs = false;
  std::string reason;  // why it runs: reason_of(), "forced", or "stage 'x' runs before it"
};
using Plan = std::vector<PlanStep>;

Plan plan_repro(const Project& project, data::Workspace& workspace, const ReproOptions& options);

struct ReproResult {
  std::size_t stages_run = 0;        // commands were run
  std::size_t stages_cached = 0;     // outputs taken from the run cache
  std::size_t stages_unchanged = 0;  // nothing to do
  bool changed() const { return stages_run + stages_cached > 0; }
};

// Brings stages up to date, one after another, in the order of Project::order, as `dvc repro` does
// and with its files (docs/formats/dvc.md). dvc.lock is replaced whole after each stage, so a kill
// at any moment leaves the old record or the new one.
class Repro {
 public:
  Repro(data::Workspace& workspace, StageRunner& runner, RunRecorder& recorder, const Clock& clock,
        Console console);

  // `current` (absolute): where the user stands. Throws the first stage's failure as
  // kFailedPrecondition "failed to reproduce 'train': …" after having recorded it.
  ReproResult run(const std::filesystem::path& current, const ReproOptions& options);

 private:
  enum class Done { kUnchanged, kRun, kCached };
  Done bring_up_to_date(Stage& stage, const ReproOptions& options);
  void verify_without_command(Stage& stage, const ReproOptions& options);
  bool restore(Stage& stage, bool unchanged_inputs, const ReproOptions& options);
  void run_commands(Stage& stage, const ReproOptions& options);
  void announce(const Stage& stage, bool cached, std::map<std::string, std::string>& environment);
  void finish(const Stage& stage);
  void remove_outputs(const Stage& stage);

  data::Workspace& workspace_;
  StageRunner& runner_;
  RunRecorder& recorder_;
  const Clock& clock_;
  Console console_;
  RunCache run_cache_;
  Project* project_ = nullptr;             // of the run under way
  StageRecord* record_ = nullptr;          // likewise
  const ReproOptions* options_ = nullptr;  // likewise
  data::RepositoryLock* lock_ = nullptr;   // likewise
  bool repro_begun_ = false;               // the recorder knows of it
  bool stage_begun_ = false;
};

}  // namespace slipway::pipeline
