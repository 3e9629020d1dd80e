// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/error.h"
#include "serving/frame.h"

namespace slipway::serving {
namespace {

[[noreturn]] void refuse(const Tensor& tensor, const std::string& what) {
  throw Error(Code::kInvalidArgument, "tensor `" + tensor.name + "` of type " +
                                          std::string(type_name(tensor.type)) + " cannot hold " +
                                          what);
}

template <typename T>
void store(Tensor& tensor, std::int64_t i, T value) {
  std::memcpy(tensor.bytes.data() + static_cast<std::size_t>(i) * sizeof value, &value,
              sizeof value);
}

// Calls `work` with a value of the tensor's element type; refuses the types that numbers do not go
// into.
template <typename Work>
void with_type(const Tensor& tensor, const std::string& shown, Work work) {
  switch (tensor.type) {
    case DataType::kUint8: work(std::uint8_t{}); return;
    case DataType::kUint16: work(std::uint16_t{}); return;
    case DataType::kUint32: work(std::uint32_t{}); return;
    case DataType::kUint64: work(std::uint64_t{}); return;
    case DataType::kInt8: work(std::int8_t{}); return;
    case DataType::kInt16: work(std::int16_t{}); return;
    case DataType::kInt32: work(std::int32_t{}); return;
    case DataType::kInt64: work(std::int64_t{}); return;
    case DataType::kFp32: work(float{}); return;
    case DataType::kFp64: work(double{}); return;
    case DataType::kBool:
    case DataType::kFp16:
    case DataType::kBytes: refuse(tensor, shown);
  }
}

template <typename From>
void put_exact(Tensor& tensor, std::int64_t i, From value, const std::string& shown) {
  if (tensor.type == DataType::kBool && (value == From{0} || value == From{1})) {
    store(tensor, i, static_cast<std::uint8_t>(value == From{1} ? 1 : 0));
    return;
  }
  with_type(tensor, shown, [&](auto element) {
    using To = decltype(element);
    if constexpr (std::is_floating_point_v<To>) {
      store(tensor, i, static_cast<To>(value));
    } else {
      if (!std::in_range<To>(value)) refuse(tensor, shown);
      store(tensor, i, static_cast<To>(value));
    }
  });
}

}  // namespace

void put_number(Tensor& tensor, std::int64_t i, double value) {
  if (tensor.type == DataType::kFp64) return store(tensor, i, value);
  if (tensor.type == DataType::kFp32) return store(tensor, i, static_cast<float>(value));
  const std::string shown = std::to_string(value);
  if (!(std::trunc(value) == value) || std::abs(value) >= 18446744073709551616.0)
    refuse(tensor, shown);
  if (value >= 9223372036854775808.0)
    put_unsigned(tensor, i, static_cast<std::uint64_t>(value));
  else if (value < -9223372036854775808.0)
    refuse(tensor, shown);
  else
    put_integer(tensor, i, static_cast<std::int64_t>(value));
}

void put_integer(Tensor& tensor, std::int64_t i, std::int64_t value) {
  put_exact(tensor, i, value, std::to_string(value));
}

void put_unsigned(Tensor& tensor, std::int64_t i, std::uint64_t value) {
  put_exact(tensor, i, value, std::to_string(value));
}

void put_boolean(Tensor& tensor, std::int64_t i, bool value) {
  if (tensor.type == DataType::kBool)
    store(tensor, i, static_cast<std::uint8_t>(value ? 1 : 0));
  else
    put_integer(tensor, i, value ? 1 : 0);
}

}  // namespace slipway::serving
