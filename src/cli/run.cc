// SPDX-License-Identifier: Apache-2.0
// Experiments and runs, read over MLflow's own API: what any client sees.
#include "base/clock.h"
#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr std::int64_t kRunsShown = 20;

json::Array experiments(Client& client) {
  const json::Value answer =
      client.post("/api/2.0/mlflow/experiments/search", json::Object{{"max_results", 1000}});
  const json::Value* const list = answer.find("experiments");
  return list == nullptr ? json::Array() : list->as_array();
}

std::string time_text(const json::Value& run, std::string_view path) {
  const json::Value* const ms = at(run, path);
  return ms == nullptr || !ms->is_integer()
             ? "-"
             : format_time(us_of_ms(ms->as_int())).substr(0, 19) + "Z";
}

// [{key, value}] as one object.
json::Object as_members(const json::Value& run, std::string_view path) {
  json::Object members;
  const json::Value* const pairs = at(run, path);
  if (pairs == nullptr || !pairs->is_array()) return members;
  for (const json::Value& pair : pairs->as_array())
    members.set(text_at(pair, "key"), *pair.find("value"));
  return members;
}

}  // namespace

int experiment_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, experiments(client),
              {{"ID", "experiment_id"},
               {"NAME", "name"},
               {"STATE", "lifecycle_stage"},
               {"ARTIFACTS", "artifact_location"}});
  return kDone;
}

int run_list(const Arguments& arguments, Context& context) {
  Client client;
  json::Array ids;
  const std::string wanted = arguments.text_or("experiment", "");
  for (const json::Value& experiment : experiments(client)) {
    if (wanted.empty() || text_at(experiment, "name") == wanted ||
        text_at(experiment, "experiment_id") == wanted) {
      ids.push_back(text_at(experiment, "experiment_id"));
    }
  }
  if (ids.empty())
    throw Error(Code::kNotFound, "there is no experiment `" + wanted + "`",
                "slipway experiment list");
  json::Object search{{"experiment_ids", ids},
                      {"max_results", arguments.integer("limit").value_or(kRunsShown)}};
  if (const auto filter = arguments.text("filter")) search.set("filter", *filter);
  if (const auto order = arguments.text("order-by")) search.set("order_by", json::Array{*order});
  const json::Value answer = client.post("/api/2.0/mlflow/runs/search", search);
  json::Array rows;
  if (const json::Value* const runs = answer.find("runs")) rows = runs->as_array();
  if (context.json) {
    print_json(context, rows);
    return kDone;
  }
  json::Array shown;
  for (const json::Value& run : rows) {
    shown.push_back(json::Object{{"id", text_at(run, "info.run_id")},
                                 {"name", text_at(run, "info.run_name")},
                                 {"status", text_at(run, "info.status")},
                                 {"started", time_text(run, "info.start_time")},
                                 {"metrics", json::write(as_members(run, "data.metrics"))}});
  }
  print_table(context, shown,
              {{"RUN", "id"},
               {"NAME", "name"},
               {"STATUS", "status"},
               {"STARTED", "started"},
               {"METRICS", "metrics"}});
  return kDone;
}

int run_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value answer =
      client.get("/api/2.0/mlflow/runs/get", {{"run_id", *arguments.text("RUN")}});
  const json::Value& run = *answer.find("run");
  if (context.json) {
    print_json(context, run);
    return kDone;
  }
  print_object(context, json::Object{{"run", text_at(run, "info.run_id")},
                                     {"name", text_at(run, "info.run_name")},
                                     {"experiment", text_at(run, "info.experiment_id")},
                                     {"status", text_at(run, "info.status")},
                                     {"started", time_text(run, "info.start_time")},
                                     {"ended", time_text(run, "info.end_time")},
                                     {"params", as_members(run, "data.params")},
                                     {"metrics", as_members(run, "data.metrics")},
                                     {"tags", as_members(run, "data.tags")}});
  return kDone;
}

}  // namespace slipway::cli
