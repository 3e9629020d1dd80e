// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/run_table.h"

namespace slipway::tracking {

// A logged model (MLflow 3): a model's files with parameters, tags and metrics, before and apart
// from any registration. Ids are "m-" and 32 hex digits; the files lie at <experiment's
// location>/models/<id>/artifacts.

enum class ModelStatus { kUnspecified = 0, kPending = 1, kReady = 2, kUploadFailed = 3 };
std::string_view status_name(ModelStatus status);  // "LOGGED_MODEL_PENDING" …
std::optional<ModelStatus> parse_model_status(
    std::string_view name);  // a name, or its number as text

struct ModelMetric {
  std::string key;
  double value = 0;
  std::int64_t time_ms = 0;
  std::int64_t step = 0;
  std::string run_id;
  std::string dataset_name;    // "" = none
  std::string dataset_digest;  // likewise
};

struct LoggedModel {
  std::int64_t key = 0;  // internal
  std::string id;
  std::int64_t experiment_id = 0;
  std::string name;
  std::string artifact_uri;
  std::int64_t created_at_ms = 0;
  std::int64_t updated_at_ms = 0;
  ModelStatus status = ModelStatus::kPending;
  std::string model_type;
  std::string source_run_id;
  std::string status_message;
  bool deleted = false;
  Pairs params;
  Pairs tags;
  std::vector<ModelMetric> metrics;  // newest per (key, dataset)
};

struct NewLoggedModel {
  std::int64_t experiment_id = 0;
  std::string name;  // "" = an invented one
  std::string model_type;
  std::string source_run_id;
  Pairs params;
  Pairs tags;
};

// kInvalidArgument: a name with one of / : . % " ', a parameter or tag against the rules;
// kNotFound: no such experiment.
LoggedModel create_logged_model(storage::Transaction& transaction, const NewLoggedModel& model,
                                std::int64_t now_ms);

// A deleted model is found only where asked for. get throws kNotFound "Logged model with ID '…' not
// found."
std::optional<LoggedModel> find_logged_model(storage::Session& session, std::string_view id,
                                             bool also_deleted = false);
LoggedModel get_logged_model(storage::Session& session, std::string_view id,
                             bool also_deleted = false);

LoggedModel finalize_logged_model(storage::Transaction& transaction, std::string_view id,
                                  ModelStatus status, std::int64_t now_ms);
// Deleting again is no error; a model that never was is kNotFound.
void delete_logged_model(storage::Transaction& transaction, std::string_view id,
                         std::int64_t now_ms);

LoggedModel set_logged_model_tags(storage::Transaction& transaction, std::string_view id,
                                  const Pairs& tags);
// kNotFound: the model has no such tag.
void delete_logged_model_tag(storage::Transaction& transaction, std::string_view id,
                             std::string_view key);
// A parameter that is there keeps its value: kInvalidArgument if the new one differs.
void log_logged_model_params(storage::Transaction& transaction, std::string_view id,
                             const Pairs& params);

// What a run's log-metric with `model_id` adds. kNotFound: no such model. A point that is there
// already is dropped.
void log_logged_model_metric(storage::Transaction& transaction, std::string_view id,
                             const ModelMetric& metric);

// The logged model of that name that the run made, newest first; nullopt if there is none.
std::optional<std::string> find_model_of_run(storage::Session& session, std::string_view run_id,
                                             std::string_view name);

// Fills parameters, tags and metrics of a row.
LoggedModel load_logged_model(storage::Session& session, std::int64_t model_key);

}  // namespace slipway::tracking
