// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tracking/metric_store.h"
#include "tracking/run_table.h"

namespace slipway::tracking {

// The rules of logging into a run. Parameters never change, tags do, metrics grow; all of a batch
// is kept or nothing. A run that is deleted takes nothing: kFailedPrecondition in MLflow's words.
// An unknown run is kNotFound.

struct Batch {
  std::string run_id;
  std::vector<Metric> metrics;
  Pairs params;
  Pairs tags;
  // Items that the request has besides and that were not kept, as no batch may have so many.
  std::size_t metrics_beyond = 0;
  std::size_t params_beyond = 0;
  std::size_t tags_beyond = 0;
};

// MLflow's rule, which its server has for batches alone: a letter or digit, then up to 255 word
// characters and '-'. kInvalidArgument.
void check_run_id(std::string_view id);

// What can be said without the store: keys, lengths, numbers, counts; long values are cut. Throws
// kInvalidArgument naming the field
// ("metrics[3].name"). `single` words it as MLflow's calls for one item do ("name").
void check_batch(Batch& batch, bool single = false);

// Keeps a checked batch. kInvalidArgument: a parameter is there with another value. `single` words
// that as log-parameter does.
void log_batch(storage::Transaction& transaction, const Batch& batch, bool single = false);

// The tag mlflow.runName renames the run.
void set_run_tag(storage::Transaction& transaction, std::string_view run_id, std::string_view key,
                 std::string_view value);

// kNotFound "No tag with name: …" if it is not there.
void delete_run_tag(storage::Transaction& transaction, std::string_view run_id,
                    std::string_view key);

// The old way of recording a model: appends the model's document (JSON) to the tag
// mlflow.log-model.history. kInvalidArgument: not JSON, or artifact_path, flavors, utc_time_created
// or run_id is missing.
void record_model(storage::Transaction& transaction, std::string_view run_id,
                  std::string_view model_json);

}  // namespace slipway::tracking
