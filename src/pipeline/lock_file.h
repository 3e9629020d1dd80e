// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/stage.h"
#include "yaml/node.h"

namespace slipway::pipeline {

// What one stage was when it last ran, as dvc.lock and the run cache hold it: keys cmd, deps,
// params, outs in this order, empty ones absent. Every dependency, parameter file and output of the
// stage must have its `recorded`; else kInternal naming it.
yaml::Node lock_entry(const Stage& stage);

// Takes from such an entry what the stage's dependencies, parameters and outputs were. Paths that
// the stage no longer has are left out.
void fill_from_entry(const yaml::Node& entry, Stage& stage);

// A dvc.lock. Values that are not the stages' own (other stages, `datasets`) are kept.
class LockFile {
 public:
  // Reads it; an absent or empty file is an empty lock. Throws kInvalidArgument: not YAML, another
  // schema than 2.0 (DVC 1's is named so).
  LockFile(std::filesystem::path file, const std::string& file_name);

  bool empty() const { return root_.entries().empty(); }
  const yaml::Node* find(const std::string& stage) const;

  // Puts the entry in the stage's place, or at the end. False when nothing changes (as Python
  // compares).
  bool set(const std::string& stage, yaml::Node entry);

  // DVC's bytes, written atomically.
  void save() const;
  std::string text() const;

 private:
  std::filesystem::path file_;
  yaml::Node root_;
};

}  // namespace slipway::pipeline
