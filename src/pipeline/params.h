// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "pipeline/stage.h"
#include "yaml/node.h"

namespace slipway::pipeline {

// A parameter file as it is now: YAML, or JSON where the name ends with `.json`. nullopt when it is
// not there. TOML and Python files, which DVC reads too, throw kUnimplemented; a file that is no
// mapping, or holds a date (DVC refuses those as well), kInvalidArgument.
std::optional<yaml::Node> read_param_file(const std::filesystem::path& file,
                                          const std::string& name);

// The value under a dotted key ("train.lr", "layers.0"); nullptr when there is none.
const yaml::Node* find_param(const yaml::Node& file, const std::string& key);

// The values that the stage depends on: a mapping of key to value with the keys that exist, sorted
// as DVC's lock has them.
yaml::Node select_params(const ParamDependency& params, const yaml::Node& file);

// Keys that the stage names and the file lacks.
std::vector<std::string> missing_params(const ParamDependency& params, const yaml::Node& file);

}  // namespace slipway::pipeline
