// SPDX-License-Identifier: Apache-2.0
#include "pipeline/pipeline_file.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string_view>;

constexpr std::string_view kDefaultParams = "params.yaml";
constexpr std::string_view kForbiddenInName =
    "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~";  // ASCII punctuation but '_' and '-'

const Names& file_keys() {
  static const Names keys = {"stages", "params", "metrics"};
  return keys;
}
const Names& stage_keys() {
  static const Names keys = {"cmd",    "deps",           "params", "outs", "metrics",
                             "frozen", "always_changed", "desc",   "meta"};
  return keys;
}
const Names& output_keys() {
  static const Names keys = {"cache", "persist", "push", "remote",    "desc",
                             "type",  "labels",  "meta", "checkpoint"};
  return keys;
}
const Names& not_offered() {
  static const Names keys = {"foreach", "do",    "matrix",    "wdir",
                             "vars",    "plots", "artifacts", "datasets"};
  return keys;
}

[[noreturn]] void fail(const yaml::Node& node, const std::string& message) {
  throw Error(Code::kInvalidArgument, node.where() + ": " + message);
}

// Keys that DVC knows and this program does not offer are told apart from mistakes.
void check_keys(const yaml::Node& mapping, const Names& known, const std::string& in_what) {
  for (const yaml::Entry& entry : mapping.entries()) {
    const std::string key = entry.key.scalar_text();
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    if (std::find(not_offered().begin(), not_offered().end(), key) != not_offered().end()) {
      throw Error(
          Code::kUnimplemented,
          entry.key.where() + ": `" + key + "` in " + in_what + " is not supported yet by slipway",
          "dvc repro");
    }
  }
  yaml::require_known_keys(mapping, known, in_what);
}

// A text that goes into the lock; templates would have to be resolved first.
const std::string& plain_text(const yaml::Node& node) {
  const std::string& text = node.as_string();
  for (std::size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at + 1)) {
    if (at > 0 && text[at - 1] == '\\') continue;
    throw Error(Code::kUnimplemented,
                node.where() + ": templates (`${…}`) are not supported yet by slipway",
                "dvc repro");
  }
  return text;
}

fs::path absolute_of(const fs::path& folder, const std::string& path) {
  fs::path absolute = (folder / path).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();  // "data/" is "data"
  return absolute;
}

// DVC writes paths as normalised relative ones: "./a" is "a", "data/" is "data". Paths that leave
// the repository stay as they are.
std::string written_path(const yaml::Node& node, const fs::path& folder) {
  const std::string& text = plain_text(node);
  if (text.empty()) fail(node, "a path must not be empty");
  if (text.find("://") != std::string::npos) {
    throw Error(Code::kUnimplemented,
                node.where() + ": external path `" + text + "` is not supported yet by slipway",
                "dvc repro");
  }
  if (text[0] == '/') return text;
  return absolute_of(folder, text).lexically_relative(folder).string();
}

void read_command(const yaml::Node& definition, Stage& stage) {
  const yaml::Node* command = definition.find("cmd");
  if (command == nullptr) fail(definition, "stage `" + stage.name + "` needs `cmd`");
  if (command->is_sequence()) {
    if (command->items().empty()) fail(*command, "`cmd` must not be empty");
    for (const yaml::Node& item : command->items()) (void)plain_text(item);
  } else if (plain_text(*command).find_first_not_of(" \t\r\n") == std::string::npos) {
    fail(*command, "`cmd` must not be empty");
  }
  stage.command = *command;
}

void read_deps(const yaml::Node& list, Stage& stage) {
  for (const yaml::Node& item : list.items()) {
    Dependency dependency;
    dependency.path = written_path(item, stage.folder);
    dependency.absolute = absolute_of(stage.folder, dependency.path);
    stage.deps.push_back(std::move(dependency));
  }
}

ParamDependency& params_of(Stage& stage, const std::string& path) {
  const auto found = std::find_if(stage.params.begin(), stage.params.end(),
                                  [&](const ParamDependency& p) { return p.path == path; });
  if (found != stage.params.end()) return *found;
  ParamDependency fresh;
  fresh.path = path;
  fresh.absolute = absolute_of(stage.folder, path);
  stage.params.push_back(std::move(fresh));
  return stage.params.back();
}

void add_key(ParamDependency& params, const std::string& key) {
  if (std::find(params.keys.begin(), params.keys.end(), key) == params.keys.end())
    params.keys.push_back(key);
}

