// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "serving/engine.h"

namespace slipway::serving {

// ONNX models through ONNX Runtime's C API, found with dlopen when the first model is loaded: the
// program starts without it, and any release from API version 21 on will do. One environment a
// process; sessions of one thread each that do not spin, since requests run beside each other;
// telemetry off. Files pass check_onnx_file first. Thread-safe.
//
// Refused besides: inputs and outputs that are no tensors (zip maps of scikit-learn classifiers:
// export with zipmap off), of types that the Open Inference Protocol does not have, more than
// kModelTensorsMax of them.
class OnnxEngine final : public Engine {
 public:
  struct Options {
    std::filesystem::path library;  // the one to load; empty: search (library_places)
  };
  static constexpr std::size_t kModelTensorsMax = 10'000;

  // Sets ORT_DISABLE_TELEMETRY for the process: make it before other threads start.
  explicit OnnxEngine(Options options);
  OnnxEngine() : OnnxEngine(Options{}) {}
  ~OnnxEngine() override;

  std::shared_ptr<const LoadedModel> load(const std::filesystem::path& file,
                                          const std::string& label) override;
  std::string name() override;

  struct State;  // of the .cc alone

 private:
  std::shared_ptr<State> state_;  // models keep the environment alive
};

// Where the library is looked for, in order: the file named by SLIPWAY_ONNXRUNTIME alone if set;
// else parts/onnxruntime/lib and lib in the executable's folder and the one above it, then the
// system's search path.
std::vector<std::filesystem::path> library_places(const std::filesystem::path& executable,
                                                  const char* from_environment);

}  // namespace slipway::serving
