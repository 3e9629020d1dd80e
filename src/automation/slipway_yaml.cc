// SPDX-License-Identifier: Apache-2.0
#include "automation/slipway_yaml.h"

#include <algorithm>
#include <filesystem>

#include "automation/spec.h"
#include "base/error.h"
#include "base/file.h"
#include "base/nearest.h"
#include "base/text.h"
#include "yaml/node.h"

namespace slipway::automation {
namespace fs = std::filesystem;
namespace {

void check_keys(std::span<const Field> fields, const yaml::Node& node, const std::string& where);

void check_field_keys(const Field& field, const yaml::Node& value, const std::string& where) {
  if (field.type == FieldType::kObject) {
    check_keys(field.members, value, where);
  } else if (field.type == FieldType::kObjectList && value.is_sequence()) {
    for (const yaml::Node& item : value.items()) {
      check_keys(field.members, item, where);
    }
  } else if (field.type == FieldType::kObjectMap && value.is_mapping()) {
    for (const yaml::Entry& entry : value.entries()) {
      check_keys(field.members, entry.value, where + "." + entry.key.scalar_text());
    }
  }
}

// Wrong types are left to normalise(), which says what it wants instead.
void check_keys(std::span<const Field> fields, const yaml::Node& node, const std::string& where) {
  if (!node.is_mapping()) {
    return;
  }
  std::vector<std::string_view> known;
  for (const Field& field : fields) {
    known.push_back(field.key);
  }
  yaml::require_known_keys(node, known, where);
  for (const Field& field : fields) {
    if (const yaml::Node* value = node.find(field.key); value != nullptr) {
      check_field_keys(field, *value, where + "." + std::string(field.key));
    }
  }
}

std::string text_at(const yaml::Node& node, std::string_view key) {
  const yaml::Node& value = node.at(key);
  return value.as_string();
}

bool flag_at(const yaml::Node& node, std::string_view key) {
  const yaml::Node* value = node.find(key);
  return value != nullptr && value->as_bool();
}

Declared read_object(const yaml::Node& node) {
  if (!node.is_mapping()) {
    throw Error(Code::kInvalidArgument,
                node.where() + ": expected an object with kind, name and spec, found " +
                    std::string(yaml::kind_name(node.kind())));
  }
  yaml::require_known_keys(node, {"kind", "name", "spec", "protect", "adopt"}, "an object");
  Declared declared;
  declared.where = node.where();
  declared.kind = text_at(node, "kind");
  declared.name = text_at(node, "name");
  const Kind* kind = find_kind(declared.kind);
  if (kind == nullptr) {
    const std::vector<std::string_view> known = kind_names();
    const std::string_view near = nearest(declared.kind, known);
    std::string list;
    for (const std::string_view name : known) {
      list += (list.empty() ? "`" : ", `") + std::string(name) + "`";
    }
    throw Error(Code::kInvalidArgument,
                node.at("kind").where() + ": unknown kind `" + declared.kind + "`, " +
                    (near.empty() ? "expected one of " + list
                                  : "did you mean `" + std::string(near) + "`?"));
  }
  declared.protect = flag_at(node, "protect");
  declared.adopt = flag_at(node, "adopt");
  if (const yaml::Node* spec = node.find("spec"); spec != nullptr && !spec->is_null()) {
    check_keys(kind->fields, *spec, "spec");
    json::Value value = json::parse(yaml::to_json_text(*spec), {.bare_non_finite = true});
    if (!value.is_object()) {
      throw Error(Code::kInvalidArgument, spec->where() + ": `spec` must be a mapping");
    }
    declared.spec = std::move(value.as_object());
  }
  try {
    declared.spec = normalise(*kind, declared.name, declared.spec);
  } catch (const Error& error) {
    throw Error(error.code(), declared.where + ": " + error.what(), error.hint());
  }
  return declared;
}

void append_file(Desired& desired, const fs::path& folder, const std::string& name) {
  const std::string text = read_file(folder / name, kFileBytesMax);
  for (Declared& object : read_objects(text, name)) {
    desired.objects.push_back(std::move(object));
  }
}

Outcome git(ProcessRunner& processes, const std::string& folder,
            std::vector<std::string> arguments) {
  Command command;
  command.argv = {"git", "-C", folder};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.environment = {{"LC_ALL", "C"}, {"GIT_OPTIONAL_LOCKS", "0"}};
  return processes.run(command);
}

}  // namespace

std::vector<Declared> read_objects(std::string_view text, const std::string& file_name) {
  std::vector<Declared> objects;
  for (const yaml::Node& document : yaml::parse_documents(text, file_name)) {
    if (document.is_sequence()) {
      for (const yaml::Node& item : document.items()) {
        objects.push_back(read_object(item));
      }
    } else if (!document.is_null()) {
      objects.push_back(read_object(document));
    }
  }
  for (std::size_t i = 0; i < objects.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (objects[i].kind == objects[j].kind && objects[i].name == objects[j].name) {
        throw Error(Code::kInvalidArgument, objects[i].where + ": " + objects[i].kind + " `" +
                                                objects[i].name + "` is declared already at " +
                                                objects[j].where);
      }
    }
  }
  return objects;
}

Desired read_desired(const std::string& folder, const std::string& path) {
  const fs::path top(folder);
  Desired desired;
  desired.path = path;
  if (path.empty()) {
    desired.path = fs::is_regular_file(top / "slipway.yaml") ? "slipway.yaml" : "slipway";
  }
  const fs::path whole = top / desired.path;
  if (fs::is_regular_file(whole)) {
    append_file(desired, top, desired.path);
    return desired;
  }
  if (!fs::is_directory(whole)) {
    throw Error(Code::kNotFound,
                path.empty() ? "there is neither slipway.yaml nor a folder slipway in " + folder
                             : "there is no file or folder `" + path + "` in " + folder);
  }
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(whole)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() && (extension == ".yaml" || extension == ".yml")) {
      names.push_back((fs::path(desired.path) / entry.path().filename()).string());
    }
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    append_file(desired, top, name);
  }
  return desired;
}

Source read_source(ProcessRunner& processes, const std::string& folder, const std::string& path) {
  Source source;
  source.path = path;
  source.folder = fs::absolute(folder).lexically_normal().string();
  const Outcome inside =
      git(processes, folder, {"rev-parse", "--show-toplevel", "--is-shallow-repository", "HEAD"});
  if (inside.exit_code != 0) {
    return source;
  }
  const std::string facts(trimmed(inside.output));
  const std::size_t first = facts.find('\n');
  const std::size_t second = facts.find('\n', first + 1);
  if (first == std::string::npos || second == std::string::npos) {
    return source;
  }
  const std::string top = facts.substr(0, first);
  if (facts.substr(first + 1, second - first - 1) == "true") {
    throw Error(Code::kFailedPrecondition,
                "this is a shallow clone, whose first commit does not name the repository",
                "git fetch --unshallow");
  }
  source.commit = facts.substr(second + 1);
  source.folder = top;
  const fs::path below =
      fs::weakly_canonical(fs::path(folder) / path).lexically_relative(fs::weakly_canonical(top));
  source.path = below.generic_string();
  const std::string roots(
      trimmed(git(processes, folder, {"rev-list", "--max-parents=0", "HEAD"}).output));
  // With several roots the last one printed is the oldest.
  source.repo = roots.substr(
      roots.find_last_of('\n') == std::string::npos ? 0 : roots.find_last_of('\n') + 1);
  source.dirty =
      !trimmed(git(processes, folder, {"status", "--porcelain", "--untracked-files=no"}).output)
           .empty();
  return source;
}

}  // namespace slipway::automation
