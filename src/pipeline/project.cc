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

// Which stage makes what.
class OutputMap {
 public:
  // Throws when one path is the output of two stages.
  explicit OutputMap(const Project& project);

  // Throws when one output lies within another.
  void check_apart() const;

  // Throws when the file that describes the stage lies within an output.
  void check_outside(const Stage& stage) const;

  // The stages that make what this one reads, in the order in which it reads.
  std::vector<std::size_t> owners_of_inputs(const Stage& stage) const;

 private:
  struct Owner {
    std::size_t stage;
    const Output* output;
  };

  // Outputs at, above or below a path.
  std::vector<Owner> overlapping(const fs::path& path) const;
  std::string address(const Owner& owner) const { return project_.stages()[owner.stage].address; }

  const Project& project_;
  std::map<std::string, Owner> outs_;  // by absolute path
};

OutputMap::OutputMap(const Project& project) : project_(project) {
  for (std::size_t i = 0; i < project.stages().size(); ++i) {
    for (const Output& output : project.stages()[i].outs) {
      const Owner owner{i, &output};
      const auto [before, fresh] = outs_.emplace(output.absolute.string(), owner);
      if (!fresh) {
        fail("output '" + project.shown(output.absolute) + "' is specified in:\n\t- " +
             address(before->second) + "\n\t- " + address(owner) +
             "\nUse `dvc remove` with any of the above targets to stop tracking the overlapping "
             "output.");
      }
    }
  }
}

std::vector<OutputMap::Owner> OutputMap::overlapping(const fs::path& path) const {
  std::vector<Owner> found;
  std::vector<fs::path> above;
  for (fs::path folder = path; folder.has_relative_path(); folder = folder.parent_path())
    above.push_back(folder);
  for (auto folder = above.rbegin(); folder != above.rend(); ++folder) {
    if (const auto owner = outs_.find(folder->string()); owner != outs_.end())
      found.push_back(owner->second);
  }
  const std::string prefix = path.string() + "/";
  for (auto below = outs_.lower_bound(prefix);
       below != outs_.end() && below->first.starts_with(prefix); ++below) {
    found.push_back(below->second);
  }
  return found;
}

void OutputMap::check_apart() const {
  for (const auto& [path, owner] : outs_) {
    for (const Owner& other : overlapping(path)) {
      if (other.output == owner.output) continue;
      const bool other_is_above = is_inside(path, other.output->absolute);
      const Owner& parent = other_is_above ? other : owner;
      const Owner& child = other_is_above ? owner : other;
      fail("The output paths:\n'" + project_.shown(parent.output->absolute) + "'('" +
           address(parent) + "')\n'" + project_.shown(child.output->absolute) + "'('" +
           address(child) +
           "')\noverlap and are thus in the same tracked directory.\nTo keep reproducibility, "
           "outputs should be in separate "
           "tracked directories or tracked individually.");
    }
  }
}

void OutputMap::check_outside(const Stage& stage) const {
  for (const auto& [path, owner] : outs_) {
    if (is_inside(stage.file, path))
      fail(stage.title() + " is within an output '" + project_.shown(path) + "' of another stage");
  }
}

std::vector<std::size_t> OutputMap::owners_of_inputs(const Stage& stage) const {
  std::vector<std::size_t> owners;
  const auto add = [&](const fs::path& path) {
    for (const Owner& owner : overlapping(path)) {
      if (std::find(owners.begin(), owners.end(), owner.stage) == owners.end())
        owners.push_back(owner.stage);
    }
  };
  for (const Dependency& dependency : stage.deps) add(dependency.absolute);
  for (const ParamDependency& params : stage.params) add(params.absolute);
  return owners;
}

// Looks for a cycle among the stages, depth first: each stage is walked through once.
class CycleSearch {
 public:
  explicit CycleSearch(const Project& project)
      : project_(project), marks_(project.stages().size(), Mark::kNew) {}

  // Throws, naming its stages, when one can be reached from `start`.
  void walk(std::size_t start) {
    if (marks_[start] != Mark::kNew) return;
    open(start);
    while (!path_.empty()) {
      auto& [stage, edge] = path_.back();
      const std::vector<std::size_t>& edges = project_.upstream()[stage];
      if (edge == edges.size()) {
        marks_[stage] = Mark::kDone;
        path_.pop_back();
        continue;
      }
      const std::size_t next = edges[edge++];
      if (marks_[next] == Mark::kOpen) refuse_cycle(next);
      if (marks_[next] == Mark::kNew) open(next);
    }
  }

 private:
  enum class Mark { kNew, kOpen, kDone };

  struct Step {
    std::size_t stage = 0;
    std::size_t next_edge = 0;
  };

  void open(std::size_t stage) {
    marks_[stage] = Mark::kOpen;
    path_.push_back({stage, 0});
  }

  [[noreturn]] void refuse_cycle(std::size_t first) const {
    std::string names;
    for (const Step& step : path_) {
      if (step.stage == first || !names.empty())
        names += (names.empty() ? "'" : ", '") + project_.stages()[step.stage].address + "'";
    }
    fail("Pipeline has a cycle involving: " + names + ".");
  }

  const Project& project_;
  std::vector<Mark> marks_;
  std::vector<Step> path_;  // from the start down to where the walk is
};

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
  const OutputMap outs(*this);
  outs.check_apart();
  upstream_.clear();
  for (const Stage& stage : stages_) {
    outs.check_outside(stage);
    upstream_.push_back(outs.owners_of_inputs(stage));
  }
}

void Project::check_cycles() const {
  CycleSearch search(*this);
  for (std::size_t start = 0; start < stages_.size(); ++start) search.walk(start);
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
