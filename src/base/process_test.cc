// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway {
namespace {

Command shell(const std::string& script) {
  Command command;
  command.argv = {"sh", "-c", script};
  return command;
}

TEST(Process, GivesOutputErrorOutputAndExitCode) {
  SystemProcessRunner runner;
  const Outcome outcome = runner.run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(outcome.output, "out\n");
  EXPECT_EQ(outcome.error_output, "err\n");
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_FALSE(outcome.timed_out);
}

TEST(Process, AProgramThatIsNotThereIsNotFound) {
  SystemProcessRunner runner;
  Command command;
  command.argv = {"no-such-program-anywhere"};
  try {
    runner.run(command);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(), "program `no-such-program-anywhere` is not in PATH");
  }
  command.argv = {"/no/such/file"};
  EXPECT_THROW(runner.run(command), Error);
}

TEST(Process, AFolderThatIsNotThereIsNamed) {
  SystemProcessRunner runner;
  Command command = shell("true");
  command.folder = "/no/such/folder";
  try {
    runner.run(command);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kNotFound);
    EXPECT_STREQ(error.what(), "cannot enter folder `/no/such/folder`: No such file or directory");
  }
}

TEST(Process, FeedsAndReadsMoreThanAPipeHoldsWithoutDeadlock) {
  SystemProcessRunner runner;
  Command command;
  command.argv = {"cat"};
  command.input.assign(5'000'000, 'x');
  const Outcome outcome = runner.run(command);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output.size(), 5'000'000U);
  // A program that does not read its input is no fault.
  command.argv = {"true"};
  EXPECT_EQ(runner.run(command).exit_code, 0);
}

TEST(Process, EnvironmentIsSetAndRemoved) {
  ::setenv("SLIPWAY_TEST_REMOVED", "here", 1);
  SystemProcessRunner runner;
  Command command = shell("echo \"$SLIPWAY_TEST_SET-$SLIPWAY_TEST_REMOVED-\"");
  command.environment["SLIPWAY_TEST_SET"] = "yes";
  command.environment_removed = {"SLIPWAY_TEST_REMOVED"};
  EXPECT_EQ(runner.run(command).output, "yes--\n");
}

TEST(Process, ATimeoutEndsTheWholeGroup) {
  SystemProcessRunner runner;
  // The child starts a grandchild and prints its id; both must be gone.
  Command command = shell("sleep 60 & echo $!; wait");
  command.timeout_us = 300'000;
  const Outcome outcome = runner.run(command);
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 128 + SIGTERM);
  EXPECT_LT(outcome.duration_us, 4 * kMicrosPerSecond);
  const pid_t grandchild = static_cast<pid_t>(std::stol(outcome.output));
  for (int i = 0; i < 100 && ::kill(grandchild, 0) == 0; ++i) {
    // A killed orphan may wait a moment for its new parent to reap it: then its state is Z.
    const std::string status = read_file("/proc/" + std::to_string(grandchild) + "/stat");
    if (status.find(") Z ") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_NE(::kill(grandchild, 0), 0);
}

TEST(Process, OneThatIgnoresTermIsKilledAfterTheGrace) {
  SystemProcessRunner runner;
  Command command = shell("trap '' TERM; while :; do sleep 0.1; done");
  command.timeout_us = 100'000;
  const Outcome outcome = runner.run(command);
  EXPECT_TRUE(outcome.timed_out);
  EXPECT_EQ(outcome.exit_code, 128 + SIGKILL);
  EXPECT_GE(outcome.duration_us, 5 * kMicrosPerSecond);
}

TEST(Process, CancelledEndsIt) {
  SystemProcessRunner runner;
  Command command = shell("sleep 60");
  int asked = 0;
  command.cancelled = [&] { return ++asked > 2; };
  const Outcome outcome = runner.run(command);
  EXPECT_TRUE(outcome.cancelled);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_LT(outcome.duration_us, 4 * kMicrosPerSecond);
}

TEST(Process, OutputFileTakesBothStreamsAppended) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("process_test." + std::to_string(::getpid()));
  SystemProcessRunner runner;
  Command command = shell("echo out; echo err >&2");
  command.output_file = path;
  EXPECT_EQ(runner.run(command).output, "");
  runner.run(command);
  EXPECT_EQ(read_file(path), "out\nerr\nout\nerr\n");
  std::filesystem::remove(path);
}

TEST(Process, ABackgroundChildDoesNotHoldTheCallerUp) {
  SystemProcessRunner runner;
  const Outcome outcome = runner.run(shell("sleep 60 & echo started"));
  EXPECT_EQ(outcome.output, "started\n");
  EXPECT_LT(outcome.duration_us, 4 * kMicrosPerSecond);
}

TEST(Process, ShortCommandsEndWithoutWaitingForAPoll) {
  SystemProcessRunner runner;
  Command command = shell("sleep 0.15");
  command.inherit_output = true;
  EXPECT_LT(runner.run(command).duration_us, 240'000);
}

}  // namespace
}  // namespace slipway
