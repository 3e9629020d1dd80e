// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace slipway {

// A program to run: no shell in between.
struct Command {
  std::vector<std::string> argv;                   // argv[0] is looked up in PATH
  std::string folder;                              // working folder; empty = this process's
  std::map<std::string, std::string> environment;  // set on top of this process's environment
  std::vector<std::string> environment_removed;    // names taken out of it first
  std::string input;                               // standard input, then end of file
  TimeUs timeout_us = 0;        // 0 = none; then TERM, after 5 s KILL, to the whole process group
  std::string output_file;      // append stdout and stderr there instead of capturing
  bool inherit_output = false;  // stdout and stderr are this process's
  std::function<bool()>
      cancelled;  // polled 10 times a second; true ends the child as the timeout does
};

struct Outcome {
  int exit_code = 0;  // 128 + signal when a signal ended it, as shells say
  bool timed_out = false;
  bool cancelled = false;
  std::string output;        // stdout, unless redirected
  std::string error_output;  // stderr, likewise
  TimeUs duration_us = 0;
};

// The process door. Implementations are thread-safe.
class ProcessRunner {
 public:
  virtual ~ProcessRunner() = default;
  // Runs it to its end in a process group of its own, which dies with it: nothing it started
  // survives, and the child gets a KILL if this process dies. A non-zero exit is an Outcome;
  // kNotFound if the program does not exist.
  virtual Outcome run(const Command& command) = 0;
};

class SystemProcessRunner final : public ProcessRunner {
 public:
  Outcome run(const Command& command) override;
};

// Answers from a script instead of starting programs; remembers what was asked.
class FakeProcessRunner final : public ProcessRunner {
 public:
  std::function<Outcome(const Command&)> answer;  // must be set
  std::vector<Command> asked;
  Outcome run(const Command& command) override;
};

}  // namespace slipway
