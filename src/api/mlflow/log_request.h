// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "api/mlflow/wire.h"
#include "tracking/run_log.h"

namespace slipway::api::mlflow {

// The bodies of log-batch and log-metric, the two calls that a training makes all the time.

// Reads a log-batch body without building a tree. nullopt when anything in it is unusual (another
// spelling, a wrong type, broken JSON): read_batch then says what.
std::optional<tracking::Batch> read_batch_quickly(std::string_view body);

// The same from parsed parameters, with MLflow's messages.
tracking::Batch read_batch(const Parameters& parameters);

// One metric: key, value, timestamp, step, model_id, dataset_name, dataset_digest. A value `true`,
// a timestamp 1.5 are refused.
tracking::Metric read_metric(const Parameters& parameters);

}  // namespace slipway::api::mlflow
