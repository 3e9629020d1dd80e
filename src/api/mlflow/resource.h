// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "http/access.h"

namespace slipway::api::mlflow {

// Where a request of MLflow's API names the thing that it is about, and so whose permission
// decides. Everything belongs to an experiment or to a registered model: a run, a logged model and
// an artifact to their experiment, a version and an alias to their model.
enum class By {
  kNothing,               // about the caller alone
  kSearch,                // about whatever is found: the search leaves out what may not be read
  kExperiment,            // `experiment_id`
  kExperiments,           // `experiment_ids`, each of them
  kExperimentName,        // `experiment_name`
  kNewExperiment,         // makes one; it becomes its maker's
  kRun,                   // `run_id`
  kRuns,                  // `run_id` or `run_ids`, each of them
  kExperimentOfNewRun,    // `experiment_id` of a run to be made
  kLoggedModel,           // {model_id} of the path
  kExperimentOfNewModel,  // `experiment_id` of a logged model to be made
  kArtifactPath,          // a path of the artifact store: {path}, or `path` of a list
  kModel,                 // `name` of a registered model or prompt
  kModelVersion,          // the same, for a version or an alias of it
  kModelOfNewVersion,     // the same, for a version to be made
  kNewModel,              // makes one; it becomes its maker's
};

// What a route of MLflow's API asks of its caller.
struct Access {
  http::Level level;
  By by;
};

// "may::read(By::kRun)": the levels as routes write them.
//   source  MLflow 3.17.2, server/auth: reading asks READ, changing EDIT, deleting and restoring
//           MANAGE; making something in an experiment asks EDIT there
namespace may {
constexpr Access read(By by) { return {http::Level::kRead, by}; }
constexpr Access use(By by) { return {http::Level::kUse, by}; }
constexpr Access edit(By by) { return {http::Level::kEdit, by}; }
constexpr Access manage(By by) { return {http::Level::kManage, by}; }
constexpr Access create(By by) { return {http::Level::kSignedIn, by}; }
constexpr Access search() { return {http::Level::kSignedIn, By::kSearch}; }
constexpr Access signed_in() { return {http::Level::kSignedIn, By::kNothing}; }
constexpr Access admin() { return {http::Level::kAdmin, By::kNothing}; }
}  // namespace may

// The same for http::Route.
http::Access declared(const Access& access);

// The names of all finders that declared() gives to http::Access::by.
std::vector<std::string_view> finder_names();

}  // namespace slipway::api::mlflow
