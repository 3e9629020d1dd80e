// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "serving/frame.h"
#include "storage/database.h"
#include "tracking/artifact_store.h"

namespace slipway::serving {

// The files of a version that an engine can load.
struct ModelFiles {
  std::filesystem::path model_file;  // the .onnx
  std::string run_id;
  std::int64_t registry_key = 0;  // ModelVersion::key
  Signature signature;
  std::filesystem::path input_example;  // MLflow's serving_input_example.json; "" = none
  std::filesystem::path
      parity_example;  // slipway_example.json: inputs and the outputs that training saw; "" = none
};

// Why a version cannot be served, in one sentence; kept with the version.
struct Unservable {
  std::string reason;
};

inline constexpr std::size_t kMlmodelBytesMax = 4U << 20;

// Finds them (docs/formats/inference.md): an artifact folder with an MLmodel of `onnx` flavour, or
// exactly one .onnx file. Throws kNotFound for an unknown version.
std::variant<ModelFiles, Unservable> find_model_files(storage::Session& session,
                                                      const tracking::ArtifactStore& artifacts,
                                                      const std::string& model,
                                                      std::int64_t version);

}  // namespace slipway::serving
