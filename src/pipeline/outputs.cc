// SPDX-License-Identifier: Apache-2.0
#include "pipeline/outputs.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "pipeline/params.h"
#include "yaml/node.h"

namespace slipway::pipeline {
namespace {

template <typename Items>
json::Array contents(const Items& items) {
  json::Array list;
  for (const auto& item : items) {
    if (!item.recorded) continue;
    json::Object entry{{"path", item.path}, {"hash", item.recorded->hash}};
    if (item.recorded->size) entry.set("size", *item.recorded->size);
    list.emplace_back(std::move(entry));
  }
  std::stable_sort(list.begin(), list.end(), [](const json::Value& a, const json::Value& b) {
    return a.find("path")->as_string() < b.find("path")->as_string();
  });
  return list;
}

void collect_numbers(const yaml::Node& node, const std::string& name,
                     std::vector<std::pair<std::string, double>>& out) {
  if (out.size() >= kMetricsMax) return;
  if (node.is_number()) {
    if (!name.empty()) out.emplace_back(name, node.as_double());
  } else if (node.is_mapping()) {
    for (const yaml::Entry& entry : node.entries()) {
      collect_numbers(entry.value,
                      name.empty() ? entry.key.scalar_text() : name + "." + entry.key.scalar_text(),
                      out);
    }
  }
}

}  // namespace

json::Array contents_json(const std::vector<Dependency>& deps) { return contents(deps); }
json::Array contents_json(const std::vector<Output>& outs) { return contents(outs); }

json::Object params_json(const std::vector<ParamDependency>& params) {
  json::ParseRules rules;
  rules.bare_non_finite = true;
  json::Object files;
  for (const ParamDependency& file : params) {
    if (file.recorded) files.set(file.path, json::parse(yaml::to_json_text(*file.recorded), rules));
  }
  return files;
}

std::vector<std::pair<std::string, double>> read_metrics(const std::filesystem::path& file) {
  std::vector<std::pair<std::string, double>> metrics;
  std::error_code fault;
  const std::string suffix = file.extension().string();
  if (!std::filesystem::is_regular_file(file, fault) ||
      (suffix != ".json" && suffix != ".yaml" && suffix != ".yml"))
    return metrics;
  try {
    if (const std::optional<yaml::Node> node = read_param_file(file, file.filename().string()))
      collect_numbers(*node, "", metrics);
  } catch (const Error& error) {
    // What a command wrote is no reason to call its run a failure; a metric that cannot be read is
    // absent.
    if (error.code() != Code::kInvalidArgument) throw;
  }
  return metrics;
}

}  // namespace slipway::pipeline
