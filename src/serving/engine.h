// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "serving/tensor.h"

namespace slipway::serving {

// What ends a run before its own end.
struct RunBound {
  std::chrono::milliseconds limit;
  std::stop_token stop;  // of whoever asks
};

// One model in memory, ready to answer. Immutable: every method may be called from any thread at
// once. Freed with its last reference.
class LoadedModel {
 public:
  virtual ~LoadedModel() = default;

  virtual const std::vector<TensorInfo>& inputs() const = 0;
  virtual const std::vector<TensorInfo>& outputs() const = 0;

  // Computes the named outputs (none = all, in the model's order) from one tensor per input, in any
  // order. Throws kInvalidArgument when an input is missing, unknown, or has the wrong type or
  // shape, or an output is unknown; kInternal, naming the model, when the engine fails.
  virtual std::vector<Tensor> run(std::span<const Tensor> inputs,
                                  std::span<const std::string> wanted = {}) const = 0;

  // The same, but given up after the limit (kDeadlineExceeded) or when `stop` is asked for
  // (kUnavailable), as soon as the engine can: between two operators of the model. An engine that
  // cannot be stopped runs to its end.
  virtual std::vector<Tensor> run_bounded(std::span<const Tensor> inputs,
                                          std::span<const std::string> wanted,
                                          const RunBound& bound) const {
    static_cast<void>(bound);
    return run(inputs, wanted);
  }
};

// Turns files into models.
class Engine {
 public:
  virtual ~Engine() = default;

  // Reads and prepares a model; `label` ("flights/3") stands in every message about it. Blocking;
  // any thread. Throws kInvalidArgument for a file that is no such model or that asks for what is
  // not allowed (with the reason), kUnavailable when the engine itself is not there.
  virtual std::shared_ptr<const LoadedModel> load(const std::filesystem::path& file,
                                                  const std::string& label) = 0;

  // "onnxruntime 1.27.0": what computed a prediction, for records.
  virtual std::string name() = 0;
};

}  // namespace slipway::serving
