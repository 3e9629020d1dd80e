// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/resource.h"

#include <array>

namespace slipway::api::mlflow {
namespace {

struct Finder {
  By by;
  std::string_view name;
  std::string_view kind;
};

constexpr std::array kFinders = {
    Finder{By::kSearch, "search", "experiment"},
    Finder{By::kExperiment, "experiment_id", "experiment"},
    Finder{By::kExperiments, "experiment_ids", "experiment"},
    Finder{By::kExperimentName, "experiment_name", "experiment"},
    Finder{By::kNewExperiment, "new_experiment", "experiment"},
    Finder{By::kRun, "run_id", "run"},
    Finder{By::kRuns, "run_ids", "run"},
    Finder{By::kExperimentOfNewRun, "experiment_of_new_run", "experiment"},
    Finder{By::kLoggedModel, "model_id", "logged_model"},
    Finder{By::kExperimentOfNewModel, "experiment_of_new_model", "experiment"},
    Finder{By::kArtifactPath, "artifact_path", "experiment"},
    Finder{By::kModel, "model_name", "registered_model"},
    Finder{By::kModelVersion, "model_version", "registered_model_version"},
    Finder{By::kModelOfNewVersion, "model_of_new_version", "registered_model"},
    Finder{By::kNewModel, "new_model", "registered_model"},
};

}  // namespace

http::Access declared(const Access& access) {
  for (const Finder& finder : kFinders) {
    if (finder.by == access.by)
      return {http::Door::kOpenOnLoopback, access.level, finder.kind, finder.name};
  }
  return {http::Door::kOpenOnLoopback, access.level, "", ""};
}

std::vector<std::string_view> finder_names() {
  std::vector<std::string_view> names;
  names.reserve(kFinders.size());
  for (const Finder& finder : kFinders) names.push_back(finder.name);
  return names;
}

}  // namespace slipway::api::mlflow
