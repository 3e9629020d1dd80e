// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/resource.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "access/role.h"
#include "api/mlflow/trace_json.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "base/text.h"
#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "registry/source.h"
#include "tracing/trace_table.h"
#include "tracking/artifact_uri.h"
#include "tracking/experiment_table.h"
#include "tracking/logged_model.h"

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
    Finder{By::kTrace, "trace_id", "trace"},
    Finder{By::kTraceFile, "request_id", "trace"},
    Finder{By::kTraces, "trace_ids", "trace"},
    Finder{By::kNewTrace, "new_trace", "trace"},
    Finder{By::kExperimentOfTraces, "experiment_of_traces", "trace"},
    Finder{By::kExperimentsOfTraces, "experiments_of_traces", "trace"},
    Finder{By::kSpans, "spans", "trace"},
    Finder{By::kArtifactPath, "artifact_path", "experiment"},
    Finder{By::kModel, "model_name", "registered_model"},
    Finder{By::kModelVersion, "model_version", "registered_model_version"},
    Finder{By::kModelOfNewVersion, "model_of_new_version", "registered_model"},
    Finder{By::kNewModel, "new_model", "registered_model"},
};

using access::Thing;

constexpr std::array<std::string_view, 3> kParts = {"run", "logged_model", "trace"};

Thing experiment_thing(std::int64_t id, std::string_view part = "") {
  return {"experiment", std::to_string(id), std::string(part)};
}

std::optional<Thing> run_thing(storage::Session& session, std::string_view run_id) {
  const auto run = tracking::find_run_info(session, run_id);
  if (!run) return std::nullopt;
  return experiment_thing(run->experiment_id, "run");
}

std::optional<Thing> logged_model_thing(storage::Session& session, std::string_view id) {
  const auto model = tracking::find_logged_model(session, id, true);
  if (!model) return std::nullopt;
  return experiment_thing(model->experiment_id, "logged_model");
}

std::optional<Thing> trace_thing(storage::Session& session, std::string_view trace_id) {
  const auto trace = tracing::find_trace(session, trace_id);
  if (!trace) return std::nullopt;
  return experiment_thing(trace->experiment_id, "trace");
}

Thing model_thing(storage::Session& session, const std::string& name, bool version) {
  const std::string kind = model_kind(session, name);
  return {kind, name,
          version ? (kind == "prompt" ? "prompt_version" : "registered_model_version") : ""};
}

// A version to be made stands on something, and who registers it must be allowed to see that: its
// files are served by the version afterwards.
bool may_use_source(storage::Session& session, const http::Caller& caller,
                    const Parameters& parameters) {
  constexpr std::string_view kRuns = "runs:/";
  const auto readable = [&](const std::optional<Thing>& thing) {
    return thing && may_do(session, caller, http::Level::kRead, *thing);
  };
  const std::string source = parameters.text("source");
  const std::string run_id = parameters.text("run_id");
  const std::string model_id = parameters.text("model_id");
  if (!run_id.empty() && !readable(run_thing(session, run_id))) return false;
  if (!model_id.empty() && !readable(logged_model_thing(session, model_id))) return false;
  // Read as it will be resolved; another spelling of the same is nobody's.
  const std::string lower = ascii_lower(source);
  if (lower.starts_with("models:")) {
    const registry::ModelUri uri = registry::parse_model_uri(source);
    return readable(uri.model_id.empty() ? model_thing(session, uri.name, true)
                                         : logged_model_thing(session, uri.model_id));
  }
  if (lower.starts_with("runs:")) {
    const bool plain = source.starts_with(kRuns) && !source.starts_with("runs://") &&
                       source.find('\\') == std::string::npos;
    const std::string rest = source.substr(std::min(source.size(), kRuns.size()));
    return plain && readable(run_thing(session, rest.substr(0, rest.find('/'))));
  }
  if (const auto path = tracking::store_path(source))
    return may_path(session, caller, http::Level::kRead, *path);
  return !lower.starts_with("mlflow-artifacts:");
}

// Somebody's own experiment must not lead into another's files.
bool may_place_artifacts(const Parameters& parameters) {
  const std::string location = parameters.text("artifact_location");
  return location.empty() || !tracking::store_path(location).has_value();
}

