// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/md5.h"
#include "data/snapshot.h"
#include "yaml/node.h"

namespace slipway::pipeline {

// What dvc.lock or a .dvc file says of a path's content.
struct Recorded {
  std::string hash;  // 32 hex digits, ".dir" behind them for a directory
  data::HashKind kind = data::HashKind::kMd5;
  std::optional<std::int64_t> size;    // bytes
  std::optional<std::int64_t> nfiles;  // of a directory
  bool is_exec = false;
  bool operator==(const Recorded&) const = default;
};

Recorded recorded_of(const data::Snapshot& snapshot);

struct Dependency {
  std::string path;  // as written, relative to the stage's folder
  std::filesystem::path absolute;
  std::optional<Recorded> recorded;
};

// Keys of a parameter file that a stage depends on.
struct ParamDependency {
  std::string path;
  std::filesystem::path absolute;
  std::vector<std::string> keys;       // dotted; empty = the whole file
  std::optional<yaml::Node> recorded;  // mapping of key → value, or of the whole file
};

struct Output {
  std::string path;
  std::filesystem::path absolute;
  bool cache = true;
  bool persist = false;
  bool metric = false;
  std::optional<Recorded> recorded;
};

// One node of the pipeline: a stage of a dvc.yaml with a command, or a .dvc file (data that
// somebody added: no command, no name).
struct Stage {
  std::string name;            // "" for a .dvc file
  std::filesystem::path file;  // the dvc.yaml or .dvc, absolute
  std::filesystem::path
      folder;  // where its paths start and its command runs: the file's folder, or the .dvc's wdir
  std::string address;  // as a user names it: "train", "sub/dvc.yaml:train", "data.dvc"; relative
                        // to where the command was started
  yaml::Node command;   // a text or a list of texts; null for a .dvc file
  std::optional<yaml::Node> recorded_command;  // of dvc.lock; nullopt when the stage never ran
  std::vector<Dependency> deps;
  std::vector<ParamDependency> params;
  std::vector<Output> outs;
  bool frozen = false;
  bool always_changed = false;
  bool is_import = false;  // a .dvc with deps: made by `dvc import`

  bool is_data() const { return command.is_null(); }
  // Runs at every repro, since nothing could tell that it need not.
  bool is_callback() const { return !is_data() && deps.empty() && params.empty() && outs.empty(); }
  // As DVC speaks of it in messages: "stage: 'train'".
  std::string title() const { return "stage: '" + address + "'"; }
};

// The command as the shells get it: list items, or the lines of a text.
std::vector<std::string> command_lines(const yaml::Node& command);

// Equality as Python has it, which is what DVC compares by: 1 equals 1.0 and true, NaN equals
// nothing, the order of keys does not count.
bool python_equal(const yaml::Node& a, const yaml::Node& b);

}  // namespace slipway::pipeline
