// SPDX-License-Identifier: Apache-2.0
#include "pipeline/project.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "pipeline/data_file.h"
#include "pipeline/pipeline_file.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPipelineFile = "dvc.yaml";
constexpr std::string_view kDataSuffix = ".dvc";

[[noreturn]] void fail(const std::string& message) { throw Error(Code::kInvalidArgument, message); }

fs::path lock_path(const Stage& stage) {
  fs::path lock = stage.file;
  return lock.replace_extension(".lock");
}

bool is_inside(const fs::path& path, const fs::path& folder) {
  const std::string& text = path.native();
  const std::string& prefix = folder.native();
  return text.size() > prefix.size() && text.starts_with(prefix) && text[prefix.size()] == '/';
}

}  // namespace

Project::Project(data::Workspace& workspace, fs::path current)
    : workspace_(workspace),
      current_(std::move(current)),
      git_ignore_(workspace.root(), ".gitignore") {
  collect(workspace_.root());
  link_stages();
  check_cycles();
}

std::string Project::shown(const fs::path& absolute) const {
  if (!is_inside(absolute, workspace_.root()) && absolute != workspace_.root())
    return absolute.string();
  return absolute.lexically_relative(current_).string();
}

void Project::collect(const fs::path& folder) {
  std::vector<fs::path> files;
  std::vector<fs::path> folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::error_code fault;
    const bool is_folder = entry.is_directory(fault) && !entry.is_symlink(fault);
    const std::string name = entry.path().filename().string();
    if (is_folder) {
      folders.push_back(entry.path());
    } else if (name == kPipelineFile ||
               (name.size() > kDataSuffix.size() && name.ends_with(kDataSuffix))) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::sort(folders.begin(), folders.end());
  const auto relative = [&](const fs::path& path) {
    return path.lexically_relative(workspace_.root()).string();
  };
  for (const fs::path& file : files) {
    std::error_code fault;
    if (!fs::is_regular_file(file, fault) || workspace_.ignore().ignored(relative(file), false))
      continue;
    if (file.filename() == kPipelineFile) {
      load_pipeline(file);
    } else {
      load_data(file);
    }
  }
  for (const fs::path& path : folders) {
    const std::string name = relative(path);
    if (workspace_.ignore().ignored(name, true) || git_ignore_.ignored(name, true)) continue;
    const bool is_output = std::any_of(stages_.begin(), stages_.end(), [&](const Stage& stage) {
      return std::any_of(stage.outs.begin(), stage.outs.end(),
                         [&](const Output& output) { return output.absolute == path; });
    });
    if (!is_output) collect(path);
  }
}

void Project::load_pipeline(const fs::path& file) {
  const std::string name = shown(file);
  std::vector<Stage> fresh = parse_pipeline(read_file(file), file, name);
  if (fresh.empty()) return;
  for (Stage& stage : fresh) {
    stage.address = name == kPipelineFile ? stage.name : name + ":" + stage.name;
    if (const yaml::Node* entry = lock_of(stage).find(stage.name)) fill_from_entry(*entry, stage);
    stages_.push_back(std::move(stage));
  }
}

void Project::load_data(const fs::path& file) {
  Stage stage = parse_data_file(read_file(file), file, shown(file));
  stage.address = shown(file);
  stages_.push_back(std::move(stage));
}

LockFile& Project::lock_of(const Stage& stage) {
  const fs::path file = lock_path(stage);
  const auto found = locks_.find(file);
  if (found != locks_.end()) return found->second;
  return locks_.emplace(file, LockFile(file, shown(file))).first->second;
}

void Project::link_stages() {
  struct Owner {
    std::size_t stage;
    const Output* output;
  };
  std::map<std::string, Owner> outs;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    for (const Output& output : stages_[i].outs) {
      const auto [before, fresh] = outs.emplace(output.absolute.string(), Owner{i, &output});
      if (!fresh) {
        fail("output '" + shown(output.absolute) + "' is specified in:\n\t- " +
             stages_[before->second.stage].address + "\n\t- " + stages_[i].address +
             "\nUse `dvc remove` with any of the above targets to stop tracking the overlapping "
             "output.");
      }
    }
  }
  // Outputs at, above or below a path.
  const auto overlapping = [&](const fs::path& path) {
    std::vector<Owner> found;
    std::vector<fs::path> above;
    for (fs::path folder = path; folder.has_relative_path(); folder = folder.parent_path())
      above.push_back(folder);
    for (auto folder = above.rbegin(); folder != above.rend(); ++folder) {
      if (const auto owner = outs.find(folder->string()); owner != outs.end())
        found.push_back(owner->second);
    }
    const std::string prefix = path.string() + "/";
    for (auto below = outs.lower_bound(prefix);
         below != outs.end() && below->first.starts_with(prefix); ++below) {
      found.push_back(below->second);
    }
    return found;
  };
  for (const auto& [path, owner] : outs) {
    for (const Owner& other : overlapping(path)) {
      if (other.output == owner.output) continue;
      const bool other_is_above = is_inside(path, other.output->absolute);
      const Owner& parent = other_is_above ? other : owner;
      const Owner& child = other_is_above ? owner : other;
      fail("The output paths:\n'" + shown(parent.output->absolute) + "'('" +
           stages_[parent.stage].address + "')\n'" + shown(child.output->absolute) + "'('" +
           stages_[child.stage].address +
           "')\noverlap and are thus in the same tracked directory.\nTo keep reproducibility, "
           "outputs should be in separate "
           "tracked directories or tracked individually.");
    }
  }
  upstream_.assign(stages_.size(), {});
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const Stage& stage = stages_[i];
    for (const auto& [path, owner] : outs) {
      if (is_inside(stage.file, path))
        fail(stage.title() + " is within an output '" + shown(path) + "' of another stage");
    }
    const auto add = [&](const fs::path& path) {
      for (const Owner& owner : overlapping(path)) {
        std::vector<std::size_t>& edges = upstream_[i];
        if (std::find(edges.begin(), edges.end(), owner.stage) == edges.end())
          edges.push_back(owner.stage);
      }
    };
    for (const Dependency& dependency : stage.deps) add(dependency.absolute);
    for (const ParamDependency& params : stage.params) add(params.absolute);
  }
}

