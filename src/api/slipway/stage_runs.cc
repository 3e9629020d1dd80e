// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/stage_runs.h"

#include <string>

#include "api/slipway/access.h"
#include "api/slipway/errors.h"
#include "registry/provenance.h"
#include "tracking/experiment_table.h"
#include "tracking/run_log.h"
#include "tracking/run_table.h"
#include "tracking/stage_token.h"

namespace slipway::api {
namespace {

constexpr const char* kBase = "/api/slipway/v1/stage-runs";
constexpr std::size_t kReproStagesMax = 1'000;  // children looked at when a repro ends
constexpr std::size_t kParamsMax = 1'000;       // of a stage

// The JSON text of a member, for a tag; "" when it is absent.
std::string json_text(const json::Object& body, std::string_view field) {
  const json::Value* value = body.find(field);
  return value == nullptr ? std::string() : json::write(*value, {.bare_non_finite = true});
}

bool flag(const json::Object& body, std::string_view field) {
  const json::Value* value = body.find(field);
  if (value == nullptr) return false;
  if (!value->is_bool())
    throw Error(Code::kInvalidArgument, "`" + std::string(field) + "` must be true or false");
  return value->as_bool();
}

void add_tag(tracking::Pairs& tags, const char* key, std::string value) {
  if (!value.empty()) tags.emplace_back(key, std::move(value));
}

std::int64_t experiment_for(storage::Transaction& transaction, const std::string& name,
                            std::int64_t now_ms) {
  if (const auto known = tracking::find_experiment_by_name(transaction, name)) {
    return tracking::get_active_experiment(transaction, known->id).id;
  }
  return tracking::create_experiment(transaction, {name, "", {}}, now_ms);
}

http::Response begin_repro(const StageRunDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  tracking::NewRun run;
  run.name = "repro";
  run.user_id = "slipway";
  const std::string experiment = required_text(body, "experiment");
  add_tag(run.tags, "slipway.repro", required_text(body, "repro"));
  add_tag(run.tags, "slipway.repository", optional_text(body, "repository"));
  add_tag(run.tags, "slipway.commit", optional_text(body, "commit"));
  add_tag(run.tags, "mlflow.source.git.commit", optional_text(body, "commit"));
  add_tag(run.tags, "slipway.branch", optional_text(body, "branch"));
  add_tag(run.tags, "slipway.dirty", flag(body, "dirty") ? "true" : "false");
  add_tag(run.tags, "slipway.env", json_text(body, "environment"));
  add_tag(run.tags, "slipway.targets", json_text(body, "targets"));
  add_tag(run.tags, "slipway.retraining", optional_text(body, "retraining"));
  const std::int64_t now_ms = ms_of_us(deps.clock.now());
  run.start_time_ms = now_ms;
  const std::string id =
      deps.database.write_returning<std::string>([&](storage::Transaction& transaction) {
        run.experiment_id = experiment_for(transaction, experiment, now_ms);
        return tracking::create_run(transaction, run).id;
      });
  return json_response(json::Object{{"run_id", id}});
}

// file → {key → value} as the parameters of a run: keys of params.yaml as they are, of other files
// behind "file:".
tracking::Pairs params_of(const json::Object& body) {
  tracking::Pairs params;
  const json::Value* files = body.find("parameters");
  if (files == nullptr) return params;
  if (!files->is_object())
    throw Error(Code::kInvalidArgument, "`parameters` must be an object of files");
  for (const auto& [file, values] : files->as_object()) {
    if (!values.is_object())
      throw Error(Code::kInvalidArgument, "`parameters." + file + "` must be an object");
    for (const auto& [key, value] : values.as_object()) {
      if (params.size() >= kParamsMax) return params;  // the tag slipway.params has them all
      const std::string text =
          value.is_string() ? value.as_string() : json::write(value, {.bare_non_finite = true});
      params.emplace_back(file == "params.yaml" ? key : file + ":" + key, text);
    }
  }
  return params;
}

// Keys that tracking does not take (they may be any text in a parameter file) are left to the tag.
bool is_param_key(const std::string& key) {
  return !key.empty() && key.size() <= 250 &&
         key.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. :/") ==
             std::string::npos &&
         key.find("..") == std::string::npos && key.front() != '/' && key.front() != '.' &&
         key.find("//") == std::string::npos;
}

http::Response begin_stage(const StageRunDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  const std::string repro_run = required_text(body, "repro_run");
  tracking::NewRun run;
  run.name = required_text(body, "stage");
  run.user_id = "slipway";
  add_tag(run.tags, "slipway.stage", run.name);
  add_tag(run.tags, std::string(tracking::kParentTag).c_str(), repro_run);
  add_tag(run.tags, "slipway.command", json_text(body, "commands"));
  add_tag(run.tags, "slipway.deps", json_text(body, "dependencies"));
  add_tag(run.tags, "slipway.params", json_text(body, "parameters"));
  if (flag(body, "cached")) add_tag(run.tags, "slipway.cached", "true");
  tracking::Batch batch;
  for (auto& param : params_of(body)) {
    if (is_param_key(param.first)) batch.params.push_back(std::move(param));
  }
  run.start_time_ms = ms_of_us(deps.clock.now());
  json::Object answer;
  deps.database.write([&](storage::Transaction& transaction) {
    const tracking::Run parent = tracking::get_run(transaction, repro_run);
    run.experiment_id = parent.info.experiment_id;
    // What holds for the repro holds for its stages: a version's run alone must tell where it came
    // from.
    for (const char* key : {"slipway.repro", "slipway.commit", "mlflow.source.git.commit",
                            "slipway.dirty", "slipway.env"}) {
      if (const std::string* value = parent.tag(key)) add_tag(run.tags, key, *value);
    }
    batch.run_id = tracking::create_run(transaction, run).id;
    tracking::check_batch(batch);
    tracking::log_batch(transaction, batch);
    answer.set("run_id", batch.run_id);
    answer.set("token", tracking::mint_stage_token(transaction, deps.clock, batch.run_id));
  });
  return json_response(answer);
}

void end_run(storage::Transaction& transaction, const StageRunDeps& deps, const std::string& run_id,
             bool succeeded) {
  tracking::RunChange change;
  change.run_id = run_id;
  change.status = succeeded ? tracking::RunStatus::kFinished : tracking::RunStatus::kFailed;
  change.end_time_ms = ms_of_us(deps.clock.now());
  tracking::update_run(transaction, change);
  tracking::revoke_stage_tokens(transaction, deps.clock, run_id);
}

http::Response finish_stage(const StageRunDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  const std::string& run_id = request.path_parameter("run");
  const json::Value* exit_code = body.find("exit_code");
  if (exit_code == nullptr || !exit_code->is_integer())
    throw Error(Code::kInvalidArgument, "`exit_code` must be an integer");
  tracking::Batch batch;
  batch.run_id = run_id;
  add_tag(batch.tags, "slipway.outs", json_text(body, "outputs"));
  add_tag(batch.tags, "slipway.reason", optional_text(body, "reason"));
  const std::int64_t now_ms = ms_of_us(deps.clock.now());
  if (const json::Value* metrics = body.find("metrics")) {
    if (!metrics->is_object())
      throw Error(Code::kInvalidArgument, "`metrics` must be an object of numbers");
    for (const auto& [key, value] : metrics->as_object()) {
      if (!value.is_number())
        throw Error(Code::kInvalidArgument, "`metrics." + key + "` must be a number");
      if (!is_param_key(key)) continue;
      tracking::Metric metric;
      metric.key = key;
      metric.point.value = value.as_double();
      metric.point.time_ms = now_ms;
      batch.metrics.push_back(std::move(metric));
    }
  }
  deps.database.write([&](storage::Transaction& transaction) {
    tracking::check_batch(batch);
    tracking::log_batch(transaction, batch);
    end_run(transaction, deps, run_id, exit_code->as_int() == 0);
    // A version that the stage registered on its way learns what the stage wrote.
    if (const json::Value* outputs = body.find("outputs");
        outputs != nullptr && !outputs->is_null()) {
      registry::link_outputs_of_run(transaction, deps.clock, run_id, *outputs);
    }
  });
  return json_response(json::Object{});
}

http::Response finish_repro(const StageRunDeps& deps, const http::Request& request) {
  const json::Object body = body_object(request);
  const bool succeeded = flag(body, "succeeded");
  const std::string& run_id = request.path_parameter("run");
  deps.database.write([&](storage::Transaction& transaction) {
    for (const tracking::RunInfo& child :
         tracking::list_children(transaction, run_id, kReproStagesMax)) {
      if (child.status == tracking::RunStatus::kRunning)
        end_run(transaction, deps, child.id, false);
    }
    end_run(transaction, deps, run_id, succeeded);
  });
  return json_response(json::Object{});
}

http::Route posting(const StageRunDeps& deps, const std::string& pattern,
                    http::Response (*handler)(const StageRunDeps&, const http::Request&),
                    std::string summary) {
  return http::route(
      http::Method::kPost, kBase + pattern, kApplyFiles, http::Execution::kPool,
      [deps, handler](const http::Request& request) { return handler(deps, request); },
      std::move(summary));
}

}  // namespace

std::vector<http::Route> stage_run_routes(const StageRunDeps& deps) {
  std::vector<http::Route> routes;
  routes.push_back(
      posting(deps, "/repros", begin_repro, "Begins the run of a pipeline's execution"));
  routes.push_back(
      posting(deps, "", begin_stage, "Begins a stage's run and makes a token for its command"));
  routes.push_back(posting(deps, "/{run}/finish", finish_stage,
                           "Ends a stage's run with its outputs and metrics"));
  routes.push_back(posting(deps, "/repros/{run}/finish", finish_repro,
                           "Ends the run of a pipeline's execution"));
  return routes;
}

}  // namespace slipway::api