bool not_denied(storage::Session& session, const http::Caller& caller, std::string_view kind) {
  return access::read_grants(session, caller.account, {std::string(kind), "*", ""}).whole !=
         access::Permission::kDeny;
}

// Logged models that a request of logging writes to, besides its run.
std::set<std::string> models_of(const Parameters& parameters) {
  std::set<std::string> ids;
  const std::string own = parameters.text("model_id");
  if (!own.empty()) ids.insert(own);
  for (const Parameters& item : parameters.objects("models")) {
    const std::string id = item.text("model_id");
    if (!id.empty()) ids.insert(id);
  }
  return ids;
}

bool may_models(storage::Session& session, const http::Caller& caller, http::Level level,
                const std::set<std::string>& ids) {
  return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return may_logged_model(session, caller, level, id);
  });
}

// GET /get-artifact and uploads have their run in the query, whatever their method.
std::string run_of(const Parameters& parameters, const http::Request& request) {
  std::string run_id = parameters.text("run_id");
  if (run_id.empty()) run_id = request.query_value("run_id").value_or("");
  if (run_id.empty()) run_id = request.query_value("run_uuid").value_or("");
  return run_id;
}

bool permitted_run(storage::Session& session, const Access& access, const Parameters& parameters,
                   const http::Request& request) {
  const std::string run_id = run_of(parameters, request);
  if (!may_run(session, request.caller, access.level, run_id)) return false;
  return access.level < http::Level::kEdit ||
         may_models(session, request.caller, http::Level::kEdit, models_of(parameters));
}

bool permitted_runs(storage::Session& session, const Access& access, const Parameters& parameters,
                    const http::Caller& caller) {
  std::vector<std::string> ids = parameters.texts("run_ids");
  for (std::string& id : parameters.texts("run_id")) ids.push_back(std::move(id));
  return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return may_run(session, caller, access.level, id);
  });
}

bool permitted_traces(storage::Session& session, const Access& access, const Parameters& parameters,
                      const http::Caller& caller) {
  const std::vector<std::string> ids = parameters.texts("trace_ids");
  const std::string run_id = parameters.text("run_id");
  return std::all_of(
             ids.begin(), ids.end(),
             [&](const std::string& id) { return may_trace(session, caller, access.level, id); }) &&
         (run_id.empty() || may_run(session, caller, access.level, run_id));
}

bool permitted_trace(storage::Session& session, const Access& access, const Parameters& parameters,
                     const http::Request& request) {
  if (access.by == By::kTraceFile)
    return may_trace(session, request.caller, access.level, parameters.text("request_id"));
  std::string id;
  for (const auto& [name, value] : request.path_parameters)
    if (name == "trace_id") id = value;
  if (id.empty()) id = parameters.text("trace_id");
  return may_trace(session, request.caller, access.level, id);
}

// One that is there is completed, and must not be another's.
bool permitted_new_trace(storage::Session& session, const Access& access,
                         const Parameters& parameters, const http::Caller& caller) {
  const auto trace = parameters.object("trace");
  const auto info = trace ? trace->object("trace_info") : std::nullopt;
  if (!info) return false;
  const auto present = trace_thing(session, info->text("trace_id"));
  if (present && !may_do(session, caller, access.level, *present)) return false;
  return may_do(session, caller, access.level, experiment_thing(read_location(*info), "trace"));
}

bool permitted_experiments_of_traces(storage::Session& session, const Access& access,
                                     const Parameters& parameters, const http::Caller& caller) {
  const std::vector<std::string> ids = parameters.texts("experiment_ids");
  return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return may_traces_of(session, caller, access.level, id);
  });
}

bool permitted_experiments(storage::Session& session, const Access& access,
                           const Parameters& parameters, const http::Caller& caller) {
  const std::vector<std::string> ids = parameters.texts("experiment_ids");
  return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return may_do(session, caller, access.level,
                  experiment_thing(tracking::parse_experiment_id(id)));
  });
}

bool permitted_model(storage::Session& session, const Access& access, const Parameters& parameters,
                     const http::Request& request) {
  std::string name = parameters.text("name");
  if (name.empty()) name = request.query_value("name").value_or("");
  if (!may_do(session, request.caller, access.level,
              model_thing(session, name, access.by == By::kModelVersion))) {
    return false;
  }
  return access.by != By::kModelOfNewVersion || may_use_source(session, request.caller, parameters);
}

