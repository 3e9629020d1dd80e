// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "serving/engine.h"
#include "serving/frame.h"

namespace slipway::serving {

// A model version in memory, with what must be known about it to answer. Shared by everyone who is
// using it; freed when the last request that it answers has ended.
struct ServedVersion {
  std::string model;
  std::int64_t version = 0;
  std::int64_t registry_key =
      0;  // tells it from a later one of the same name and number, after the model was deleted
  std::string run_id;
  std::string engine;  // "onnxruntime 1.27.0"
  Signature signature;
  std::shared_ptr<const LoadedModel> loaded;
  TimeUs loaded_at = 0;

  // Measured cost of a run with that many rows, in µs; and how it is learnt. Thread-safe.
  double cost_us(std::int64_t rows) const;
  void observe_cost(std::int64_t rows, double us) const;

  mutable std::atomic<double> call_us{
      0};  // moving averages: one call of one row, and each further row
  mutable std::atomic<double> row_us{0};
};

// The same version computes outputs afresh for logged inputs: what gate and explain call. No
// routing, no log, no counters. Throws as LoadedModel::run does.
std::vector<Tensor> score(const ServedVersion& version, const std::vector<Tensor>& inputs);

}  // namespace slipway::serving
