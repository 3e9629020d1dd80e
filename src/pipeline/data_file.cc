// SPDX-License-Identifier: Apache-2.0
#include "pipeline/data_file.h"

#include <algorithm>

#include "base/error.h"
#include "yaml/emit.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string_view>;

const Names& file_keys() {
  static const Names keys = {"outs",   "deps", "md5",  "wdir",           "frozen",
                             "locked", "desc", "meta", "always_changed", "cmd"};
  return keys;
}
const Names& output_keys() {
  static const Names keys = {"md5",        "etag",   "checksum", "size",     "nfiles", "isexec",
                             "version_id", "hash",   "path",     "cache",    "metric", "plot",
                             "persist",    "remote", "push",     "desc",     "type",   "labels",
                             "meta",       "files",  "cloud",    "fs_config"};
  return keys;
}

Recorded parse_output(const yaml::Node& entry) {
  yaml::require_known_keys(entry, output_keys(), "an output");
  for (const char* other : {"etag", "checksum", "cloud", "files"}) {
    if (entry.find(other) != nullptr) {
      throw Error(Code::kUnimplemented,
                  entry.where() + ": `" + other +
                      "` (external or cloud-versioned data) is not supported yet by slipway");
    }
  }
  Recorded recorded;
  recorded.kind =
      entry.find("hash") == nullptr ? data::HashKind::kMd5Dos2Unix : data::HashKind::kMd5;
  if (const yaml::Node* hash = entry.find("md5"); hash != nullptr && !hash->is_null())
    recorded.hash = hash->scalar_text();
  if (const yaml::Node* size = entry.find("size")) recorded.size = size->as_int();
  if (const yaml::Node* nfiles = entry.find("nfiles")) recorded.nfiles = nfiles->as_int();
  if (const yaml::Node* exec = entry.find("isexec")) recorded.is_exec = exec->as_bool();
  return recorded;
}

yaml::Node output_entry(const Output& output) {
  yaml::Node entry = yaml::Node::mapping();
  if (output.recorded) {
    entry.set("md5", yaml::Node::string(output.recorded->hash));
    if (output.recorded->size) entry.set("size", yaml::Node::integer(*output.recorded->size));
    if (output.recorded->nfiles) entry.set("nfiles", yaml::Node::integer(*output.recorded->nfiles));
    if (output.recorded->is_exec) entry.set("isexec", yaml::Node::boolean(true));
    if (output.recorded->kind == data::HashKind::kMd5) entry.set("hash", yaml::Node::string("md5"));
  }
  entry.set("path", yaml::Node::string(output.path));
  return entry;
}

// The fresh values in the old entry's order; what describes content and is no longer true goes,
// flags and annotations stay.
void update_entry(const yaml::Node& fresh, yaml::Node& entry) {
  for (const char* key : {"md5", "size", "nfiles", "isexec", "hash"}) {
    if (fresh.find(key) == nullptr) entry.erase(key);
  }
  for (const yaml::Entry& value : fresh.entries()) entry.set(value.key.as_string(), value.value);
}

}  // namespace

Stage parse_data_file(std::string_view text, const fs::path& file, const std::string& file_name) {
  const yaml::Node root = yaml::parse(text, file_name);
  Stage stage;
  stage.file = file;
  stage.folder = file.parent_path();
  if (root.is_null()) return stage;
  yaml::require_known_keys(root, file_keys(), file_name);
  if (const yaml::Node* command = root.find("cmd")) {
    throw Error(
        Code::kUnimplemented,
        command->where() +
            ": a command in a .dvc file (DVC 0) is not supported by slipway; move it to dvc.yaml");
  }
  if (const yaml::Node* wdir = root.find("wdir"); wdir != nullptr && !wdir->is_null()) {
    stage.folder = (stage.folder / wdir->as_string()).lexically_normal();
    if (!stage.folder.has_filename()) stage.folder = stage.folder.parent_path();
  }
  stage.is_import = root.find("deps") != nullptr;
  if (const yaml::Node* frozen = root.find("frozen")) stage.frozen = frozen->as_bool();
  const yaml::Node* outs = root.find("outs");
  if (outs == nullptr || outs->is_null()) return stage;
  for (const yaml::Node& entry : outs->items()) {
    Output output;
    output.path = entry.at("path").as_string();
    output.absolute = (stage.folder / output.path).lexically_normal();
    if (const yaml::Node* cache = entry.find("cache")) output.cache = cache->as_bool();
    Recorded recorded = parse_output(entry);
    if (!recorded.hash.empty()) output.recorded = std::move(recorded);
    stage.outs.push_back(std::move(output));
  }
  return stage;
}

std::string data_file_text(const Stage& stage, std::string_view before,
                           const std::string& file_name) {
  yaml::Node root = yaml::parse(before, file_name);
  if (root.is_null()) root = yaml::Node::mapping();
  yaml::Node* outs = root.find("outs");
  if (outs == nullptr || !outs->is_sequence() || outs->items().size() != stage.outs.size()) {
    yaml::Sequence fresh;
    for (const Output& output : stage.outs) fresh.push_back(output_entry(output));
    root.set("outs", yaml::Node::sequence(std::move(fresh)));
    return yaml::emit(root);
  }
  for (std::size_t i = 0; i < stage.outs.size(); ++i)
    update_entry(output_entry(stage.outs[i]), outs->items()[i]);
  return yaml::emit(root);
}

}  // namespace slipway::pipeline