bool permitted_experiment(storage::Session& session, const Access& access,
                          const Parameters& parameters, const http::Caller& caller) {
  const std::int64_t id = tracking::parse_experiment_id(parameters.text("experiment_id"));
  if (!may_do(session, caller, access.level, experiment_thing(id))) return false;
  if (access.by == By::kExperimentOfNewRun) return not_denied(session, caller, "run");
  if (access.by != By::kExperimentOfNewModel) return true;
  const std::string source = parameters.text("source_run_id");
  return not_denied(session, caller, "logged_model") &&
         (source.empty() || may_run(session, caller, http::Level::kEdit, source));
}

}  // namespace

http::Access declared(const Access& access) {
  for (const Finder& finder : kFinders) {
    if (finder.by == access.by)
      return {http::Door::kOpenOnLoopback, access.level, finder.kind, finder.name};
  }
  return {http::Door::kOpenOnLoopback, access.level, "", ""};
}

access::Permission permission_of(http::Level level) {
  switch (level) {
    case http::Level::kRead: return access::Permission::kRead;
    case http::Level::kUse: return access::Permission::kUse;
    case http::Level::kEdit: return access::Permission::kEdit;
    default: return access::Permission::kManage;
  }
}

bool may_do(storage::Session& session, const http::Caller& caller, http::Level level,
            const access::Thing& thing) {
  if (caller.admin) return true;
  if (caller.account == 0) return false;
  return access::allows(access::read_grants(session, caller.account, thing),
                        static_cast<access::Permission>(caller.otherwise), permission_of(level));
}

bool may_run(storage::Session& session, const http::Caller& caller, http::Level level,
             std::string_view run_id) {
  if (caller.admin) return true;
  const auto thing = run_thing(session, run_id);
  return thing && may_do(session, caller, level, *thing);
}

bool may_logged_model(storage::Session& session, const http::Caller& caller, http::Level level,
                      std::string_view model_id) {
  if (caller.admin) return true;
  const auto thing = logged_model_thing(session, model_id);
  return thing && may_do(session, caller, level, *thing);
}

bool may_log(storage::Session& session, const http::Caller& caller, const tracking::Batch& batch) {
  if (caller.admin) return true;
  std::set<std::string> models;
  for (const tracking::Metric& metric : batch.metrics)
    if (!metric.model_id.empty()) models.insert(metric.model_id);
  return may_run(session, caller, http::Level::kEdit, batch.run_id) &&
         may_models(session, caller, http::Level::kEdit, models);
}

bool may_trace(storage::Session& session, const http::Caller& caller, http::Level level,
               std::string_view trace_id) {
  if (caller.admin) return true;
  const auto thing = trace_thing(session, trace_id);
  return thing && may_do(session, caller, level, *thing);
}

bool may_traces_of(storage::Session& session, const http::Caller& caller, http::Level level,
                   std::string_view experiment_id) {
  if (caller.admin) return true;
  return may_do(session, caller, level,
                experiment_thing(tracking::parse_experiment_id(experiment_id), "trace"));
}

bool may_path(storage::Session& session, const http::Caller& caller, http::Level level,
              std::string_view path) {
  if (caller.admin) return true;
  const std::size_t end = path.find('/');
  const std::string_view first = path.substr(0, end);
  const std::string_view rest = end == std::string_view::npos ? "" : path.substr(end + 1);
  // As experiments are numbered, without a leading zero: "01" is nobody's folder.
  const bool numbered =
      !first.empty() && first.size() < 20 &&
      std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
      (first == "0" || first.front() != '0');
  if (!numbered) return may_do(session, caller, level, {"experiment", "*", ""});
  const std::string_view second = rest.substr(0, rest.find('/'));
  // What removes an experiment's whole folder removes parts of all kinds.
  if (second.empty() && level == http::Level::kManage) {
    return std::all_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
      return may_do(session, caller, level, {"experiment", std::string(first), std::string(part)});
    });
  }
  const std::string part = second == "models"   ? "logged_model"
                           : second == "traces" ? "trace"
                           : second.empty()     ? ""
                                                : "run";
  return may_do(session, caller, level, {"experiment", std::string(first), part});
}

