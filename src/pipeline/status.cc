// SPDX-License-Identifier: Apache-2.0
#include "pipeline/status.h"

#include <algorithm>

#include "pipeline/params.h"

namespace slipway::pipeline {
namespace {

void add_dependency(const Dependency& dependency, const Project& project,
                    data::Workspace& workspace, StageStatus& status) {
  const data::HashKind kind =
      dependency.recorded ? dependency.recorded->kind : data::HashKind::kMd5;
  const std::optional<data::Snapshot> now = workspace.snapshot(dependency.absolute, kind);
  if (!now) {
    status.deps.push_back({project.shown(dependency.absolute), Difference::kDeleted, {}});
  } else if (!dependency.recorded || dependency.recorded->hash != now->hash) {
    status.deps.push_back({project.shown(dependency.absolute), Difference::kModified, {}});
  }
}

void add_params(const ParamDependency& params, const Project& project, StageStatus& status) {
  const std::string shown = project.shown(params.absolute);
  const std::optional<yaml::Node> file = read_param_file(params.absolute, shown);
  if (!file) {
    status.deps.push_back({shown, Difference::kDeleted, {}});
    return;
  }
  if (!params.recorded) {
    status.deps.push_back({shown, Difference::kNew, {}});
    return;
  }
  PathDifference difference{shown, Difference::kModified, {}};
  std::vector<std::string> keys = params.keys;
  if (keys.empty()) {
    for (const yaml::Node* side : {&*file, &*params.recorded}) {
      for (const yaml::Entry& entry : side->entries()) {
        std::string key = entry.key.scalar_text();
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
      }
    }
  }
  const auto recorded_value = [&](const std::string& key) -> const yaml::Node* {
    for (const yaml::Entry& entry : params.recorded->entries()) {
      if (entry.key.scalar_text() == key) return &entry.value;
    }
    return nullptr;
  };
  for (const std::string& key : keys) {
    const yaml::Node* now = find_param(*file, key);
    const yaml::Node* before = recorded_value(key);
    if (now == nullptr) {
      difference.keys.emplace_back(key, Difference::kDeleted);
    } else if (before == nullptr) {
      difference.keys.emplace_back(key, Difference::kNew);
    } else if (!python_equal(*now, *before)) {
      difference.keys.emplace_back(key, Difference::kModified);
    }
  }
  if (!difference.keys.empty()) status.deps.push_back(std::move(difference));
}

void add_output(const Output& output, const Project& project, data::Workspace& workspace,
                StageStatus& status) {
  const std::string shown = project.shown(output.absolute);
  if (output.recorded && output.cache &&
      !workspace.cache().contains_all(output.recorded->hash, output.recorded->kind)) {
    status.outs.push_back({shown, Difference::kNotInCache, {}});
    return;
  }
  const data::HashKind kind = output.recorded ? output.recorded->kind : data::HashKind::kMd5;
  const std::optional<data::Snapshot> now = workspace.snapshot(output.absolute, kind);
  if (!now) {
    status.outs.push_back({shown, Difference::kDeleted, {}});
  } else if (!output.recorded || output.recorded->hash != now->hash) {
    status.outs.push_back({shown, Difference::kModified, {}});
  }
}

}  // namespace

std::string_view difference_name(Difference difference) {
  switch (difference) {
    case Difference::kModified: return "modified";
    case Difference::kDeleted: return "deleted";
    case Difference::kNew: return "new";
    case Difference::kNotInCache: return "not in cache";
  }
  return "modified";
}

StageStatus status_of(const Stage& stage, const Project& project, data::Workspace& workspace) {
  StageStatus status;
  if (!stage.frozen) {
    for (const Dependency& dependency : stage.deps)
      add_dependency(dependency, project, workspace, status);
    for (const ParamDependency& params : stage.params) add_params(params, project, status);
  }
  for (const Output& output : stage.outs) add_output(output, project, workspace, status);
  status.always_changed = stage.is_callback() || stage.always_changed;
  status.command_changed = !stage.is_data() && stage.recorded_command &&
                           !python_equal(*stage.recorded_command, stage.command);
  return status;
}

std::string reason_of(const Stage& stage, const StageStatus& status) {
  if (!stage.is_data() && !stage.recorded_command) return "it never ran";
  if (status.command_changed) return "its command changed";
  if (!status.deps.empty()) {
    const PathDifference& first = status.deps.front();
    if (first.keys.empty())
      return "dependency '" + first.path + "' is " + std::string(difference_name(first.difference));
    return "parameter '" + first.keys.front().first + "' of '" + first.path + "' is " +
           std::string(difference_name(first.keys.front().second));
  }
  if (!status.outs.empty()) {
    return "output '" + status.outs.front().path + "' is " +
           std::string(difference_name(status.outs.front().difference));
  }
  return status.always_changed ? "it runs always" : "";
}

}  // namespace slipway::pipeline
