// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::serving {

// What is looked at in an ONNX file before an engine may see it: a model is a program with bounded
// power, and these are its bounds.
inline constexpr std::uint64_t kModelBytesMax = 1ULL << 30;     // the .onnx file
inline constexpr std::uint64_t kExternalBytesMax = 4ULL << 30;  // each of its side files
inline constexpr std::int64_t kModelNodesMax = 1'000'000;       // in all graphs
inline constexpr int kModelDepthMax = 16;                       // graphs in graphs
inline constexpr std::size_t kExternalFilesMax = 10'000;

struct OnnxFacts {
  std::int64_t ir_version = 0;
  std::string producer;
  std::map<std::string, std::int64_t> opsets;   // domain ("" is ONNX's own) -> version
  std::map<std::string, std::string> metadata;  // metadata_props
  std::int64_t nodes = 0;
  std::vector<std::string>
      external_files;  // names that tensors keep their data under, each once, sorted
};

// Reads the facts out of a serialized ModelProto without building it. Throws kInvalidArgument: not
// a ModelProto, no graph, a limit above reached.
//   source  onnx/onnx.proto: ModelProto, GraphProto, NodeProto, AttributeProto, TensorProto (field
//   numbers)
OnnxFacts read_onnx_facts(std::string_view bytes);

// The same for a file, and the rules: operators only of ONNX's own domains and the engine's ("",
// ai.onnx, ai.onnx.ml, ai.onnx.preview.training, com.microsoft); side files only as plain names
// beside the model, which must be there, regular files and no links. Throws kInvalidArgument with
// the reason, errno_error.
OnnxFacts check_onnx_file(const std::filesystem::path& file);

}  // namespace slipway::serving