void check_location(storage::Session& session, const http::Caller& caller,
                    const std::string& location) {
  const auto path = tracking::store_path(location);
  if (path && !may_path(session, caller, http::Level::kRead, *path))
    throw Error(Code::kPermissionDenied, "Permission denied");
}

bool permitted(storage::Session& session, const Access& access, const Parameters& parameters,
               const http::Request& request) {
  const http::Caller& caller = request.caller;
  if (caller.admin) return true;
  if (caller.account == 0 || access.level == http::Level::kAdmin) return false;
  switch (access.by) {
    case By::kNothing:
    case By::kSearch: return true;
    case By::kExperiment:
    case By::kExperimentOfNewRun:
    case By::kExperimentOfNewModel:
      return permitted_experiment(session, access, parameters, caller);
    case By::kExperiments: return permitted_experiments(session, access, parameters, caller);
    case By::kExperimentName: {
      const auto found =
          tracking::find_experiment_by_name(session, parameters.text("experiment_name"));
      return !found || may_do(session, caller, access.level, experiment_thing(found->id));
    }
    case By::kNewExperiment:
      return not_denied(session, caller, "experiment") && may_place_artifacts(parameters);
    case By::kRun: return permitted_run(session, access, parameters, request);
    case By::kRuns: return permitted_runs(session, access, parameters, caller);
    case By::kLoggedModel: {
      return may_logged_model(session, caller, access.level, request.path_parameter("model_id"));
    }
    case By::kTrace:
    case By::kTraceFile: return permitted_trace(session, access, parameters, request);
    case By::kTraces: return permitted_traces(session, access, parameters, caller);
    case By::kNewTrace: return permitted_new_trace(session, access, parameters, caller);
    case By::kExperimentOfTraces:
      return may_traces_of(session, caller, access.level, parameters.text("experiment_id"));
    case By::kExperimentsOfTraces:
      return permitted_experiments_of_traces(session, access, parameters, caller);
    case By::kSpans:                       // a stream: asks may_traces_of() itself
    case By::kArtifactPath: return false;  // likewise may_path()
    case By::kModel:
    case By::kModelVersion:
    case By::kModelOfNewVersion: return permitted_model(session, access, parameters, request);
    case By::kNewModel:
      return not_denied(session, caller, "registered_model") &&
             not_denied(session, caller, "prompt");
  }
  return false;
}

void give_to_maker(storage::Transaction& transaction, const http::Caller& caller,
                   std::string_view kind, std::string_view id) {
  if (caller.account == 0) return;
  access::put_own(transaction, caller.account, kind, id, access::Permission::kManage);
}

std::string model_kind(storage::Session& session, const std::string& name) {
  return registry::is_prompt(session, name) ? "prompt" : "registered_model";
}

std::vector<std::int64_t> readable_experiments(storage::Session& session,
                                               const http::Caller& caller,
                                               const std::vector<std::int64_t>& experiments,
                                               std::string_view part) {
  if (caller.admin) return experiments;
  std::vector<std::int64_t> readable;
  for (const std::int64_t id : experiments) {
    if (may_do(session, caller, http::Level::kRead, experiment_thing(id, part)))
      readable.push_back(id);
  }
  return readable;
}

tracking::Scope scope_of(storage::Session& session, const http::Caller& caller,
                         std::string_view kind) {
  using Rule = access::Readable::Rule;
  if (caller.admin) return {};
  const access::Readable readable = access::find_readable(
      session, caller.account, kind, static_cast<access::Permission>(caller.otherwise));
  tracking::Scope scope;
  switch (readable.rule) {
    case Rule::kAll: scope.rule = tracking::Scope::Rule::kAll; break;
    case Rule::kNone: scope.rule = tracking::Scope::Rule::kNone; break;
    case Rule::kOnly: scope.rule = tracking::Scope::Rule::kOnly; break;
    case Rule::kAllBut: scope.rule = tracking::Scope::Rule::kAllBut; break;
  }
  scope.select = [readable](tracking::SearchSql& sql) {
    return readable.select(sql.bind(readable.account), sql.bind(std::string_view{readable.kind}));
  };
  return scope;
}

std::vector<std::string_view> finder_names() {
  std::vector<std::string_view> names;
  names.reserve(kFinders.size());
  for (const Finder& finder : kFinders) names.push_back(finder.name);
  return names;
}

}  // namespace slipway::api::mlflow
