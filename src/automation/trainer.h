// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "automation/deps.h"
#include "automation/retraining.h"
#include "automation/trigger.h"

namespace slipway::automation {

// Carries out retrainings, one at a time: worktree, labelled data, `slipway repro` as a child, and
// what came of it. It never holds a database write while a child runs or data is exported. One
// thread at a time calls it.
//
// Crash safety: what it is doing stands in the table `retraining` before it begins; recover(),
// after a restart and at every look, ends what a dead server, or a look that could not write its
// end, left behind (retraining.failed with `interrupted`, worktree removed) and lets it begin
// again.
class Trainer {
 public:
  // `deps` outlives it. `stopping` is polled while a child runs; true ends it, and what fails then
  // is interrupted.
  Trainer(const Deps& deps, std::function<bool()> stopping);

  // The oldest firing that waits, of endpoints that `in_scope` takes, and whose endpoint has no
  // rollout under way and no hold. Returns after the child has ended; false when there was nothing
  // to do.
  bool train_once(const std::function<bool(const std::string& endpoint)>& in_scope);

  // While no training runs, whose rows are then nobody's. Returns how many it found.
  int recover();

 private:
  struct Job;
  bool may_begin(const Firing& firing, const TriggerSpec& spec);
  Job begin(const Firing& firing, const TriggerSpec& spec);
  void prepare(Job& job);
  Outcome run_pipeline(const Job& job);
  void finish(Job& job, const Outcome& outcome);
  void fail(const Job& job, TrainingFailure failure);
  void give_up(const Firing& firing, const std::string& reason);

  const Deps& deps_;
  const std::function<bool()> stopping_;
};

// The path of a retraining's log below the log folder, whichever server wrote it.
std::string retraining_log_path(const Places& places, const std::string& id);

}  // namespace slipway::automation
