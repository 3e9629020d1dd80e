// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "serving/tensor.h"

namespace slipway::serving {

inline constexpr std::size_t kFrameColumnsMax = 10'000;
inline constexpr std::int64_t kFrameCellsMax = 4'194'304;

// A table as MLflow's scoring protocol sends it: cells whose types only the model's signature
// knows.
struct Frame {
  using Cell = std::variant<std::monostate, bool, std::int64_t, double,
                            std::string>;  // monostate: null, missing
  std::vector<std::string> columns;        // may be empty: then by place
  std::vector<std::vector<Cell>> rows;     // each as wide as the first
};

// A column of the MLmodel signature.
struct Column {
  std::string name;  // "" = unnamed
  std::string type;  // MLflow's: "double", "float", "integer", "long", "string", "boolean",
                     // "datetime" …; "" = a tensor
  bool required = true;
  bool operator==(const Column&) const = default;
};

// What the MLmodel says about inputs and outputs. Empty = it says nothing.
struct Signature {
  std::vector<Column> inputs;
  std::vector<Column> outputs;
  bool operator==(const Signature&) const = default;
};

// The frame as tensors for a model: one input per column where the model has an input of each
// column's name; else, for a model with one input of shape [n, k], the signature's columns (or,
// without one, all columns as sent) beside each other. null becomes NaN in floating inputs and is
// refused elsewhere. Columns that the model does not know are ignored, as MLflow does.
//   throws kInvalidArgument naming the column that is missing or the cell that does not fit
std::vector<Tensor> bind_frame(const Frame& frame, const Signature& signature,
                               const std::vector<TensorInfo>& inputs);

// Tensors as the same protocol's `inputs` and `instances` send them: FP64 or BYTES, by name or, for
// a model with one input, without one; turned into the types that the model takes.
struct LooseTensors {
  std::vector<Tensor> tensors;
};
std::vector<Tensor> bind_loose(const LooseTensors& loose, const std::vector<TensorInfo>& inputs);

// Puts a number into element i of a tensor, exactly: throws kInvalidArgument, naming the tensor,
// when its type cannot hold it (a fraction or NaN in an integer, out of range, anything but 0 and 1
// in BOOL, any number in BYTES or FP16). Floats are rounded.
void put_number(Tensor& tensor, std::int64_t i, double value);
void put_integer(Tensor& tensor, std::int64_t i, std::int64_t value);
void put_unsigned(Tensor& tensor, std::int64_t i, std::uint64_t value);
void put_boolean(Tensor& tensor, std::int64_t i, bool value);

}  // namespace slipway::serving
