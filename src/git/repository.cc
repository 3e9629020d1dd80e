// SPDX-License-Identifier: Apache-2.0
#include "git/repository.h"

#include <algorithm>

#include "base/error.h"

namespace slipway::git {
namespace {

constexpr TimeUs kTimeoutUs =
    120 *
    kMicrosPerSecond;  // a work tree of many files takes its time; a hanging git must not hang us

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace

Outcome Repository::run(std::vector<std::string> arguments) const {
  Command command;
  command.argv = {"git"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.folder = folder_.string();
  // Prompts would hang, and the index must not be refreshed behind a user's back by a question.
  command.environment = {
      {"GIT_TERMINAL_PROMPT", "0"}, {"GIT_OPTIONAL_LOCKS", "0"}, {"LC_ALL", "C"}};
  command.timeout_us = kTimeoutUs;
  return processes_.run(command);
}

std::optional<std::string> Repository::line(std::vector<std::string> arguments) const {
  try {
    Outcome outcome = run(std::move(arguments));
    if (outcome.exit_code != 0) return std::nullopt;
    std::string text = without_line_end(std::move(outcome.output));
    if (text.empty()) return std::nullopt;
    return text;
  } catch (const Error& error) {
    if (error.code() == Code::kNotFound) return std::nullopt;  // no git program, or no such folder
    throw;
  }
}

std::optional<std::filesystem::path> Repository::top_level() const {
  if (const auto text = line({"rev-parse", "--show-toplevel"})) return std::filesystem::path(*text);
  return std::nullopt;
}

std::optional<std::filesystem::path> Repository::main_folder() const {
  const auto text = line({"rev-parse", "--path-format=absolute", "--git-common-dir"});
  if (!text) return std::nullopt;
  return std::filesystem::path(*text).parent_path();
}

std::optional<std::string> Repository::head_commit() const {
  return line({"rev-parse", "--verify", "--quiet", "HEAD^{commit}"});
}

std::optional<std::string> Repository::branch() const {
  return line({"symbolic-ref", "--quiet", "--short", "HEAD"});
}

bool Repository::is_dirty() const {
  return line({"status", "--porcelain", "--untracked-files=no"}).has_value();
}

std::optional<std::string> Repository::resolve(const std::string& revision) const {
  return line({"rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}"});
}

bool Repository::is_ignored(const std::filesystem::path& path) const {
  return run({"check-ignore", "--quiet", "--no-index", "--", path.string()}).exit_code == 0;
}

std::vector<std::filesystem::path> Repository::tracked_among(
    const std::vector<std::filesystem::path>& paths) const {
  if (paths.empty()) return {};
  std::vector<std::string> arguments = {"--literal-pathspecs", "ls-files", "-z", "--full-name",
                                        "--"};
  for (const std::filesystem::path& path : paths) arguments.push_back(path.string());
  const Outcome outcome = run(std::move(arguments));
  const std::optional<std::filesystem::path> top = top_level();
  if (outcome.exit_code != 0 || !top || outcome.output.empty()) return {};
  std::vector<std::filesystem::path> tracked;
  for (const std::filesystem::path& path : paths) {
    const std::string name = path.lexically_relative(*top).string();
    for (std::size_t start = 0; start < outcome.output.size();) {
      const std::size_t end = std::min(outcome.output.find('\0', start), outcome.output.size());
      const std::string_view entry = std::string_view{outcome.output}.substr(start, end - start);
      start = end + 1;
      const bool inside =
          entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '/';
      if (entry == name || inside) {
        tracked.push_back(path);
        break;
      }
    }
  }
  return tracked;
}

void Repository::add(const std::vector<std::filesystem::path>& paths) const {
  std::vector<std::string> arguments = {"--literal-pathspecs", "add", "--"};
  for (const std::filesystem::path& path : paths) arguments.push_back(path.string());
  const Outcome outcome = run(std::move(arguments));
  if (outcome.exit_code != 0) {
    throw Error(Code::kFailedPrecondition,
                "git add failed: " + without_line_end(outcome.error_output));
  }
}

void Repository::add_worktree(const std::filesystem::path& target,
                              const std::string& commit) const {
  const Outcome outcome = run({"worktree", "add", "--detach", "--quiet", target.string(), commit});
  if (outcome.exit_code != 0) {
    throw Error(Code::kFailedPrecondition, "git cannot make a work tree of " + commit + ": " +
                                               without_line_end(outcome.error_output));
  }
}

void Repository::remove_worktree(const std::filesystem::path& target) const {
  run({"worktree", "remove", "--force", target.string()});
  std::error_code fault;
  std::filesystem::remove_all(target, fault);
  run({"worktree", "prune"});
  if (fault) throw errno_error(fault.value(), "cannot remove work tree `" + target.string() + "`");
}

}  // namespace slipway::git
