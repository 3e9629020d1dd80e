// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/pull.h"
#include "serving/frame.h"
#include "serving/tensor.h"

namespace slipway::serving {

inline constexpr std::size_t kRequestTensorsMax = 10'000;

// Tensors in the JSON form of the Open Inference Protocol v2: {"name", "shape", "datatype",
// "parameters"?, "data"}, data row-major, flat or nested. NaN, Infinity and -Infinity are bare
// tokens, as Triton and Python write and read them. FP16 has no JSON form and is refused on the way
// in.

// Reads the list that is the reader's current value. Throws kInvalidArgument naming the tensor and
// what is wrong with it; kUnimplemented for tensors announced as binary.
std::vector<Tensor> read_tensors(json::PullReader& reader);

// Appends one tensor as an object, floats in the shortest form that reads back the same. Throws
// kInternal for a text that is not UTF-8.
void append_tensor(std::string& out, const Tensor& tensor);

// Appends element i as a JSON value.
void append_element(std::string& out, const Tensor& tensor, std::int64_t i);

// Appends the elements nested by the shape: [[1.0, 2.0], [3.0, 4.0]].
void append_nested(std::string& out, const Tensor& tensor);

// What MLflow's scoring protocol sends: exactly one of `dataframe_split`, `dataframe_records`,
// `instances`, `inputs`; `params` is taken and ignored. Throws kInvalidArgument.
//   source  mlflow/pyfunc/scoring_server (3.17): _split_data_and_params, infer_and_parse_data
std::variant<Frame, LooseTensors> read_scoring_request(std::string_view text);

// CSV with a header line, as the same protocol takes it: RFC 4180; a cell that reads as a number is
// one, an empty one is missing.
Frame read_csv_frame(std::string_view text);

}  // namespace slipway::serving
