// SPDX-License-Identifier: Apache-2.0
// Experiments and runs, read over MLflow's own API: what any client sees.
#include <algorithm>
#include <ostream>

#include "base/clock.h"
#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/readable.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr std::int64_t kRunsShown = 20;
constexpr std::int64_t kRunsShownMax = 50'000;  // MLflow's largest page
constexpr std::size_t kRunIdCharacters = 32;
constexpr std::size_t kRunIdShown = 12;  // on a terminal; any unique beginning is understood

json::Array experiments(Client& client) {
  return client.get_pages("/api/2.0/mlflow/experiments/search", {}, "experiments");
}

// The ids of the experiments to search: of one, by name or id, or of all.
json::Array experiment_ids(const json::Array& known, const std::optional<std::string>& wanted) {
  json::Array ids;
  std::vector<std::string> names;
  for (const json::Value& experiment : known) {
    names.push_back(text_at(experiment, "name"));
    const std::string id = text_at(experiment, "experiment_id");
    if (!wanted || names.back() == *wanted || id == *wanted) ids.emplace_back(id);
  }
  if (!ids.empty()) return ids;
  if (!wanted) throw Error(Code::kNotFound, "the server has no experiment, and so no run");
  throw Error(Code::kNotFound,
              "there is no experiment `" + *wanted + "`" + did_you_mean(*wanted, names),
              "slipway experiment list");
}

std::string name_of_experiment(const json::Array& known, const std::string& id) {
  for (const json::Value& experiment : known) {
    if (text_at(experiment, "experiment_id") == id) return text_at(experiment, "name");
  }
  return id;
}

std::optional<TimeUs> time_at(const json::Value& run, std::string_view path) {
  const json::Value* const ms = at(run, path);
  if (ms == nullptr || !ms->is_integer()) return std::nullopt;
  return us_of_ms(ms->as_int());
}

std::string time_text(const json::Value& run, std::string_view path) {
  const auto time = time_at(run, path);
  return time ? format_time(*time).substr(0, 19) + "Z" : "";
}

std::string duration_text(const json::Value& run) {
  const auto from = time_at(run, "info.start_time");
  const auto until = time_at(run, "info.end_time");
  return from && until && *until >= *from ? readable_duration(*until - *from) : "";
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

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// The run that was meant: its id, or the beginning of one.
std::string run_id(Client& client, const std::string& typed) {
  if (typed.size() >= kRunIdCharacters || !is_hex(typed)) return typed;
  const json::Value answer =
      client.post("/api/2.0/mlflow/runs/search",
                  json::Object{{"experiment_ids", experiment_ids(experiments(client), {})},
                               {"filter", "attributes.run_id LIKE '" + typed + "%'"},
                               {"max_results", 2}});
  std::vector<std::string> ids;
  for (const json::Value& run : list_in(answer, "runs")) ids.push_back(text_at(run, "info.run_id"));
  return whole_id("run", typed, ids);
}

json::Value get_run(Client& client, const std::string& typed) {
  try {
    return *client.get("/api/2.0/mlflow/runs/get", {{"run_id", run_id(client, typed)}}).find("run");
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kNotFound, "there is no run `" + typed + "`", "slipway run list");
  }
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
  const std::int64_t limit = arguments.integer("limit", 1, kRunsShownMax).value_or(kRunsShown);
  Client client;
  const json::Array known = experiments(client);
  json::Object search{{"experiment_ids", experiment_ids(known, arguments.text("experiment"))},
                      {"max_results", limit}};
  if (const auto filter = arguments.text("filter")) search.set("filter", *filter);
  if (const auto order = arguments.text("order-by")) search.set("order_by", json::Array{*order});
  const json::Value answer = client.post("/api/2.0/mlflow/runs/search", search);
  const json::Array rows = list_in(answer, "runs");
  if (context.json) {
    print_json(context, rows);
    return kDone;
  }
  json::Array shown;
  for (const json::Value& run : rows) {
    const std::string id = text_at(run, "info.run_id");
    shown.push_back(
        json::Object{{"id", context.out_is_terminal ? id.substr(0, kRunIdShown) : id},
                     {"name", text_at(run, "info.run_name")},
                     {"status", text_at(run, "info.status")},
                     {"started", time_text(run, "info.start_time")},
                     {"took", duration_text(run)},
                     {"experiment", name_of_experiment(known, text_at(run, "info.experiment_id"))},
                     {"metrics", as_members(run, "data.metrics")}});
  }
  print_table(context, shown,
              {{"RUN", "id"},
               {"NAME", "name"},
               {"STATUS", "status"},
               {"STARTED", "started"},
               {"TOOK", "took"},
               {"EXPERIMENT", "experiment"},
               {"METRICS", "metrics"}});
  if (!text_at(answer, "next_page_token").empty())
    context.err << "the first " << rows.size() << "; more with --limit\n";
  return kDone;
}

int run_show(const Arguments& arguments, Context& context) {
  Client client;
  const json::Value run = get_run(client, *arguments.text("RUN"));
  if (context.json) {
    print_json(context, run);
    return kDone;
  }
  print_object(context,
               json::Object{{"run", text_at(run, "info.run_id")},
                            {"name", text_at(run, "info.run_name")},
                            {"experiment", name_of_experiment(experiments(client),
                                                              text_at(run, "info.experiment_id"))},
                            {"status", text_at(run, "info.status")},
                            {"started", time_text(run, "info.start_time")},
                            {"ended", time_text(run, "info.end_time")},
                            {"took", duration_text(run)},
                            {"artifacts", text_at(run, "info.artifact_uri")},
                            {"params", as_members(run, "data.params")},
                            {"metrics", as_members(run, "data.metrics")},
                            {"tags", as_members(run, "data.tags")}});
  return kDone;
}

}  // namespace slipway::cli
