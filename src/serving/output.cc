// SPDX-License-Identifier: Apache-2.0
#include "serving/output.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace slipway::serving {
namespace {

bool is_floating(const Tensor& tensor) {
  return tensor.type == DataType::kFp16 || tensor.type == DataType::kFp32 ||
         tensor.type == DataType::kFp64;
}

// Values a row in [rows] or [rows, k]; 0 for other shapes.
std::int64_t width_of(const Tensor& tensor) {
  if (tensor.shape.size() == 1) return 1;
  return tensor.shape.size() == 2 ? tensor.shape[1] : 0;
}

const Tensor& choose(std::span<const Tensor> outputs, std::string_view name) {
  const Tensor* best = nullptr;
  for (const Tensor& tensor : outputs) {
    if (!name.empty() && tensor.name == name) {
      if (tensor.type != DataType::kBytes && width_of(tensor) > 0) return tensor;
      throw Error(Code::kInvalidArgument, "output `" + tensor.name + "` of shape " +
                                              shape_text(tensor.shape) + " holds no number a row");
    }
    if (!name.empty() || !is_floating(tensor) || width_of(tensor) < 1) continue;
    if (best == nullptr || (width_of(*best) < 2 && width_of(tensor) >= 2)) best = &tensor;
  }
  if (!name.empty())
    throw Error(Code::kInvalidArgument, "the model has no output `" + std::string(name) + "`");
  if (best != nullptr) return *best;
  // A model that gives classes as numbers alone.
  for (const Tensor& tensor : outputs) {
    if (tensor.type != DataType::kBytes && width_of(tensor) == 1) return tensor;
  }
  throw Error(Code::kInvalidArgument, "none of the model's outputs holds a number a row; name one");
}

std::int64_t positive_column(const Tensor& tensor, std::string_view positive) {
  const std::int64_t width = width_of(tensor);
  std::int64_t column = -1;
  const auto [end, fault] =
      std::from_chars(positive.data(), positive.data() + positive.size(), column);
  const bool number = fault == std::errc{} && end == positive.data() + positive.size();
  if (number && column >= 0 && column < width) return column;
  if (!number && width == 2) return 1;
  throw Error(Code::kInvalidArgument, "output `" + tensor.name + "` has " + std::to_string(width) +
                                          " columns, none of them for class `" +
                                          std::string(positive) + "`");
}

std::string number_text(double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, static_cast<std::size_t>(end - text)};
}

std::string predicted_class(std::span<const Tensor> outputs, const Tensor& chosen, std::int64_t row,
                            double value) {
  for (const Tensor& tensor : outputs) {
    if (&tensor == &chosen || is_floating(tensor) || width_of(tensor) != 1 ||
        row_count(tensor) <= row)
      continue;
    if (tensor.type == DataType::kBytes) return tensor.texts[static_cast<std::size_t>(row)];
    return number_text(number_at(tensor, row));
  }
  const std::int64_t width = width_of(chosen);
  if (width == 1) return number_text(value);
  std::int64_t best = -1;
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t column = 0; column < width; ++column) {
    const double p = number_at(chosen, row * width + column);
    if (p > largest) {
      largest = p;
      best = column;
    }
  }
  return best < 0 ? "nan" : std::to_string(best);
}

}  // namespace

RowOutput row_output(std::span<const Tensor> outputs, std::int64_t row, std::string_view output,
                     std::string_view positive) {
  const Tensor& tensor = choose(outputs, output);
  if (row < 0 || row >= row_count(tensor)) {
    throw Error(Code::kInvalidArgument, "output `" + tensor.name + "` has " +
                                            std::to_string(row_count(tensor)) + " rows, no row " +
                                            std::to_string(row));
  }
  const std::int64_t width = width_of(tensor);
  const std::int64_t column = width >= 2 ? positive_column(tensor, positive) : 0;
  RowOutput result;
  result.value = number_at(tensor, row * width + column);
  result.predicted = predicted_class(outputs, tensor, row, result.value);
  return result;
}

}  // namespace slipway::serving
