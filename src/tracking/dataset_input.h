// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/run_table.h"

namespace slipway::tracking {

// Datasets that runs read, and models that they take in and make. A dataset is one per experiment,
// name and digest; its first description stays. What a run used it for is the input tag
// `mlflow.data.context`.
inline constexpr std::string_view kDatasetContextTag = "mlflow.data.context";

// What can be said without the store: kInvalidArgument naming the field for a missing name, digest,
// source_type or source, or one that is too long; a call takes at most kDatasetsPerCallMax.
void check_dataset_inputs(const std::vector<DatasetInput>& inputs);

// Links checked datasets and models to an active run. An input that is there already is left as it
// is.
void log_inputs(storage::Transaction& transaction, std::string_view run_id,
                const std::vector<DatasetInput>& datasets,
                const std::vector<std::string>& model_ids);

// Links the models that a run made.
void log_outputs(storage::Transaction& transaction, std::string_view run_id,
                 const std::vector<ModelOutput>& models);

// Those of one run (its internal key), in the order of logging.
std::vector<DatasetInput> list_dataset_inputs(storage::Session& session, std::int64_t run_key);

struct DatasetSummary {
  std::int64_t experiment_id = 0;
  std::string name;
  std::string digest;
  std::string context;  // "" = none
  bool operator==(const DatasetSummary&) const = default;
};
inline constexpr std::size_t kSummaryExperimentsMax = 20;
inline constexpr std::int64_t kSummariesMax = 1'000;

// The datasets that active runs of those experiments used, each with its contexts. kInvalidArgument
// for more than 20 experiments.
std::vector<DatasetSummary> summarize_datasets(storage::Session& session,
                                               const std::vector<std::int64_t>& experiment_ids);

}  // namespace slipway::tracking
