// SPDX-License-Identifier: Apache-2.0
#include "pipeline/params.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "base/file.h"
#include "json/value.h"

namespace slipway::pipeline {
namespace {

yaml::Node from_json(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kNull: return {};
    case json::Value::Kind::kBool: return yaml::Node::boolean(value.as_bool());
    case json::Value::Kind::kInt: return yaml::Node::integer(value.as_int());
    case json::Value::Kind::kUint:
    case json::Value::Kind::kDouble: return yaml::Node::real(value.as_double());
    case json::Value::Kind::kString: return yaml::Node::string(value.as_string());
    case json::Value::Kind::kArray: {
      yaml::Sequence items;
      for (const json::Value& item : value.as_array()) items.push_back(from_json(item));
      return yaml::Node::sequence(std::move(items));
    }
    case json::Value::Kind::kObject: {
      yaml::Mapping entries;
      for (const json::Member& member : value.as_object()) {
        entries.push_back({yaml::Node::string(member.first), from_json(member.second)});
      }
      return yaml::Node::mapping(std::move(entries));
    }
  }
  return {};
}

void refuse_dates(const yaml::Node& node) {
  if (node.is_string() && node.looks_like_date()) {
    throw Error(Code::kInvalidArgument, node.where() +
                                            ": a date cannot be a parameter; put it in quotes: '" +
                                            node.as_string() + "'");
  }
  if (node.is_sequence()) {
    for (const yaml::Node& item : node.items()) refuse_dates(item);
  } else if (node.is_mapping()) {
    for (const yaml::Entry& entry : node.entries()) refuse_dates(entry.value);
  }
}

yaml::Node parse_json(const std::string& text, const std::string& name) {
  json::ParseRules rules;
  rules.bare_non_finite = true;
  rules.duplicate_keys_last = true;
  try {
    return from_json(json::parse(text, rules));
  } catch (const Error& error) {
    throw Error(error.code(), name + ": " + error.what());
  }
}

}  // namespace

std::optional<yaml::Node> read_param_file(const std::filesystem::path& file,
                                          const std::string& name) {
  const std::optional<std::string> text = read_file_if_exists(file);
  if (!text) return std::nullopt;
  const std::string suffix = file.extension().string();
  if (suffix == ".toml" || suffix == ".py") {
    throw Error(
        Code::kUnimplemented,
        "parameter file `" + name + "`: " + suffix + " files are not supported yet by slipway",
        "dvc repro");
  }
  yaml::Node node = suffix == ".json" ? parse_json(*text, name) : yaml::parse(*text, name);
  if (node.is_null()) return yaml::Node::mapping();
  if (!node.is_mapping())
    throw Error(Code::kInvalidArgument, name + ": a parameter file must hold a mapping");
  refuse_dates(node);
  return node;
}

const yaml::Node* find_param(const yaml::Node& file, const std::string& key) {
  const yaml::Node* node = &file;
  for (std::size_t start = 0; start <= key.size();) {
    const std::size_t end = std::min(key.find('.', start), key.size());
    const std::string part = key.substr(start, end - start);
    start = end + 1;
    if (node->is_mapping()) {
      const auto found =
          std::find_if(node->entries().begin(), node->entries().end(),
                       [&](const yaml::Entry& entry) { return entry.key.scalar_text() == part; });
      if (found == node->entries().end()) return nullptr;
      node = &found->value;
    } else if (node->is_sequence()) {
      std::size_t index = 0;
      const auto [last, fault] = std::from_chars(part.data(), part.data() + part.size(), index);
      if (fault != std::errc() || last != part.data() + part.size() ||
          index >= node->items().size())
        return nullptr;
      node = &node->items()[index];
    } else {
      return nullptr;
    }
  }
  return node;
}

yaml::Node select_params(const ParamDependency& params, const yaml::Node& file) {
  yaml::Mapping selected;
  if (params.keys.empty()) {
    selected = file.entries();
  } else {
    for (const std::string& key : params.keys) {
      if (const yaml::Node* value = find_param(file, key))
        selected.push_back({yaml::Node::string(key), *value});
    }
  }
  std::stable_sort(selected.begin(), selected.end(),
                   [](const yaml::Entry& a, const yaml::Entry& b) {
                     return a.key.scalar_text() < b.key.scalar_text();
                   });
  return yaml::Node::mapping(std::move(selected));
}

std::vector<std::string> missing_params(const ParamDependency& params, const yaml::Node& file) {
  std::vector<std::string> missing;
  for (const std::string& key : params.keys) {
    if (find_param(file, key) == nullptr) missing.push_back(key);
  }
  return missing;
}

}  // namespace slipway::pipeline
