// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/mlflow/fields.h"
#include "api/mlflow/tracking_routes.h"
#include "api/mlflow/wire.h"
#include "base/error.h"
#include "tracking/dataset_input.h"
#include "tracking/experiment_search.h"
#include "tracking/experiment_table.h"

namespace slipway::api::mlflow {
namespace {

json::Value to_json(const tracking::Experiment& experiment) {
  json::Object object{{"experiment_id", std::to_string(experiment.id)},
                      {"name", experiment.name},
                      {"artifact_location", experiment.artifact_location},
                      {"lifecycle_stage", lifecycle_stage(experiment.deleted)},
                      {"last_update_time", experiment.updated_at_ms},
                      {"creation_time", experiment.created_at_ms}};
  if (!experiment.tags.empty()) object.set("tags", key_value_list(experiment.tags));
  object.set("workspace", "default");
  return object;
}

http::Response search(storage::Session& session, const Parameters& parameters,
                      const http::Caller& caller) {
  tracking::ExperimentSearch search;
  search.filter = parameters.text("filter");
  search.view = read_view_type(parameters, "view_type");
  if (!parameters.has("max_results")) {
    throw Error(
        Code::kInvalidArgument,
        "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer");
  }
  search.limit = parameters.max_results(0, tracking::kExperimentsPageMax);
  search.order_by = parameters.texts("order_by");
  search.page_token = parameters.text("page_token");
  search.scope = scope_of(session, caller, "experiment");
  const tracking::ExperimentPage page = tracking::search_experiments(session, search);
  json::Object body;
  json::Array experiments;
  for (const tracking::Experiment& experiment : page.experiments)
    experiments.push_back(to_json(experiment));
  if (!experiments.empty()) body.set("experiments", std::move(experiments));
  if (!page.next_page_token.empty()) body.set("next_page_token", page.next_page_token);
  return answer(body);
}

http::Response search_datasets(storage::Session& session, const Parameters& parameters) {
  const std::vector<std::string> given = parameters.texts("experiment_ids");
  if (given.empty()) {
    throw Error(Code::kInvalidArgument,
                "SearchDatasets request must specify at least one experiment_id.");
  }
  if (given.size() > tracking::kSummaryExperimentsMax) {
    throw Error(Code::kInvalidArgument, "SearchDatasets request cannot specify more than " +
                                            std::to_string(tracking::kSummaryExperimentsMax) +
                                            " experiment_ids. Received " +
                                            std::to_string(given.size()) + " experiment_ids.");
  }
  std::vector<std::int64_t> ids;
  ids.reserve(given.size());
  for (const std::string& id : given) ids.push_back(tracking::parse_experiment_id(id));
  json::Array summaries;
  for (const tracking::DatasetSummary& summary : tracking::summarize_datasets(session, ids)) {
    json::Object item{{"experiment_id", std::to_string(summary.experiment_id)},
                      {"name", summary.name},
                      {"digest", summary.digest}};
    if (!summary.context.empty()) item.set("context", summary.context);
    summaries.emplace_back(std::move(item));
  }
  json::Object body;
  if (!summaries.empty()) body.set("dataset_summaries", std::move(summaries));
  return answer(body);
}

// Saved views of MLflow's page are tags of an experiment.
constexpr std::string_view kViewTag = "mlflow.customView.view";
constexpr std::int64_t kViewsMax = 50;

bool is_view(std::string_view key) { return key.starts_with(kViewTag); }

void check_view_count(const tracking::Pairs& tags) {
  if (std::count_if(tags.begin(), tags.end(), [](const auto& tag) { return is_view(tag.first); }) <=
      kViewsMax) {
    return;
  }
  throw Error(Code::kInvalidArgument,
              "Unable to create another custom view; the maximum number of custom views per "
              "experiment is 50. Delete an existing custom view before creating a new one.");
}

void add_reads(Routes& routes) {
  routes.read(
      http::Method::kGet, "/mlflow/experiments/get", may::read(By::kExperiment),
      {field::required("experiment_id")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        const std::int64_t id =
            tracking::parse_experiment_id(parameters.required_text("experiment_id"));
        return answer(json::Object{{"experiment", to_json(tracking::get_experiment(session, id))}});
      },
      "An experiment by its id");
  routes.read(
      http::Method::kGet, "/mlflow/experiments/get-by-name", may::read(By::kExperimentName),
      {field::required("experiment_name")},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        const std::string name = parameters.required_text("experiment_name");
        const auto experiment = tracking::find_experiment_by_name(session, name);
        if (!experiment)
          throw Error(Code::kNotFound, "Could not find experiment with name '" + name + "'");
        return answer(json::Object{{"experiment", to_json(*experiment)}});
      },
      "An experiment by its name");
  for (const http::Method method : {http::Method::kGet, http::Method::kPost}) {
    routes.read(
        method, "/mlflow/experiments/search", may::search(),
        {field::integer("max_results"), field::list("order_by"), field::text("filter"),
         field::text("page_token")},
        [](storage::Session& session, const Parameters& parameters, const http::Request& request) {
          return search(session, parameters, request.caller);
        },
        "Experiments that meet a filter, in pages");
  }
  routes.read(
      http::Method::kPost, "/mlflow/experiments/search-datasets", may::read(By::kExperiments), {},
      [](storage::Session& session, const Parameters& parameters, const http::Request&) {
        return search_datasets(session, parameters);
      },
      "Datasets that the runs of some experiments used", Prefixes::kAjax2);
}

void add_changes(Routes& routes, const Clock& clock) {
  using Change = std::function<void(storage::Transaction&, std::int64_t id, std::int64_t now_ms)>;
  // Reads the id, plans a change of that experiment, answers {}.
  const auto change = [&routes, &clock](std::string_view path, const Access& access,
                                        const Fields& fields,
                                        const std::function<Change(const Parameters&)>& plan,
                                        const std::string& summary) {
    routes.write(
        http::Method::kPost, path, access, fields,
        [&clock, plan](const Parameters& parameters, const http::Request&) -> Routes::Work {
          const std::int64_t id =
              tracking::parse_experiment_id(parameters.required_text("experiment_id"));
          return [id, now_ms = ms_of_us(clock.now()),
                  apply = plan(parameters)](storage::Transaction& transaction) {
            apply(transaction, id, now_ms);
            return answer();
          };
        },
        summary);
  };
  change(
      "/mlflow/experiments/delete", may::manage(By::kExperiment),
      {field::required("experiment_id")},
      [](const Parameters&) -> Change { return tracking::delete_experiment; },
      "Marks an experiment and its runs deleted");
  change(
      "/mlflow/experiments/restore", may::manage(By::kExperiment),
      {field::required("experiment_id")},
      [](const Parameters&) -> Change { return tracking::restore_experiment; },
      "Takes a deletion back");
  change(
      "/mlflow/experiments/update", may::edit(By::kExperiment),
      {field::required("experiment_id"), field::required("new_name")},
      [](const Parameters& parameters) -> Change {
        return [name = parameters.text("new_name")](storage::Transaction& transaction,
                                                    std::int64_t id, std::int64_t now_ms) {
          tracking::rename_experiment(transaction, id, name, now_ms);
        };
      },
      "Renames an experiment");
  change(
      "/mlflow/experiments/set-experiment-tag", may::edit(By::kExperiment),
      {field::required("experiment_id"), field::required("key"), field::text("value")},
      [](const Parameters& parameters) -> Change {
        return [key = parameters.required_text("key"), value = parameters.text("value")](
                   storage::Transaction& transaction, std::int64_t id, std::int64_t now_ms) {
          tracking::set_experiment_tag(transaction, id, key, value, now_ms);
          if (is_view(key)) check_view_count(tracking::get_experiment(transaction, id).tags);
        };
      },
      "Sets a tag of an experiment");
  change(
      "/mlflow/experiments/delete-experiment-tag", may::edit(By::kExperiment),
      {field::required("experiment_id"), field::required("key")},
      [](const Parameters& parameters) -> Change {
        return [key = parameters.required_text("key")](storage::Transaction& transaction,
                                                       std::int64_t id, std::int64_t now_ms) {
          tracking::delete_experiment_tag(transaction, id, key, now_ms);
        };
      },
      "Removes a tag of an experiment");
}

}  // namespace

std::vector<http::Route> experiment_routes(const Deps& deps) {
  Routes routes(deps.database);
  const Clock& clock = deps.clock;
  routes.write(
      http::Method::kPost, "/mlflow/experiments/create", may::create(By::kNewExperiment),
      {field::required("name"), field::text("artifact_location"), field::list("tags")},
      [&clock](const Parameters& parameters, const http::Request& request) -> Routes::Work {
        tracking::NewExperiment experiment;
        experiment.name = parameters.required_text("name");
        experiment.artifact_location = parameters.text("artifact_location");
        experiment.tags = read_pairs(parameters, "tags", Keys::kChecked);
        check_view_count(experiment.tags);
        return [experiment, caller = request.caller,
                now_ms = ms_of_us(clock.now())](storage::Transaction& transaction) {
          const std::int64_t id = tracking::create_experiment(transaction, experiment, now_ms);
          give_to_maker(transaction, caller, "experiment", std::to_string(id));
          return answer(json::Object{{"experiment_id", std::to_string(id)}});
        };
      },
      "Creates an experiment");
  add_reads(routes);
  add_changes(routes, clock);
  return routes.take();
}

}  // namespace slipway::api::mlflow
