// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "json/value.h"
#include "pipeline/stage.h"

namespace slipway::pipeline {

// What is known when a repro begins.
struct ReproFacts {
  std::string repro;        // id: ULID
  std::string repository;   // absolute path
  std::string main_folder;  // of the repository that a detached work tree belongs to; else as
                            // `repository`; "" outside git
  std::string commit;       // HEAD's; "" outside git
  std::string branch;       // "" when detached
  bool dirty = false;
  json::Object environment;  // see environment.h
  std::vector<std::string> targets;
};

// What is known of a stage before its command runs: enough to know later what it was made of.
struct StageFacts {
  std::string stage;  // its address
  std::vector<std::string> commands;
  json::Array dependencies;  // [{"path", "hash", "size"}], sorted by path
  json::Object parameters;   // file → {key → value}
  bool cached = false;       // its outputs come from the run cache
};

struct StageOutcome {
  int exit_code = 0;
  std::string reason;   // of a failure, one sentence; "" else
  json::Array outputs;  // [{"path", "hash", "size"}], sorted by path
  std::vector<std::pair<std::string, double>>
      metrics;  // numeric leaves of the metrics files, "eval.auc"
};

// Where executions of pipelines are recorded. Calls come in the order begin_repro, (begin_stage,
// finish_stage)*, finish_repro; not thread-safe. Each throws Error when it could not record: a
// repro that is to be tracked and cannot be stops before the stage's command runs.
class RunRecorder {
 public:
  virtual ~RunRecorder() = default;
  virtual void begin_repro(const ReproFacts& facts) = 0;
  // The environment of the stage's commands: where they find the server and by which token. Empty
  // when nothing is recorded.
  virtual std::map<std::string, std::string> begin_stage(const StageFacts& facts) = 0;
  virtual void finish_stage(const StageOutcome& outcome) = 0;
  virtual void finish_repro(bool succeeded) = 0;
  // Whether anything is kept; false spares collecting facts.
  virtual bool records() const = 0;
};

class NullRecorder final : public RunRecorder {
 public:
  void begin_repro(const ReproFacts&) override {}
  std::map<std::string, std::string> begin_stage(const StageFacts&) override { return {}; }
  void finish_stage(const StageOutcome&) override {}
  void finish_repro(bool) override {}
  bool records() const override { return false; }
};

}  // namespace slipway::pipeline
