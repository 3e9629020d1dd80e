// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::serving {

// The element types of the Open Inference Protocol's JSON form. The numbers are stored in the
// prediction log: never change one.
enum class DataType : std::uint8_t {
  kBool = 1,
  kUint8 = 2,
  kUint16 = 3,
  kUint32 = 4,
  kUint64 = 5,
  kInt8 = 6,
  kInt16 = 7,
  kInt32 = 8,
  kInt64 = 9,
  kFp16 = 10,
  kFp32 = 11,
  kFp64 = 12,
  kBytes = 13,
};

// "BOOL", "UINT8" … "FP32", "BYTES"; nullopt for any other text.
std::string_view type_name(DataType type);
std::optional<DataType> find_type(std::string_view name);

// Bytes of one element in memory; 0 for kBytes, whose elements are texts.
std::size_t element_bytes(DataType type);

// How large one tensor of a request may be: elements, and dimensions.
inline constexpr std::int64_t kTensorElementsMax = 16'777'216;
inline constexpr std::size_t kTensorDimensionsMax = 16;

// A named block of values, row-major, little-endian. REQUIRES: `bytes` (or, for kBytes, `texts`)
// holds exactly element_count(shape) elements. BOOL is one byte, 0 or 1.
struct Tensor {
  std::string name;
  DataType type = DataType::kFp32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
  std::vector<std::string> texts;

  bool operator==(const Tensor&) const = default;  // bit for bit: NaN equals itself
};

// What a model says about one of its inputs or outputs; -1 in `shape` is any size.
struct TensorInfo {
  std::string name;
  DataType type = DataType::kFp32;
  std::vector<std::int64_t> shape;
  bool operator==(const TensorInfo&) const = default;
};

// The product of the dimensions; 1 for none. Throws kInvalidArgument naming the tensor when a
// dimension is negative, when there are more than kTensorDimensionsMax, or when the product is
// above kTensorElementsMax.
std::int64_t element_count(std::string_view name, std::span<const std::int64_t> shape);

// The first dimension, or 1 for a scalar: how many rows the tensor holds.
std::int64_t row_count(const Tensor& tensor);

// A tensor of that many zeros (false, "").
Tensor zeros(std::string name, DataType type, std::vector<std::int64_t> shape);

// Element i as a double (BOOL as 0 or 1, 64-bit integers rounded). REQUIRES: not kBytes, i in
// range.
double number_at(const Tensor& tensor, std::int64_t i);

// All elements as doubles. Throws kInvalidArgument for kBytes.
std::vector<double> numbers(const Tensor& tensor);

// Whether any element of a floating type is NaN or infinite; false for other types.
bool has_non_finite(const Tensor& tensor);

// "[-1, 3]": a shape as messages show it.
std::string shape_text(std::span<const std::int64_t> shape);

// Elements equal as the replay of a logged prediction asks for: same names, types, shapes and bits,
// any NaN equal to any other.
bool same_values(std::span<const Tensor> a, std::span<const Tensor> b);

// The largest |a - b| over all elements; infinity when names, types, shapes or texts differ or one
// side alone is NaN.
double largest_difference(std::span<const Tensor> a, std::span<const Tensor> b);

}  // namespace slipway::serving
