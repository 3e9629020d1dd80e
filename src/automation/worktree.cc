// SPDX-License-Identifier: Apache-2.0
#include "automation/worktree.h"

#include <filesystem>
#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "data/config.h"
#include "yaml/emit.h"
#include "yaml/node.h"

namespace slipway::automation {
namespace fs = std::filesystem;
namespace {

constexpr TimeUs kGitTimeout = 300 * kMicrosPerSecond;

Outcome git(ProcessRunner& processes, const std::string& repository,
            std::vector<std::string> arguments) {
  Command command;
  command.argv = {"git", "-C", repository};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = {{"GIT_TERMINAL_PROMPT", "0"}, {"LC_ALL", "C"}};
  // A server that was started from a git hook must not hand that repository on.
  command.environment_removed = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"};
  command.timeout_us = kGitTimeout;
  return processes.run(command);
}

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of("\r\n ");
  if (end == std::string::npos) {
    return "";
  }
  const std::size_t begin = text.find_last_of('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

// A value of an INI file ends with its line: what comes after would be settings of its own.
void check_ini_value(const std::string& what, const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      throw Error(Code::kFailedPrecondition,
                  what + " holds a control character, which cannot stand in DVC's configuration");
    }
  }
}

yaml::Node scalar_node(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kBool: return yaml::Node::boolean(value.as_bool());
    case json::Value::Kind::kInt: return yaml::Node::integer(value.as_int());
    case json::Value::Kind::kString: return yaml::Node::string(value.as_string());
    default: return yaml::Node::real(value.as_double());
  }
}

// A key may itself hold dots, so the whole rest is tried before its parts.
yaml::Node* find_param(yaml::Node& node, std::string_view key) {
  if (yaml::Node* whole = node.find(key); whole != nullptr) {
    return whole;
  }
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos;
       dot = key.find('.', dot + 1)) {
    if (yaml::Node* part = node.find(key.substr(0, dot)); part != nullptr) {
      if (yaml::Node* found = find_param(*part, key.substr(dot + 1)); found != nullptr) {
        return found;
      }
    }
  }
  return nullptr;
}

}  // namespace

void add_worktree(ProcessRunner& processes, const Worktree& worktree) {
  remove_worktree(processes, worktree);
  fs::create_directories(fs::path(worktree.folder).parent_path());
  const Outcome outcome =
      git(processes, worktree.repository,
          {"worktree", "add", "--detach", "--force", worktree.folder, worktree.commit});
  if (outcome.exit_code != 0) {
    throw Error(Code::kFailedPrecondition, "git cannot check out commit " + worktree.commit +
                                               " of " + worktree.repository + ": " +
                                               last_line(outcome.error_output));
  }
}

void remove_worktree(ProcessRunner& processes, const Worktree& worktree) {
  std::error_code
      ignored;  // what cannot be removed is tried again by the next attempt and by recovery
  if (fs::exists(worktree.folder, ignored)) {
    git(processes, worktree.repository,
        {"worktree", "remove", "--force", "--force", worktree.folder});
    fs::remove_all(worktree.folder, ignored);
    git(processes, worktree.repository, {"worktree", "prune"});
  }
}

void share_cache(const Worktree& worktree, const std::string& pipeline) {
  const fs::path top = fs::path(worktree.repository).lexically_normal();
  fs::path at = (top / pipeline).lexically_normal();
  while (!fs::is_directory(at / ".dvc")) {
    if (at == top || !at.has_relative_path()) {
      return;
    }
    at = at.parent_path();
  }
  const data::Config config = data::load_config(at / ".dvc");
  const fs::path mirrored = fs::path(worktree.folder) / at.lexically_relative(top) / ".dvc";
  fs::create_directories(mirrored);
  check_ini_value("the cache's folder", config.cache_dir.string());
  std::string text = "[cache]\n    dir = " + config.cache_dir.string() + "\n";
  if (const std::string* type = config.find("cache", "type"); type != nullptr) {
    check_ini_value("the cache's type", *type);
    text += "    type = \"" + *type + "\"\n";
  }
  write_file_atomic(mirrored / "config.local", text);
}

void set_params(const std::string& folder, const json::Object& params) {
  if (params.empty()) {
    return;
  }
  const fs::path path = fs::path(folder) / "params.yaml";
  const std::optional<std::string> text = read_file_if_exists(path);
  if (!text) {
    throw Error(Code::kFailedPrecondition,
                "the trigger sets parameters, but the pipeline has no params.yaml");
  }
  yaml::Node document = yaml::parse(*text, "params.yaml");
  for (const auto& [key, value] : params) {
    yaml::Node* found = document.is_mapping() ? find_param(document, key) : nullptr;
    if (found == nullptr) {
      throw Error(Code::kFailedPrecondition,
                  "the trigger sets the parameter `" + key + "`, which params.yaml does not have");
    }
    *found = scalar_node(value);
  }
  write_file_atomic(path, yaml::emit(document));
}

}  // namespace slipway::automation
