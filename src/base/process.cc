// SPDX-License-Identifier: Apache-2.0
#include "base/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

extern char** environ;

namespace slipway {
namespace {

constexpr TimeUs kTermGraceUs = 5 * kMicrosPerSecond;  // between TERM and KILL
constexpr int kPollMs = 100;                           // how often `cancelled` is asked
constexpr int kDrainMs = 2'000;  // for what the pipes still hold after the child's end
constexpr int kExitNotStarted =
    127;  // of the forked child when exec failed; the reason goes through a pipe

std::vector<std::string> environment_of(const Command& command) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string name(text.substr(0, text.find('=')));
    const bool removed =
        std::find(command.environment_removed.begin(), command.environment_removed.end(), name) !=
        command.environment_removed.end();
    if (!removed && !command.environment.contains(name)) all.emplace_back(text);
  }
  for (const auto& [name, value] : command.environment) all.push_back(name + "=" + value);
  return all;
}

// The program's file, found as execvp would, but here, before fork: a child may only make
// async-signal-safe calls.
std::string find_program(const std::string& name, const Command& command) {
  if (name.find('/') != std::string::npos) return name;
  const auto own = command.environment.find("PATH");
  const char* inherited = ::getenv("PATH");
  const std::string path = own != command.environment.end() ? own->second
                           : inherited == nullptr           ? "/usr/bin:/bin"
                                                            : inherited;
  std::size_t start = 0;
  while (start <= path.size()) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    std::string candidate = (end == start ? "." : path.substr(start, end - start)) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    start = end + 1;
  }
  throw Error(Code::kNotFound, "program `" + name + "` is not in PATH");
}

struct Pipe {
  Fd read;
  Fd write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw errno_error(errno, "cannot make a pipe");
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* envp;
  const char* folder;
  int in;
  int out;    // -1: inherit
  int error;  // -1: inherit
  int fault;  // write end: errno of what failed before exec
  pid_t parent;
};

// Between fork and exec: async-signal-safe calls alone.
[[noreturn]] void become(const ChildPlan& plan) {
  const auto give_up = [&](int stage) {
    const std::array<int, 2> report{errno, stage};
    const ssize_t written = ::write(plan.fault, report.data(), sizeof report);
    (void)written;
    ::_exit(kExitNotStarted);
  };
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent)
    ::_exit(kExitNotStarted);  // the parent died before the line above
  if (::dup2(plan.in, STDIN_FILENO) < 0) give_up(0);
  if (plan.out >= 0 && ::dup2(plan.out, STDOUT_FILENO) < 0) give_up(0);
  if (plan.error >= 0 && ::dup2(plan.error, STDERR_FILENO) < 0) give_up(0);
  if (plan.folder != nullptr && ::chdir(plan.folder) != 0) give_up(1);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM, SIGCHLD, SIGHUP}) ::signal(number, SIG_DFL);
  ::execve(plan.program, plan.argv, plan.envp);
  give_up(2);
  ::_exit(kExitNotStarted);
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Reads what is there; false at the end of the pipe.
bool drain(int fd, std::string& out) {
  std::array<char, 65'536> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0) {
      out.append(buffer.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    return got < 0 && errno == EAGAIN;
  }
}

// One running child: feeds and reads its pipes until it ended, ends it when it must.
class Child {
 public:
  Child(pid_t pid, const Command& command, Fd input, Fd output, Fd error)
      : pid_(pid),
        command_(command),
        input_(std::move(input)),
        output_(std::move(output)),
        error_(std::move(error)) {
    for (const Fd* fd : {&input_, &output_, &error_}) {
      if (*fd) set_nonblocking(fd->get());
    }
    if (input_ && command_.input.empty()) input_.reset();
    // Becomes readable when the child ends. Kernels without it (before 5.3) leave -1, which poll()
    // ignores.
    end_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }
  ~Child() {
    // Whatever it started goes with it, also when an exception passes through here.
    ::kill(-pid_, SIGKILL);
    if (!reaped_) ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Outcome wait(const Clock& clock) {
    const std::int64_t start_ns = clock.ticks_ns();
    TimeUs killed_at = -1;
    while (!reap()) {
      move_bytes(kPollMs);
      const TimeUs elapsed = (clock.ticks_ns() - start_ns) / 1'000;
      if (killed_at < 0) {
        outcome_.timed_out = command_.timeout_us > 0 && elapsed >= command_.timeout_us;
        outcome_.cancelled = !outcome_.timed_out && command_.cancelled && command_.cancelled();
        if (outcome_.timed_out || outcome_.cancelled) {
          ::kill(-pid_, SIGTERM);
          killed_at = elapsed;
        }
      } else if (elapsed - killed_at >= kTermGraceUs) {
        ::kill(-pid_, SIGKILL);
      }
    }
    outcome_.duration_us = (clock.ticks_ns() - start_ns) / 1'000;
    // The group dies with its leader, so the pipes reach their end at once; the limit is for a
    // descendant that left the group.
    ::kill(-pid_, SIGKILL);
    const std::int64_t drain_until_ns = clock.ticks_ns() + std::int64_t{kDrainMs} * 1'000'000;
    while ((output_ || error_) && clock.ticks_ns() < drain_until_ns) move_bytes(kPollMs);
    return std::move(outcome_);
  }

 private:
  bool reap() {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, WNOHANG);
    if (ended == 0) return false;
    if (ended < 0 && errno == EINTR) return false;
    reaped_ = true;
    outcome_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
  }