// A bare text is a key of params.yaml; {file: [keys]} names another file; {file: null} is a whole
// file and wins over its keys.
void read_params(const yaml::Node& list, Stage& stage) {
  std::set<std::string> whole;
  for (const yaml::Node& item : list.items()) {
    if (item.is_string()) {
      add_key(params_of(stage, std::string(kDefaultParams)), plain_text(item));
      continue;
    }
    if (!item.is_mapping()) fail(item, "a parameter is a key, or a mapping of a file to its keys");
    for (const yaml::Entry& entry : item.entries()) {
      ParamDependency& params = params_of(stage, written_path(entry.key, stage.folder));
      if (entry.value.is_null() || (entry.value.is_sequence() && entry.value.items().empty())) {
        whole.insert(params.path);
        continue;
      }
      for (const yaml::Node& key : entry.value.items()) add_key(params, plain_text(key));
    }
  }
  for (ParamDependency& params : stage.params) {
    if (whole.contains(params.path)) params.keys.clear();
  }
}

void read_output_flags(const yaml::Node& flags, const std::string& path, Output& output) {
  if (flags.is_null()) return;
  check_keys(flags, output_keys(), "output `" + path + "`");
  if (const yaml::Node* cache = flags.find("cache")) output.cache = cache->as_bool();
  if (const yaml::Node* persist = flags.find("persist")) output.persist = persist->as_bool();
  if (const yaml::Node* push = flags.find("push")) (void)push->as_bool();
  if (const yaml::Node* remote = flags.find("remote")) (void)remote->as_string();
}

void add_output(const yaml::Node& path, const yaml::Node* flags, bool metric, Stage& stage) {
  Output output;
  output.path = written_path(path, stage.folder);
  output.absolute = absolute_of(stage.folder, output.path);
  output.metric = metric;
  if (flags != nullptr) read_output_flags(*flags, output.path, output);
  const std::string name = output.absolute.filename().string();
  if (name == "dvc.yaml" || name == "dvc.lock" || name.ends_with(".dvc"))
    fail(path, "`" + output.path + "` cannot be an output");
  stage.outs.push_back(std::move(output));
}

void read_outs(const yaml::Node& list, bool metric, Stage& stage) {
  for (const yaml::Node& item : list.items()) {
    if (item.is_string()) {
      add_output(item, nullptr, metric, stage);
      continue;
    }
    if (!item.is_mapping()) fail(item, "an output is a path, or a mapping of a path to its flags");
    for (const yaml::Entry& entry : item.entries())
      add_output(entry.key, &entry.value, metric, stage);
  }
}

void check_paths_differ(const yaml::Node& definition, const Stage& stage) {
  std::set<std::string> seen;
  const auto check = [&](const fs::path& absolute, const std::string& path) {
    if (!seen.insert(absolute.string()).second)
      fail(definition, "`" + path + "` is named twice in stage `" + stage.name + "`");
  };
  for (const Dependency& dependency : stage.deps) check(dependency.absolute, dependency.path);
  for (const Output& output : stage.outs) {
    const bool circular = std::any_of(
        stage.deps.begin(), stage.deps.end(),
        [&](const Dependency& dependency) { return dependency.absolute == output.absolute; });
    if (circular)
      fail(definition, "'" + output.path + "' is specified as an output and as a dependency");
    check(output.absolute, output.path);
  }
}

Stage parse_stage(const std::string& name, const yaml::Node& key, const yaml::Node& definition,
                  const fs::path& file) {
  if (name.empty() || name.find_first_of(kForbiddenInName) != std::string::npos) {
    fail(key, "stage name `" + name + "` must not contain punctuation but `-` and `_`");
  }
  Stage stage;
  stage.name = name;
  stage.file = file;
  stage.folder = file.parent_path();
  check_keys(definition, stage_keys(), "stage `" + name + "`");
  read_command(definition, stage);
  if (const yaml::Node* deps = definition.find("deps")) read_deps(*deps, stage);
  if (const yaml::Node* params = definition.find("params")) read_params(*params, stage);
  if (const yaml::Node* outs = definition.find("outs")) read_outs(*outs, false, stage);
  if (const yaml::Node* metrics = definition.find("metrics")) read_outs(*metrics, true, stage);
  if (const yaml::Node* frozen = definition.find("frozen")) stage.frozen = frozen->as_bool();
  if (const yaml::Node* always = definition.find("always_changed"))
    stage.always_changed = always->as_bool();
  if (const yaml::Node* desc = definition.find("desc")) (void)desc->as_string();
  check_paths_differ(definition, stage);
  return stage;
}

}  // namespace

std::vector<Stage> parse_pipeline(std::string_view text, const fs::path& file,
                                  const std::string& file_name) {
  const yaml::Node root = yaml::parse(text, file_name);
  std::vector<Stage> stages;
  if (root.is_null()) return stages;
  check_keys(root, file_keys(), file_name);
  const yaml::Node* all = root.find("stages");
  if (all == nullptr || all->is_null()) return stages;
  for (const yaml::Entry& entry : all->entries()) {
    stages.push_back(parse_stage(entry.key.scalar_text(), entry.key, entry.value, file));
  }
  return stages;
}

}  // namespace slipway::pipeline
