// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/process.h"

namespace slipway::pipeline {

// What has to run for a stage, decided by others.
struct StageTask {
  std::string stage;                  // for messages
  std::vector<std::string> commands;  // run one after another, each by a shell of its own
  std::filesystem::path folder;       // working folder
  std::map<std::string, std::string> environment;   // on top of this process's
  std::vector<std::string> environment_removed;     // names taken out of it
  std::function<void(const std::string&)> started;  // called with each command before it runs
  std::function<bool()> cancelled;                  // polled; true ends the command
};

struct StageResult {
  int exit_code = 0;  // of the first command that failed, else 0
  bool cancelled = false;
  std::string failed_command;  // "" when all went well
  TimeUs duration_us = 0;
};

// Where stages run. Implementations are thread-safe: each call has its own processes.
class StageRunner {
 public:
  virtual ~StageRunner() = default;
  // Runs the commands in order and stops at the first that fails. A failing command is a result;
  // throws only when a shell cannot be started.
  virtual StageResult run(const StageTask& task) = 0;
};

// On this machine, as DVC does: $SHELL (else /bin/sh) -c, bash without profile and rc files, zsh
// without rc files; output goes where this process's goes.
class LocalStageRunner final : public StageRunner {
 public:
  explicit LocalStageRunner(ProcessRunner& processes) : processes_(processes) {}
  StageResult run(const StageTask& task) override;

 private:
  ProcessRunner& processes_;
};

// The program and arguments that run one command line under the shell at that path.
std::vector<std::string> shell_command(const std::string& shell, const std::string& line);

}  // namespace slipway::pipeline