  // Sleeps at most `timeout_ms`, less when a pipe has something or the child ended.
  void move_bytes(int timeout_ms) {
    std::vector<pollfd> all;
    if (!reaped_) all.push_back({end_.get(), POLLIN, 0});
    if (output_) all.push_back({output_.get(), POLLIN, 0});
    if (error_) all.push_back({error_.get(), POLLIN, 0});
    if (input_) all.push_back({input_.get(), POLLOUT, 0});
    if (::poll(all.data(), all.size(), timeout_ms) <= 0) return;
    if (output_ && !drain(output_.get(), outcome_.output)) output_.reset();
    if (error_ && !drain(error_.get(), outcome_.error_output)) error_.reset();
    if (input_) feed();
  }

  void feed() {
    const std::string_view rest = std::string_view{command_.input}.substr(fed_);
    const ssize_t written = ::write(input_.get(), rest.data(), rest.size());
    if (written > 0) fed_ += static_cast<std::size_t>(written);
    const bool closed =
        written < 0 && errno != EAGAIN && errno != EINTR;  // EPIPE: it does not want to read
    if (closed || fed_ == command_.input.size()) input_.reset();
  }

  const pid_t pid_;
  const Command& command_;
  Fd input_;
  Fd output_;
  Fd error_;
  Fd end_;
  std::size_t fed_ = 0;
  bool reaped_ = false;
  Outcome outcome_;
};

// A write to a child that closed its input must be an error code, not a signal; blocked for this
// thread while it lasts.
class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalBlock() {
    if (::sigismember(&before_, SIGPIPE) == 0) {
      const timespec now{};
      while (::sigtimedwait(&pipe_, nullptr, &now) == SIGPIPE) {
      }
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

[[noreturn]] void throw_not_started(const Command& command, const std::array<int, 2>& report) {
  constexpr int kStageFolder = 1;
  const std::string what = report[1] == kStageFolder
                               ? "cannot enter folder `" + command.folder + "`"
                               : "cannot start program `" + command.argv[0] + "`";
  throw errno_error(report[0], what);
}

}  // namespace

Outcome SystemProcessRunner::run(const Command& command) {
  if (command.argv.empty()) throw Error(Code::kInvalidArgument, "a command needs a program");
  const SystemClock clock;
  const PipeSignalBlock no_pipe_signal;
  std::vector<std::string> arguments = command.argv;
  std::vector<std::string> environment = environment_of(command);
  const std::string program = find_program(command.argv[0], command);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);

  Pipe input;
  Pipe output;
  Pipe error;
  Pipe fault;
  ChildPlan plan{program.c_str(),   argv.data(),
                 envp.data(),       command.folder.empty() ? nullptr : command.folder.c_str(),
                 input.read.get(),  output.write.get(),
                 error.write.get(), fault.write.get(),
                 ::getpid()};
  Fd file;
  if (!command.output_file.empty()) {
    file.reset(
        ::open(command.output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    if (!file) throw errno_error(errno, "cannot open `" + command.output_file + "`");
    plan.out = plan.error = file.get();
  } else if (command.inherit_output) {
    plan.out = plan.error = -1;
  }

  const pid_t pid = ::fork();
  if (pid < 0) throw errno_error(errno, "cannot start program `" + command.argv[0] + "`");
  if (pid == 0) become(plan);
  ::setpgid(pid, pid);  // both sides do it, so that it holds whoever is first
  input.read.reset();
  output.write.reset();
  error.write.reset();
  fault.write.reset();
  if (file || command.inherit_output) {
    output.read.reset();
    error.read.reset();
  }
  Child child(pid, command, std::move(input.write), std::move(output.read), std::move(error.read));
  std::array<int, 2> report{};
  ssize_t got = 0;
  do {
    got = ::read(fault.read.get(), report.data(), sizeof report);
  } while (got < 0 && errno == EINTR);
  if (got == static_cast<ssize_t>(sizeof report)) throw_not_started(command, report);
  return child.wait(clock);
}

Outcome FakeProcessRunner::run(const Command& command) {
  asked.push_back(command);
  return answer(command);
}

}  // namespace slipway
