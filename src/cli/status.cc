// SPDX-License-Identifier: Apache-2.0
#include "pipeline/status.h"

#include <numeric>
#include <ostream>

#include "base/process.h"
#include "cli/dvc_verbs.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr std::size_t kWordWidth = 20;  // "modified:" and blanks, as DVC aligns it

std::string aligned(pipeline::Difference difference) {
  std::string word = std::string(pipeline::difference_name(difference)) + ":";
  word.resize(kWordWidth, ' ');
  return word;
}

void print(Context& context, const char* title,
           const std::vector<pipeline::PathDifference>& differences) {
  if (differences.empty()) return;
  context.out << '\t' << title << ":\n";
  for (const pipeline::PathDifference& difference : differences) {
    if (difference.keys.empty()) {
      context.out << "\t\t" << aligned(difference.difference) << difference.path << '\n';
      continue;
    }
    context.out << "\t\t" << difference.path << ":\n";
    for (const auto& [key, what] : difference.keys)
      context.out << "\t\t\t" << aligned(what) << key << '\n';
  }
}

json::Object to_json(const std::vector<pipeline::PathDifference>& differences) {
  json::Object paths;
  for (const pipeline::PathDifference& difference : differences) {
    if (difference.keys.empty()) {
      paths.set(difference.path, std::string(pipeline::difference_name(difference.difference)));
      continue;
    }
    json::Object keys;
    for (const auto& [key, what] : difference.keys)
      keys.set(key, std::string(pipeline::difference_name(what)));
    paths.set(difference.path, std::move(keys));
  }
  return paths;
}

json::Array to_json(const pipeline::StageStatus& status) {
  json::Array changes;
  if (!status.deps.empty())
    changes.emplace_back(json::Object{{"changed deps", to_json(status.deps)}});
  if (!status.outs.empty())
    changes.emplace_back(json::Object{{"changed outs", to_json(status.outs)}});
  if (status.always_changed) changes.emplace_back("always changed");
  if (status.command_changed) changes.emplace_back("changed command");
  return changes;
}

struct Format {
  bool json = false;
  bool quiet = false;
};

void print(Context& context, const pipeline::Stage& stage, const pipeline::StageStatus& status) {
  context.out << stage.address << ":\n";
  print(context, "changed deps", status.deps);
  print(context, "changed outs", status.outs);
  if (status.always_changed) context.out << "\talways changed\n";
  if (status.command_changed) context.out << "\tchanged command\n";
}

// Prints what has changed; as JSON in one object at the end. Returns whether anything has.
bool show_stages(const pipeline::Project& project, data::Workspace& workspace,
                 const std::vector<std::size_t>& selected, const Format& format, Context& context) {
  json::Object all;
  bool changed = false;
  for (const std::size_t index : selected) {
    const pipeline::Stage& stage = project.stages()[index];
    if (stage.frozen && !stage.is_import && !format.quiet) {
      context.err
          << "WARNING: " << stage.title()
          << " is frozen. Its dependencies are not going to be shown in the status output.\n";
    }
    const pipeline::StageStatus status = pipeline::status_of(stage, project, workspace);
    if (!status.changed()) continue;
    changed = true;
    if (format.json) {
      all.set(stage.address, to_json(status));
    } else if (!format.quiet) {
      print(context, stage, status);
    }
  }
  if (format.json) context.out << json::write(all, {.python_separators = true}) << '\n';
  return changed;
}

}  // namespace

int dvc_status(const Arguments& arguments, Context& context) {
  return dvc_edge(context, kFailed, "", [&] {
    SystemProcessRunner processes;
    const std::filesystem::path current = std::filesystem::current_path();
    data::Workspace workspace(current, processes);
    const pipeline::Project project(workspace, current);
    const std::vector<std::string> targets = arguments.list("TARGET");
    std::vector<std::size_t> selected(project.stages().size());
    std::iota(selected.begin(), selected.end(), std::size_t{0});
    if (!targets.empty()) selected = project.select(targets);

    const Format format{.json = context.json || arguments.flag("json"),
                        .quiet = arguments.flag("quiet")};
    const bool changed = show_stages(project, workspace, selected, format, context);
    if (format.json) return int{kDone};
    if (format.quiet) return changed ? 1 : 0;
    if (project.stages().empty()) {
      context.out << "There are no data or pipelines tracked in this project yet.\nSee "
                     "<https://dvc.org/doc/start> to get started!\n";
    } else if (!changed) {
      context.out << "Data and pipelines are up to date.\n";
    }
    return int{kDone};
  });
}

}  // namespace slipway::cli
