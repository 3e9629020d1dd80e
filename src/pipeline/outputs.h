// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "json/value.h"
#include "pipeline/stage.h"

namespace slipway::pipeline {

// [{"path", "hash", "size"}] of what is recorded, sorted by path: how tracking tells what a stage
// read and wrote.
json::Array contents_json(const std::vector<Dependency>& deps);
json::Array contents_json(const std::vector<Output>& outs);

// file → {key → value} of the recorded parameters.
json::Object params_json(const std::vector<ParamDependency>& params);

// The numbers in a metrics file (JSON or YAML): leaves by dotted path, "eval.auc", at most
// kMetricsMax, in the file's order. A file that is neither has none: DVC lets a metric be any text.
inline constexpr std::size_t kMetricsMax = 1'000;
std::vector<std::pair<std::string, double>> read_metrics(const std::filesystem::path& file);

}  // namespace slipway::pipeline