void Project::check_cycles() const {
  enum class Mark { kNew, kOpen, kDone };
  std::vector<Mark> marks(stages_.size(), Mark::kNew);
  for (std::size_t start = 0; start < stages_.size(); ++start) {
    if (marks[start] != Mark::kNew) continue;
    std::vector<std::pair<std::size_t, std::size_t>> path{{start, 0}};  // stage, next edge
    marks[start] = Mark::kOpen;
    while (!path.empty()) {
      auto& [stage, edge] = path.back();
      if (edge == upstream_[stage].size()) {
        marks[stage] = Mark::kDone;
        path.pop_back();
        continue;
      }
      const std::size_t next = upstream_[stage][edge++];
      if (marks[next] == Mark::kOpen) {
        std::string names;
        for (const auto& [member, ignored] : path) {
          (void)ignored;
          if (member == next || !names.empty())
            names += (names.empty() ? "'" : ", '") + stages_[member].address + "'";
        }
        fail("Pipeline has a cycle involving: " + names + ".");
      }
      if (marks[next] == Mark::kNew) {
        marks[next] = Mark::kOpen;
        path.emplace_back(next, 0);
      }
    }
  }
}

std::vector<std::size_t> Project::order(const std::vector<std::size_t>& selected) const {
  std::vector<std::size_t> starts = selected;
  std::sort(starts.begin(), starts.end());
  std::vector<std::size_t> done;
  std::vector<bool> seen(stages_.size(), false);
  // Which stages belong: everything that can be reached; walked then in the project's own order, as
  // DVC does.
  std::vector<bool> wanted(stages_.size(), false);
  std::vector<std::size_t> open = starts;
  while (!open.empty()) {
    const std::size_t stage = open.back();
    open.pop_back();
    if (wanted[stage]) continue;
    wanted[stage] = true;
    if (stages_[stage].frozen) continue;
    open.insert(open.end(), upstream_[stage].begin(), upstream_[stage].end());
  }
  for (std::size_t start = 0; start < stages_.size(); ++start) {
    if (!wanted[start] || seen[start]) continue;
    std::vector<std::pair<std::size_t, std::size_t>> path{{start, 0}};
    seen[start] = true;
    while (!path.empty()) {
      auto& [stage, edge] = path.back();
      if (stages_[stage].frozen || edge == upstream_[stage].size()) {
        done.push_back(stage);
        path.pop_back();
        continue;
      }
      const std::size_t next = upstream_[stage][edge++];
      if (seen[next]) continue;
      seen[next] = true;
      path.emplace_back(next, 0);
    }
  }
  return done;
}

std::vector<std::size_t> Project::select(const std::vector<std::string>& targets) const {
  const std::vector<std::string> wanted =
      targets.empty() ? std::vector<std::string>{std::string(kPipelineFile)} : targets;
  std::vector<std::size_t> selected;
  for (const std::string& target : wanted) {
    const std::size_t before = selected.size();
    const fs::path absolute = (current_ / target).lexically_normal();
    const std::size_t colon = target.rfind(':');
    for (std::size_t i = 0; i < stages_.size(); ++i) {
      const Stage& stage = stages_[i];
      const bool by_address = stage.address == target;
      const bool by_file = stage.file == absolute;
      const bool by_both = colon != std::string::npos && !stage.name.empty() &&
                           stage.name == target.substr(colon + 1) &&
                           stage.file == (current_ / target.substr(0, colon)).lexically_normal();
      const bool by_output =
          std::any_of(stage.outs.begin(), stage.outs.end(),
                      [&](const Output& output) { return output.absolute == absolute; });
      if (by_address || by_file || by_both || by_output) selected.push_back(i);
    }
    std::error_code fault;
    const bool empty_file = absolute.filename() == kPipelineFile && fs::exists(absolute, fault);
    if (selected.size() > before || empty_file) continue;
    if (absolute.filename() == kPipelineFile || target.ends_with(kDataSuffix)) {
      throw Error(Code::kNotFound, "'" + target + "' does not exist");
    }
    throw Error(
        Code::kNotFound,
        "Stage '" + target.substr(colon == std::string::npos ? 0 : colon + 1) +
            "' not found inside '" +
            (colon == std::string::npos ? std::string(kPipelineFile) : target.substr(0, colon)) +
            "' file");
  }
  return selected;
}

}  // namespace slipway::pipeline
