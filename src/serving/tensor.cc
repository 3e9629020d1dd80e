// SPDX-License-Identifier: Apache-2.0
#include "serving/tensor.h"

#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace slipway::serving {
namespace {

struct TypeFacts {
  DataType type;
  std::string_view name;
  std::size_t bytes;
};

constexpr std::array<TypeFacts, 13> kTypes{{
    {DataType::kBool, "BOOL", 1},
    {DataType::kUint8, "UINT8", 1},
    {DataType::kUint16, "UINT16", 2},
    {DataType::kUint32, "UINT32", 4},
    {DataType::kUint64, "UINT64", 8},
    {DataType::kInt8, "INT8", 1},
    {DataType::kInt16, "INT16", 2},
    {DataType::kInt32, "INT32", 4},
    {DataType::kInt64, "INT64", 8},
    {DataType::kFp16, "FP16", 2},
    {DataType::kFp32, "FP32", 4},
    {DataType::kFp64, "FP64", 8},
    {DataType::kBytes, "BYTES", 0},
}};

const TypeFacts& facts(DataType type) {
  const auto index = static_cast<std::size_t>(type) - 1;
  assert(index < kTypes.size());
  return kTypes[index];
}

template <typename T>
T read(const Tensor& tensor, std::int64_t i) {
  T value;
  std::memcpy(&value, tensor.bytes.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

// IEEE 754 binary16 by its parts: sign, five bits of exponent, ten of fraction.
double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                          : std::numeric_limits<double>::infinity();
  } else {
    value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

bool is_floating(DataType type) {
  return type == DataType::kFp16 || type == DataType::kFp32 || type == DataType::kFp64;
}

bool same_form(const Tensor& a, const Tensor& b) {
  return a.name == b.name && a.type == b.type && a.shape == b.shape;
}

}  // namespace

std::string_view type_name(DataType type) { return facts(type).name; }

std::optional<DataType> find_type(std::string_view name) {
  for (const TypeFacts& type : kTypes) {
    if (type.name == name) return type.type;
  }
  return std::nullopt;
}

std::size_t element_bytes(DataType type) { return facts(type).bytes; }

std::int64_t element_count(std::string_view name, std::span<const std::int64_t> shape) {
  const auto refuse = [&](const std::string& what) {
    throw Error(Code::kInvalidArgument, "tensor `" + std::string(name) + "` " + what);
  };
  if (shape.size() > kTensorDimensionsMax) {
    refuse("has " + std::to_string(shape.size()) + " dimensions, at most " +
           std::to_string(kTensorDimensionsMax) + " are allowed");
  }
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) refuse("has a negative dimension in its shape " + shape_text(shape));
    if (dimension == 0) empty = true;
  }
  if (empty) return 0;
  std::int64_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension > kTensorElementsMax / count) {
      refuse("of shape " + shape_text(shape) + " has more than " +
             std::to_string(kTensorElementsMax) + " elements");
    }
    count *= dimension;
  }
  return count;
}

std::int64_t row_count(const Tensor& tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.front();
}

Tensor zeros(std::string name, DataType type, std::vector<std::int64_t> shape) {
  Tensor tensor{std::move(name), type, std::move(shape), {}, {}};
  const auto count = static_cast<std::size_t>(element_count(tensor.name, tensor.shape));
  if (type == DataType::kBytes) {
    tensor.texts.resize(count);
  } else {
    tensor.bytes.resize(count * element_bytes(type));
  }
  return tensor;
}

double number_at(const Tensor& tensor, std::int64_t i) {
  assert(tensor.type != DataType::kBytes);
  assert(i >= 0 &&
         (static_cast<std::size_t>(i) + 1) * element_bytes(tensor.type) <= tensor.bytes.size());
  switch (tensor.type) {
    case DataType::kBool:
    case DataType::kUint8: return read<std::uint8_t>(tensor, i);
    case DataType::kUint16: return read<std::uint16_t>(tensor, i);
    case DataType::kUint32: return read<std::uint32_t>(tensor, i);
    case DataType::kUint64: return static_cast<double>(read<std::uint64_t>(tensor, i));
    case DataType::kInt8: return read<std::int8_t>(tensor, i);
    case DataType::kInt16: return read<std::int16_t>(tensor, i);
    case DataType::kInt32: return read<std::int32_t>(tensor, i);
    case DataType::kInt64: return static_cast<double>(read<std::int64_t>(tensor, i));
    case DataType::kFp16: return half_to_double(read<std::uint16_t>(tensor, i));
    case DataType::kFp32: return static_cast<double>(read<float>(tensor, i));
    case DataType::kFp64: return read<double>(tensor, i);
    case DataType::kBytes: break;
  }
  return 0;
}

std::vector<double> numbers(const Tensor& tensor) {
  if (tensor.type == DataType::kBytes) {
    throw Error(Code::kInvalidArgument, "tensor `" + tensor.name + "` holds texts, not numbers");
  }
  const std::int64_t count = element_count(tensor.name, tensor.shape);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i)
    values[static_cast<std::size_t>(i)] = number_at(tensor, i);
  return values;
}

bool has_non_finite(const Tensor& tensor) {
  if (!is_floating(tensor.type)) return false;
  const auto count = static_cast<std::int64_t>(tensor.bytes.size() / element_bytes(tensor.type));
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(number_at(tensor, i))) return true;
  }
  return false;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t dimension : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(dimension);
  }
  return text + "]";
}

bool same_values(std::span<const Tensor> a, std::span<const Tensor> b) {
  if (a.size() != b.size()) return false;
  for (std::size_t t = 0; t < a.size(); ++t) {
    if (!same_form(a[t], b[t]) || a[t].texts != b[t].texts ||
        a[t].bytes.size() != b[t].bytes.size())
      return false;
    if (a[t].bytes == b[t].bytes) continue;
    if (!is_floating(a[t].type)) return false;
    const std::size_t width = element_bytes(a[t].type);
    const auto count = static_cast<std::int64_t>(a[t].bytes.size() / width);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * width;
      const bool equal = std::memcmp(a[t].bytes.data() + at, b[t].bytes.data() + at, width) == 0;
      if (!equal && !(std::isnan(number_at(a[t], i)) && std::isnan(number_at(b[t], i))))
        return false;
    }
  }
  return true;
}

double largest_difference(std::span<const Tensor> a, std::span<const Tensor> b) {
  constexpr double kDifferent = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kDifferent;
  double largest = 0;
  for (std::size_t t = 0; t < a.size(); ++t) {
    if (!same_form(a[t], b[t]) || a[t].texts != b[t].texts ||
        a[t].bytes.size() != b[t].bytes.size())
      return kDifferent;
    if (a[t].type == DataType::kBytes) continue;
    const auto count = static_cast<std::int64_t>(a[t].bytes.size() / element_bytes(a[t].type));
    for (std::int64_t i = 0; i < count; ++i) {
      const double x = number_at(a[t], i);
      const double y = number_at(b[t], i);
      if (x == y || (std::isnan(x) && std::isnan(y))) continue;
      if (std::isnan(x) || std::isnan(y)) return kDifferent;
      largest = std::max(largest, std::abs(x - y));
    }
  }
  return largest;
}

}  // namespace slipway::serving
