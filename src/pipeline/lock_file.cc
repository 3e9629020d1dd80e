// SPDX-License-Identifier: Apache-2.0
#include "pipeline/lock_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "yaml/emit.h"

namespace slipway::pipeline {
namespace {

constexpr std::string_view kDefaultParams = "params.yaml";

yaml::Node text_node(std::string value) { return yaml::Node::string(std::move(value)); }

yaml::Node content_entry(const std::string& path, const std::optional<Recorded>& recorded,
                         const std::string& stage) {
  if (!recorded)
    throw Error(Code::kInternal, "`" + path + "` of stage `" + stage + "` has no recorded content");
  yaml::Node entry = yaml::Node::mapping();
  entry.set("path", text_node(path));
  if (recorded->kind == data::HashKind::kMd5) entry.set("hash", text_node("md5"));
  entry.set("md5", text_node(recorded->hash));
  if (recorded->size) entry.set("size", yaml::Node::integer(*recorded->size));
  if (recorded->nfiles) entry.set("nfiles", yaml::Node::integer(*recorded->nfiles));
  if (recorded->is_exec) entry.set("isexec", yaml::Node::boolean(true));
  return entry;
}

template <typename Items>
yaml::Node content_list(const Items& items, const std::string& stage) {
  std::vector<const typename Items::value_type*> order;
  order.reserve(items.size());
  for (const auto& item : items) order.push_back(&item);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->path < b->path; });
  yaml::Sequence list;
  for (const auto* item : order) list.push_back(content_entry(item->path, item->recorded, stage));
  return yaml::Node::sequence(std::move(list));
}

// params.yaml first, other files by name.
yaml::Node params_mapping(const Stage& stage) {
  std::vector<const ParamDependency*> order;
  for (const ParamDependency& params : stage.params) order.push_back(&params);
  std::stable_sort(order.begin(), order.end(),
                   [](const ParamDependency* a, const ParamDependency* b) {
                     const bool a_default = a->path == kDefaultParams;
                     const bool b_default = b->path == kDefaultParams;
                     return a_default != b_default ? a_default : a->path < b->path;
                   });
  yaml::Node mapping = yaml::Node::mapping();
  for (const ParamDependency* params : order) {
    if (!params->recorded)
      throw Error(Code::kInternal,
                  "`" + params->path + "` of stage `" + stage.name + "` was not read");
    mapping.set(params->path, *params->recorded);
  }
  return mapping;
}

Recorded parse_content(const yaml::Node& entry) {
  Recorded recorded;
  recorded.kind =
      entry.find("hash") == nullptr ? data::HashKind::kMd5Dos2Unix : data::HashKind::kMd5;
  const yaml::Node* hash = entry.find("md5");
  if (hash == nullptr) {
    for (const char* other : {"etag", "checksum", "cloud", "files", "dataset"}) {
      if (entry.find(other) != nullptr) {
        throw Error(Code::kUnimplemented,
                    entry.where() + ": `" + other +
                        "` (external or cloud-versioned data) is not supported yet by slipway");
      }
    }
    return recorded;
  }
  recorded.hash = hash->is_string() ? hash->as_string() : hash->scalar_text();
  if (const yaml::Node* size = entry.find("size")) recorded.size = size->as_int();
  if (const yaml::Node* nfiles = entry.find("nfiles")) recorded.nfiles = nfiles->as_int();
  if (const yaml::Node* exec = entry.find("isexec")) recorded.is_exec = exec->as_bool();
  return recorded;
}

template <typename Items>
void fill_contents(const yaml::Node* list, Items& items) {
  if (list == nullptr || list->is_null()) return;
  for (const yaml::Node& entry : list->items()) {
    const std::string& path = entry.at("path").as_string();
    const auto item = std::find_if(items.begin(), items.end(),
                                   [&](const auto& other) { return other.path == path; });
    if (item == items.end()) continue;
    Recorded recorded = parse_content(entry);
    if (!recorded.hash.empty()) item->recorded = std::move(recorded);
  }
}

void fill_params(const yaml::Node* mapping, Stage& stage) {
  if (mapping == nullptr || mapping->is_null()) return;
  for (ParamDependency& params : stage.params) {
    const yaml::Node* values = mapping->find(params.path);
    if (values == nullptr || !values->is_mapping()) continue;
    yaml::Node kept = yaml::Node::mapping();
    for (const yaml::Entry& entry : values->entries()) {
      const std::string key = entry.key.scalar_text();
      const bool wanted = params.keys.empty() || std::find(params.keys.begin(), params.keys.end(),
                                                           key) != params.keys.end();
      if (wanted) kept.entries().push_back(entry);
    }
    params.recorded = std::move(kept);
  }
}

}  // namespace

yaml::Node lock_entry(const Stage& stage) {
  yaml::Node entry = yaml::Node::mapping();
  entry.set("cmd", stage.command);
  if (!stage.deps.empty()) entry.set("deps", content_list(stage.deps, stage.name));
  if (!stage.params.empty()) entry.set("params", params_mapping(stage));
  if (!stage.outs.empty()) entry.set("outs", content_list(stage.outs, stage.name));
  return entry;
}

void fill_from_entry(const yaml::Node& entry, Stage& stage) {
  if (const yaml::Node* command = entry.find("cmd")) stage.recorded_command = *command;
  fill_contents(entry.find("deps"), stage.deps);
  fill_params(entry.find("params"), stage);
  fill_contents(entry.find("outs"), stage.outs);
}

LockFile::LockFile(std::filesystem::path file, const std::string& file_name)
    : file_(std::move(file)), root_(yaml::Node::mapping()) {
  const std::optional<std::string> bytes = read_file_if_exists(file_);
  if (!bytes) return;
  yaml::Node node = yaml::parse(*bytes, file_name);
  if (node.is_null()) return;
  const yaml::Node* schema = node.is_mapping() ? node.find("schema") : nullptr;
  if (schema == nullptr && node.is_mapping() && node.entries().empty()) return;
  if (schema == nullptr) {
    throw Error(Code::kInvalidArgument,
                file_name + ": has no `schema`: it is a lock of DVC 1, which must be made anew",
                "dvc repro");
  }
  if (!schema->is_string() || schema->as_string() != "2.0") {
    throw Error(Code::kInvalidArgument, schema->where() + ": lock schema `" +
                                            schema->scalar_text() +
                                            "` is not known; expected '2.0'");
  }
  root_ = std::move(node);
}

const yaml::Node* LockFile::find(const std::string& stage) const {
  const yaml::Node* stages = root_.find("stages");
  return stages == nullptr ? nullptr : stages->find(stage);
}

bool LockFile::set(const std::string& stage, yaml::Node entry) {
  if (empty()) root_.set("schema", text_node("2.0"));
  yaml::Node* stages = root_.find("stages");
  if (stages == nullptr || stages->is_null()) {
    root_.set("stages", yaml::Node::mapping());
    stages = root_.find("stages");
  }
  const yaml::Node* before = stages->find(stage);
  const bool changed = before == nullptr || !python_equal(*before, entry);
  stages->set(stage, std::move(entry));
  return changed;
}

std::string LockFile::text() const { return yaml::emit(root_); }

void LockFile::save() const { write_file_atomic(file_, text()); }

}  // namespace slipway::pipeline
