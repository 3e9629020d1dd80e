// SPDX-License-Identifier: Apache-2.0
#include "serving/model_files.h"

#include <algorithm>

#include "base/error.h"
#include "json/value.h"
#include "registry/model_version.h"
#include "tracking/artifact_uri.h"
#include "yaml/node.h"

namespace slipway::serving {
namespace {

using tracking::ArtifactStore;

std::vector<Column> read_columns(const yaml::Node* node) {
  std::vector<Column> columns;
  if (node == nullptr || !node->is_string()) return columns;
  const json::Value list = json::parse(node->as_string());
  if (!list.is_array()) return columns;
  for (const json::Value& item : list.as_array()) {
    Column column;
    if (const json::Value* name = item.find("name"); name != nullptr && name->is_string())
      column.name = name->as_string();
    if (const json::Value* type = item.find("type");
        type != nullptr && type->is_string() && type->as_string() != "tensor")
      column.type = type->as_string();
    if (const json::Value* required = item.find("required");
        required != nullptr && required->is_bool())
      column.required = required->as_bool();
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string flavour_names(const yaml::Node* flavours) {
  std::string names;
  if (flavours == nullptr || !flavours->is_mapping()) return "none";
  for (const yaml::Entry& flavour : flavours->entries())
    names += (names.empty() ? "" : ", ") + flavour.key.scalar_text();
  return names.empty() ? "none" : names;
}

std::vector<std::string> onnx_files(const ArtifactStore& artifacts, const std::string& folder) {
  std::vector<std::string> names;
  for (const ArtifactStore::Entry& entry : artifacts.list(folder)) {
    if (!entry.is_folder && entry.name.size() > 5 && entry.name.ends_with(".onnx"))
      names.push_back(entry.name);
  }
  return names;
}

std::filesystem::path path_of(const ArtifactStore& artifacts, const std::string& folder,
                              const std::string& name) {
  return artifacts.root() / tracking::join_path(folder, name);
}

bool has_file(const ArtifactStore& artifacts, const std::string& folder, const std::string& name) {
  return artifacts.open(tracking::join_path(folder, name)).has_value();
}

// What the MLmodel says; the .onnx it names, or "" where its flavours hold none.
std::string read_mlmodel(const ArtifactStore& artifacts, const std::string& folder,
                         ModelFiles& files, std::string& flavours) {
  const yaml::Node document = yaml::parse(
      artifacts.read(tracking::join_path(folder, "MLmodel"), kMlmodelBytesMax), "MLmodel");
  if (const yaml::Node* signature = document.find("signature")) {
    files.signature.inputs = read_columns(signature->find("inputs"));
    files.signature.outputs = read_columns(signature->find("outputs"));
  }
  const yaml::Node* const all = document.find("flavors");
  flavours = flavour_names(all);
  const yaml::Node* const onnx = all != nullptr ? all->find("onnx") : nullptr;
  const yaml::Node* const data = onnx != nullptr ? onnx->find("data") : nullptr;
  return data != nullptr && data->is_string() ? data->as_string() : "";
}

std::variant<ModelFiles, Unservable> files_in(const ArtifactStore& artifacts,
                                              const std::string& folder, ModelFiles files) {
  std::string name;
  std::string flavours;
  if (has_file(artifacts, folder, "MLmodel"))
    name = read_mlmodel(artifacts, folder, files, flavours);
  if (name.empty()) {
    const std::vector<std::string> found = onnx_files(artifacts, folder);
    if (found.size() != 1) {
      const std::string count =
          found.empty() ? "no .onnx file" : std::to_string(found.size()) + " .onnx files";
      return Unservable{flavours.empty()
                            ? "its artifact has neither an MLmodel of onnx flavour nor exactly one "
                              ".onnx file, but " +
                                  count
                            : "its flavours are " + flavours +
                                  "; only onnx is served, and the artifact has " + count};
    }
    name = found.front();
  }
  if (!is_safe_relative_path(name))
    return Unservable{"its MLmodel names the file `" + name.substr(0, 200) +
                      "`, which is no path within the artifact"};
  if (!has_file(artifacts, folder, name))
    return Unservable{"its file `" + name + "` is not in the artifact"};
  files.model_file = path_of(artifacts, folder, name);
  if (has_file(artifacts, folder, "serving_input_example.json"))
    files.input_example = path_of(artifacts, folder, "serving_input_example.json");
  if (has_file(artifacts, folder, "slipway_example.json"))
    files.parity_example = path_of(artifacts, folder, "slipway_example.json");
  return files;
}

}  // namespace

std::variant<ModelFiles, Unservable> find_model_files(storage::Session& session,
                                                      const ArtifactStore& artifacts,
                                                      const std::string& model,
                                                      std::int64_t version) {
  const registry::ModelVersion row = registry::get_version(session, model, version);
  ModelFiles files;
  files.run_id = row.run_id;
  files.registry_key = row.key;
  try {
    const std::string& uri = row.location.empty() ? row.source : row.location;
    const std::optional<std::string> path = tracking::resolve_artifacts(session, uri);
    if (!path)
      return Unservable{"its files are not in this server's store but at " + uri.substr(0, 200)};
    if (path->ends_with(".onnx") && artifacts.open(*path)) {
      files.model_file = artifacts.root() / *path;
      return files;
    }
    if (!artifacts.is_folder(*path)) return Unservable{"its artifact is not in the store"};
    return files_in(artifacts, *path, std::move(files));
  } catch (const Error& error) {
    // What is wrong with the stored files is the version's fault; what is wrong with the disk is
    // not.
    if (error.code() != Code::kInvalidArgument && error.code() != Code::kNotFound) throw;
    return Unservable{std::string("its artifact cannot be read: ") + error.what()};
  }
}

}  // namespace slipway::serving
