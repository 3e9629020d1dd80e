// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stage_runner.h"

#include <cstdlib>

namespace slipway::pipeline {

std::vector<std::string> shell_command(const std::string& shell, const std::string& line) {
  std::string name = std::filesystem::path(shell).filename().string();
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (name == "bash") return {shell, "--noprofile", "--norc", "-c", line};
  if (name == "zsh") return {shell, "--no-rcs", "-c", line};
  return {shell, "-c", line};
}

StageResult LocalStageRunner::run(const StageTask& task) {
  const char* configured = std::getenv("SHELL");
  const std::string shell = configured != nullptr && *configured != '\0' ? configured : "/bin/sh";
  StageResult result;
  for (const std::string& line : task.commands) {
    if (task.started) task.started(line);
    Command command;
    command.argv = shell_command(shell, line);
    command.folder = task.folder.string();
    command.environment = task.environment;
    command.environment_removed = task.environment_removed;
    command.inherit_output = true;
    command.cancelled = task.cancelled;
    const Outcome outcome = processes_.run(command);
    result.duration_us += outcome.duration_us;
    result.cancelled = outcome.cancelled;
    if (outcome.exit_code == 0) continue;
    result.exit_code = outcome.exit_code;
    result.failed_command = line;
    return result;
  }
  return result;
}

}  // namespace slipway::pipeline
