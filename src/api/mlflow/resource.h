// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/decision.h"
#include "access/permission.h"
#include "http/message.h"
#include "tracking/run_log.h"
#include "tracking/search_sql.h"
#include "tracking/session.h"

namespace slipway::api::mlflow {

class Parameters;

// Where a request of MLflow's API names the thing that it is about, and so whose permission
// decides. Everything belongs to an experiment or to a registered model: a run, a logged model, a
// trace and an artifact to their experiment, a version and an alias to their model.
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
  kTrace,                 // {trace_id} of the path, or `trace_id`
  kTraceFile,             // `request_id` of a trace
  kTraces,                // `trace_ids`, each of them, and the `run_id` that they are linked to
  kNewTrace,              // a trace to be made or completed: its experiment, before and after
  kExperimentOfTraces,    // `experiment_id` of traces
  kExperimentsOfTraces,   // `experiment_ids` of traces, each of them
  kSpans,                 // spans of a collector, whose header names the experiment
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

access::Permission permission_of(http::Level level);  // REQUIRES: kRead … kManage

// Whether the caller may do what the access says with the thing that the request names, by the
// grants as this session sees them. Callers with all rights are not looked up. A thing that does
// not exist is refused as one that may not be seen, so that nobody learns which ids there are; only
// an unknown experiment name is let through, since clients look whether a name is free.
// Throws kInvalidArgument where the request names nothing.
bool permitted(storage::Session& session, const Access& access, const Parameters& parameters,
               const http::Request& request);

// The same for one thing.
bool may_do(storage::Session& session, const http::Caller& caller, http::Level level,
            const access::Thing& thing);
bool may_run(storage::Session& session, const http::Caller& caller, http::Level level,
             std::string_view run_id);
bool may_logged_model(storage::Session& session, const http::Caller& caller, http::Level level,
                      std::string_view model_id);
// EDIT of the run, and of every logged model that the metrics are of.
bool may_log(storage::Session& session, const http::Caller& caller, const tracking::Batch& batch);
bool may_trace(storage::Session& session, const http::Caller& caller, http::Level level,
               std::string_view trace_id);
// Traces of that experiment. Throws kInvalidArgument for what is no experiment's id.
bool may_traces_of(storage::Session& session, const http::Caller& caller, http::Level level,
                   std::string_view experiment_id);
// A path of the artifact store, as requests have it. Below no experiment: only by a grant on all
// experiments.
bool may_path(storage::Session& session, const http::Caller& caller, http::Level level,
              std::string_view path);

// Throws kPermissionDenied where the files of a version just made are not the caller's to read: in
// its transaction, which then ends, whatever way its source was written.
void check_location(storage::Session& session, const http::Caller& caller,
                    const std::string& location);

// What somebody makes is theirs: MANAGE, where the caller is an account.
void give_to_maker(storage::Transaction& transaction, const http::Caller& caller,
                   std::string_view kind, std::string_view id);

// "prompt" or "registered_model": which of the two the registered name is. The latter when there is
// none.
std::string model_kind(storage::Session& session, const std::string& name);

// The experiments of the list whose runs, or whose logged models, the caller may read; in order.
std::vector<std::int64_t> readable_experiments(storage::Session& session,
                                               const http::Caller& caller,
                                               const std::vector<std::int64_t>& experiments,
                                               std::string_view part);

// What of a kind ("experiment", "registered_model", "prompt") a search of the caller's may find.
tracking::Scope scope_of(storage::Session& session, const http::Caller& caller,
                         std::string_view kind);

// The names of all finders that declared() gives to http::Access::by.
std::vector<std::string_view> finder_names();

}  // namespace slipway::api::mlflow
