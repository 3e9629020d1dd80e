// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/errors.h"
#include "api/mlflow/fields.h"
#include "api/mlflow/log_request.h"
#include "api/mlflow/redaction.h"
#include "api/mlflow/run_writer.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/dataset_input.h"
#include "tracking/experiment_table.h"
#include "tracking/run_log.h"
#include "tracking/run_page.h"
#include "tracking/run_search.h"
#include "tracking/stage_token.h"

namespace slipway::api::mlflow {
namespace {

// A batch of the largest items that MLflow allows (100 parameters of 6,000 and 100 tags of 8,000
// characters, escaped) fits.
constexpr std::uint64_t kBatchBytesMax = 32U << 20;
// Profiles of datasets may have 16 MiB each.
constexpr std::uint64_t kInputsBytesMax = 64U << 20;

tracking::RunStatus read_status(const Parameters& parameters) {
  const json::Value& value = *parameters.find("status");
  const auto status = tracking::parse_status(value.is_string() ? value.as_string()
                                             : value.kind() == json::Value::Kind::kInt
                                                 ? std::to_string(value.as_int())
                                                 : "");
  if (!status && !value.is_string()) parameters.refuse_type("status");
  if (!status)
    parameters.refuse("status", "It must be one of RUNNING, SCHEDULED, FINISHED, FAILED, KILLED");
  return *status;
}

Routes::Work plan_create(const Parameters& parameters, const http::Request& request) {
  tracking::NewRun run;
  run.experiment_id = tracking::parse_experiment_id(parameters.text("experiment_id"));
  run.user_id = parameters.text("user_id");
  run.name = parameters.text("run_name");
  run.start_time_ms = parameters.maybe_int64("start_time").value_or(0);
  run.tags = read_pairs(parameters, "tags", Keys::kRequired);
  return [run, token = bearer_token(request)](storage::Transaction& transaction) {
    tracking::NewRun child = run;
    // A script inside a pipeline's stage knows nothing of the stage's run; its token does.
    child.stage_run = tracking::find_stage_run(transaction, token).value_or("");
    const tracking::RunInfo info = tracking::create_run(transaction, child);
    return answer(json::Object{{"run", to_json(tracking::load_new_run(transaction, info), false)}});
  };
}

Routes::Work plan_update(const Parameters& parameters) {
  tracking::RunChange change;
  change.run_id = parameters.required_text("run_id");
  if (parameters.has("status")) change.status = read_status(parameters);
  change.end_time_ms = parameters.maybe_int64("end_time");
  change.name = parameters.maybe_text("run_name");
  return [change](storage::Transaction& transaction) {
    return answer(json::Object{{"run_info", to_json(tracking::update_run(transaction, change))}});
  };
}

Routes::Work plan_batch(tracking::Batch batch, bool single, const http::Caller& caller) {
  tracking::check_batch(batch, single);
  return [batch = std::move(batch), single, caller](storage::Transaction& transaction) {
    if (!may_log(transaction, caller, batch)) return forbidden_response();
    tracking::log_batch(transaction, batch, single);
    return answer();
  };
}

// The body is read without Parameters where it is as clients write it.
void log_batch(storage::Database& database, http::Request& request, http::Responder responder) {
  if (!request.body.empty()) check_content_type(request);
  auto batch = read_batch_quickly(request.body);
  if (!batch) {
    const Parameters parameters(request);
    parameters.check({field::required("run_id"), field::list("metrics"), field::list("params"),
                      field::list("tags")});
    batch = read_batch(parameters);
  }
  tracking::check_run_id(batch->run_id);
  Routes::Work work = plan_batch(std::move(*batch), false, request.caller);
  submit(database, std::move(work), std::move(responder));
}

Routes::Work plan_inputs(const Parameters& parameters) {
  const std::string run_id = parameters.required_text("run_id");
  std::vector<tracking::DatasetInput> datasets;
  for (const Parameters& item : parameters.objects("datasets")) {
    const auto dataset = item.object("dataset");
    if (!dataset) {
      throw Error(Code::kInvalidArgument,
                  "Missing value for required parameter '" + item.path_of("dataset") + "'.");
    }
    datasets.push_back({dataset->text("name"), dataset->text("digest"),
                        dataset->text("source_type"), dataset->text("source"),
                        dataset->text("schema"), dataset->text("profile"),
                        read_pairs(item, "tags", Keys::kRequired)});
  }
  tracking::check_dataset_inputs(datasets);
  std::vector<std::string> models;
  for (const Parameters& item : parameters.objects("models"))
    models.push_back(item.required_text("model_id"));
  return [run_id, datasets = std::move(datasets),
          models = std::move(models)](storage::Transaction& transaction) {
    tracking::log_inputs(transaction, run_id, datasets, models);
    return answer();
  };
}

Routes::Work plan_outputs(const Parameters& parameters) {
  const std::string run_id = parameters.required_text("run_id");
  std::vector<tracking::ModelOutput> models;
  for (const Parameters& item : parameters.objects("models")) {
    models.push_back({item.required_text("model_id"), item.maybe_int64("step").value_or(0)});
  }
  return [run_id, models = std::move(models)](storage::Transaction& transaction) {
    tracking::log_outputs(transaction, run_id, models);
    return answer();
  };
}

http::Response search(storage::Session& session, const Parameters& parameters,
                      const http::Caller& caller) {
  tracking::RunSearch search;
  const std::vector<std::string> ids = parameters.texts("experiment_ids");
  search.experiment_ids.reserve(ids.size());
  for (const std::string& id : ids)
    search.experiment_ids.push_back(tracking::parse_experiment_id(id));
  search.experiment_ids = readable_experiments(session, caller, search.experiment_ids, "run");
  search.filter = parameters.text("filter");
  search.view = read_view_type(parameters, "run_view_type");
  search.limit = parameters.max_results(1'000, tracking::kRunsPageMax);
  search.order_by = parameters.texts("order_by");
  search.page_token = parameters.text("page_token");
  const tracking::KeyPage found = tracking::search_runs(session, search);
  RunWriter writer;
  Redaction redaction(session, caller);
  std::int64_t last = 0;
  tracking::load_runs(session, found.keys, [&](const tracking::Run& run) {
    if (caller.admin) {
      writer.add(run);
    } else {
      writer.add(redaction.of(run));
    }
    last = run.info.key;
    return writer.bytes() < RunWriter::kAnswerBytesMax;
  });
  // Of a page that is too long the rest is the next one's.
  const bool whole = found.keys.empty() || last == found.keys.back();
  http::Response response;
  response.body = std::move(writer).finish(
      whole ? found.next_page_token : tracking::run_token_behind(session, search, last));
  return response;
}

void add_lifecycle(Routes& routes, const Clock& clock) {
  routes.write(
      http::Method::kPost, "/mlflow/runs/create", may::edit(By::kExperimentOfNewRun),
      {field::text("experiment_id"), field::integer("start_time"), field::text("run_name")},
      [](const Parameters& parameters, const http::Request& request) {
        return plan_create(parameters, request);
      },
      "Creates a run");
  routes.write(
      http::Method::kPost, "/mlflow/runs/update", may::edit(By::kRun),
      {field::required("run_id"), field::integer("end_time"), field::text("run_name")},
      [](const Parameters& parameters, const http::Request&) { return plan_update(parameters); },
      "Changes a run's status, end time or name");
  routes.write(
      http::Method::kPost, "/mlflow/runs/delete", may::manage(By::kRun),
      {field::required("run_id")},
      [&clock](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [run_id = parameters.required_text("run_id"),
                now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
          tracking::delete_run(transaction, run_id, now_ms);
          return answer();
        };
      },
      "Marks a run deleted");
  routes.write(
      http::Method::kPost, "/mlflow/runs/restore", may::manage(By::kRun),
      {field::required("run_id")},
      [](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [run_id = parameters.required_text("run_id")](storage::Transaction& transaction) {
          tracking::restore_run(transaction, run_id);
          return answer();
        };
      },
      "Takes a deletion back");
}

void add_reads(Routes& routes) {
  routes.read(
      http::Method::kGet, "/mlflow/runs/get", may::read(By::kRun), {field::required("run_id")},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        const tracking::Run run = tracking::get_run(session, parameters.required_text("run_id"));
        return answer(json::Object{{"run", to_json(Redaction(session, request.caller).of(run))}});
      },
      "A run with its parameters, tags and newest metrics");
  routes.read(
      http::Method::kPost, "/mlflow/runs/search", may::search(),
      {field::list("experiment_ids"), field::text("filter"),
       field::integer("max_results", tracking::kRunsPageMax), field::texts("order_by")},
      [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
        return search(session, parameters, request.caller);
      },
      "Runs that meet a filter, in order, in pages");
}

void add_logging(Routes& routes) {
  const Fields metric_fields = {field::required("run_id"),
                                field::required("key"),
                                field::required("value", Field::Kind::kNumber),
                                field::required("timestamp", Field::Kind::kInteger),
                                field::integer("step"),
                                field::text("model_id"),
                                field::text("dataset_name"),
                                field::text("dataset_digest")};
  routes.write(
      http::Method::kPost, "/mlflow/runs/log-metric", may::edit(By::kRun), metric_fields,
      [](const Parameters& parameters, const http::Request& request) {
        tracking::Batch batch;
        batch.run_id = parameters.required_text("run_id");
        batch.metrics.push_back(read_metric(parameters));
        return plan_batch(std::move(batch), true, request.caller);
      },
      "Logs one value of a metric");
  routes.write(
      http::Method::kPost, "/mlflow/runs/log-parameter", may::edit(By::kRun),
      {field::required("run_id"), field::required("key"), field::text("value")},
      [](const Parameters& parameters, const http::Request& request) {
        tracking::Batch batch;
        batch.run_id = parameters.required_text("run_id");
        batch.params.emplace_back(parameters.required_text("key"), parameters.text("value"));
        return plan_batch(std::move(batch), true, request.caller);
      },
      "Logs one parameter, for good");
  routes.write(
      http::Method::kPost, "/mlflow/runs/set-tag", may::edit(By::kRun),
      {field::required("run_id"), field::required("key"), field::text("value")},
      [](const Parameters& parameters, const http::Request& request) {
        tracking::Batch batch;
        batch.run_id = parameters.required_text("run_id");
        batch.tags.emplace_back(parameters.required_text("key"), parameters.text("value"));
        return plan_batch(std::move(batch), true, request.caller);
      },
      "Sets a tag of a run");
  routes.write(
      http::Method::kPost, "/mlflow/runs/delete-tag", may::edit(By::kRun),
      {field::required("run_id"), field::required("key")},
      [](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [run_id = parameters.required_text("run_id"),
                key = parameters.required_text("key")](storage::Transaction& transaction) {
          tracking::delete_run_tag(transaction, run_id, key);
          return answer();
        };
      },
      "Removes a tag of a run");
  routes.write(
      http::Method::kPost, "/mlflow/runs/log-inputs", may::edit(By::kRun),
      {field::required("run_id"), field::list("datasets"), field::list("models")},
      [](const Parameters& parameters, const http::Request&) { return plan_inputs(parameters); },
      "Links datasets and models that a run reads", Prefixes::kBoth2, kInputsBytesMax);
  routes.write(
      http::Method::kPost, "/mlflow/runs/outputs", may::edit(By::kRun),
      {field::required("run_id"), field::required("models", Field::Kind::kList)},
      [](const Parameters& parameters, const http::Request&) { return plan_outputs(parameters); },
      "Links models that a run made");
  routes.write(
      http::Method::kPost, "/mlflow/runs/log-model", may::edit(By::kRun),
      {field::required("run_id"), field::required("model_json")},
      [](const Parameters& parameters, const http::Request&) -> Routes::Work {
        return [run_id = parameters.required_text("run_id"),
                model = parameters.required_text("model_json")](storage::Transaction& transaction) {
          tracking::record_model(transaction, run_id, model);
          return answer();
        };
      },
      "Records a model in a run's tag, as clients before MLflow 3 do");
}

}  // namespace

std::vector<http::Route> run_routes(const Deps& deps) {
  Routes routes(deps.database);
  add_lifecycle(routes, deps.clock);
  add_reads(routes);
  add_logging(routes);
  storage::Database& database = deps.database;
  for (const char* pattern :
       {"/api/2.0/mlflow/runs/log-batch", "/ajax-api/2.0/mlflow/runs/log-batch"}) {
    routes.add({.method = http::Method::kPost,
                .pattern = pattern,
                .access = declared(may::edit(By::kRun)),
                .execution = http::Execution::kInline,
                .handler =
                    [&database](http::Request& request, http::Responder responder) {
                      log_batch(database, request, std::move(responder));
                    },
                .body_bytes_max = kBatchBytesMax,
                .summary = "Logs metrics, parameters and tags: all of them or none"});
  }
  return routes.take();
}

}  // namespace slipway::api::mlflow
