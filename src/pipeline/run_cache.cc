// SPDX-License-Identifier: Apache-2.0
#include "pipeline/run_cache.h"

#include <algorithm>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "data/python_json.h"
#include "pipeline/lock_file.h"
#include "yaml/emit.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

yaml::Node without_sizes(const yaml::Node& node) {
  if (node.is_sequence()) {
    yaml::Sequence items;
    for (const yaml::Node& item : node.items()) items.push_back(without_sizes(item));
    return yaml::Node::sequence(std::move(items));
  }
  if (!node.is_mapping()) return node;
  yaml::Mapping kept;
  for (const yaml::Entry& entry : node.entries()) {
    const bool dropped = entry.key.is_string() &&
                         (entry.key.as_string() == "size" || entry.key.as_string() == "nfiles");
    if (!dropped) kept.push_back({entry.key, without_sizes(entry.value)});
  }
  return yaml::Node::mapping(std::move(kept));
}

std::string hash_of(const yaml::Node& node) {
  return sha256_hex(data::python_json(without_sizes(node), true));
}

// The outs of an entry by path; the entry may come from DVC, so it is looked at with care.
std::optional<std::vector<Recorded>> outputs_of(const yaml::Node& entry, const Stage& stage) {
  Stage copy = stage;
  for (Output& output : copy.outs) output.recorded.reset();
  fill_from_entry(entry, copy);
  std::vector<Recorded> outputs;
  for (const Output& output : copy.outs) {
    if (!output.recorded) return std::nullopt;
    outputs.push_back(*output.recorded);
  }
  return outputs;
}

// Everything but the outputs is what it was, sizes included.
bool same_inputs(const yaml::Node& entry, const yaml::Node& wanted) {
  for (const char* section : {"cmd", "deps", "params"}) {
    const yaml::Node* theirs = entry.find(section);
    const yaml::Node* ours = wanted.find(section);
    if ((theirs == nullptr) != (ours == nullptr)) return false;
    if (theirs != nullptr && !python_equal(*theirs, *ours)) return false;
  }
  return true;
}

// With paths alone for outputs: the part that is known before a run.
yaml::Node inputs_entry(const Stage& stage) {
  Stage copy = stage;
  copy.outs.clear();
  yaml::Node entry = lock_entry(copy);
  std::vector<std::string> paths;
  for (const Output& output : stage.outs) paths.push_back(output.path);
  std::sort(paths.begin(), paths.end());
  yaml::Sequence outs;
  for (std::string& path : paths) {
    yaml::Node out = yaml::Node::mapping();
    out.set("path", yaml::Node::string(std::move(path)));
    outs.push_back(std::move(out));
  }
  entry.set("outs", yaml::Node::sequence(std::move(outs)));
  return entry;
}

}  // namespace

std::string run_key(const yaml::Node& entry) {
  yaml::Node copy = entry;
  yaml::Sequence paths;
  if (const yaml::Node* outs = entry.find("outs")) {
    for (const yaml::Node& out : outs->items()) paths.push_back(out.at("path"));
  }
  copy.set("outs", yaml::Node::sequence(std::move(paths)));
  return hash_of(copy);
}

std::string run_value(const yaml::Node& entry) { return hash_of(entry); }

fs::path RunCache::folder_of(const std::string& key) const {
  return workspace_.cache().root() / "runs" / key.substr(0, 2) / key;
}

bool RunCache::is_usable(const Stage& stage) const {
  if (stage.is_data() || stage.always_changed || (stage.deps.empty() && stage.params.empty()) ||
      stage.outs.empty())
    return false;
  const std::string root = workspace_.root().string() + "/";
  return std::all_of(stage.outs.begin(), stage.outs.end(), [&](const Output& output) {
    return !output.persist && !output.path.starts_with('/') &&
           output.absolute.string().starts_with(root);
  });
}

std::optional<std::vector<Recorded>> RunCache::find(const Stage& stage) const {
  if (!is_usable(stage)) return std::nullopt;
  const yaml::Node wanted = inputs_entry(stage);
  const fs::path folder = folder_of(run_key(wanted));
  std::error_code fault;
  std::vector<std::pair<fs::file_time_type, fs::path>> values;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, fault)) {
    values.emplace_back(entry.last_write_time(fault), entry.path());
  }
  std::sort(values.rbegin(), values.rend());
  for (const auto& [time, path] : values) {
    (void)time;
    std::optional<std::vector<Recorded>> outputs;
    try {
      const yaml::Node entry = yaml::parse(read_file(path), path.string());
      if (!entry.is_mapping() || !same_inputs(entry, wanted)) continue;
      outputs = outputs_of(entry, stage);
    } catch (const Error&) {
      continue;  // half-written or foreign: as if it were not there
    }
    const bool whole =
        outputs && std::all_of(outputs->begin(), outputs->end(), [&](const Recorded& recorded) {
          return workspace_.cache().contains_all(recorded.hash, recorded.kind);
        });
    if (whole) return outputs;
  }
  return std::nullopt;
}

void RunCache::save(const Stage& stage) const {
  if (!is_usable(stage)) return;
  const yaml::Node entry = lock_entry(stage);
  for (const Output& output : stage.outs) {
    if (output.cache) continue;
    // Kept in the cache though the stage does not ask for it, or else a hit could not bring it
    // back. The workspace's file stays itself.
    const std::optional<data::Snapshot> snapshot = workspace_.snapshot(output.absolute);
    if (!snapshot || snapshot->hash != output.recorded->hash)
      return;  // changed meanwhile: then there is nothing true to keep
    if (data::is_dir_hash(snapshot->hash)) {
      for (const data::TreeEntry& file : snapshot->tree)
        workspace_.cache().add_file(output.absolute / file.relpath, file.md5);
      workspace_.cache().add_bytes(data::tree_bytes(snapshot->tree), snapshot->hash);
    } else {
      workspace_.cache().add_file(output.absolute, snapshot->hash);
    }
  }
  const fs::path path = folder_of(run_key(entry)) / run_value(entry);
  std::error_code fault;
  if (fs::exists(path, fault)) return;
  fs::create_directories(path.parent_path(), fault);
  if (fault)
    throw errno_error(fault.value(), "cannot create folder `" + path.parent_path().string() + "`");
  write_file_atomic(path, yaml::emit(entry));
}

}  // namespace slipway::pipeline
