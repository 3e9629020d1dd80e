// SPDX-License-Identifier: Apache-2.0
#include "serving/frame.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace slipway::serving {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, what); }

bool is_floating(DataType type) { return type == DataType::kFp32 || type == DataType::kFp64; }

void put_cell(Tensor& tensor, std::int64_t i, const Frame::Cell& cell, const std::string& column,
              std::size_t row) {
  const std::string where = "column `" + column + "`, row " + std::to_string(row);
  if (const auto* text = std::get_if<std::string>(&cell)) {
    if (tensor.type != DataType::kBytes) refuse(where + ": expected a number, found a text");
    tensor.texts[static_cast<std::size_t>(i)] = *text;
    return;
  }
  if (std::holds_alternative<std::monostate>(cell)) {
    if (!is_floating(tensor.type))
      refuse(where + ": null has no place in a column of type " +
             std::string(type_name(tensor.type)));
    put_number(tensor, i, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  if (tensor.type == DataType::kBytes) refuse(where + ": expected a text, found a number");
  if (const auto* number = std::get_if<double>(&cell))
    put_number(tensor, i, *number);
  else if (const auto* integer = std::get_if<std::int64_t>(&cell))
    put_integer(tensor, i, *integer);
  else
    put_boolean(tensor, i, std::get<bool>(cell));
}

// Where a column stands; npos when it is not there.
std::size_t place_of(const Frame& frame, const std::string& name) {
  const auto found = std::find(frame.columns.begin(), frame.columns.end(), name);
  return found == frame.columns.end() ? std::string::npos
                                      : static_cast<std::size_t>(found - frame.columns.begin());
}

bool is_column(const TensorInfo& info) {
  return info.shape.size() == 1 ||
         (info.shape.size() == 2 && (info.shape[1] == 1 || info.shape[1] == -1)) ||
         info.shape.empty();
}

const Column* find_column(const Signature& signature, const std::string& name) {
  for (const Column& column : signature.inputs) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

// One input a column.
std::vector<Tensor> bind_columns(const Frame& frame, const Signature& signature,
                                 const std::vector<TensorInfo>& inputs) {
  std::vector<Tensor> tensors;
  const auto rows = static_cast<std::int64_t>(frame.rows.size());
  for (const TensorInfo& info : inputs) {
    const std::size_t place = place_of(frame, info.name);
    const Column* const column = find_column(signature, info.name);
    if (place == std::string::npos &&
        !(column != nullptr && !column->required && is_floating(info.type))) {
      refuse("column `" + info.name + "` is missing");
    }
    Tensor tensor = zeros(info.name, info.type,
                          info.shape.size() == 2 ? std::vector<std::int64_t>{rows, 1}
                                                 : std::vector<std::int64_t>{rows});
    for (std::size_t row = 0; row < frame.rows.size(); ++row) {
      put_cell(tensor, static_cast<std::int64_t>(row),
               place == std::string::npos ? Frame::Cell{} : frame.rows[row][place], info.name, row);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

// All columns side by side in the one input.
std::vector<Tensor> bind_matrix(const Frame& frame, const Signature& signature,
                                const TensorInfo& info) {
  const bool named = !signature.inputs.empty() && !frame.columns.empty() &&
                     std::none_of(signature.inputs.begin(), signature.inputs.end(),
                                  [](const Column& column) { return column.name.empty(); }) &&
                     signature.inputs.front().name != info.name;
  std::vector<std::size_t> places;
  std::vector<std::string> names;
  if (named) {
    for (const Column& column : signature.inputs) {
      places.push_back(place_of(frame, column.name));
      names.push_back(column.name);
      if (places.back() == std::string::npos && column.required)
        refuse("column `" + column.name + "` is missing");
    }
  } else {
    const std::size_t width = frame.rows.empty() ? frame.columns.size() : frame.rows.front().size();
    for (std::size_t place = 0; place < width; ++place) {
      places.push_back(place);
      names.push_back(place < frame.columns.size() ? frame.columns[place] : std::to_string(place));
    }
  }
  if (info.shape[1] >= 0 && static_cast<std::size_t>(info.shape[1]) != places.size()) {
    refuse("the model takes " + std::to_string(info.shape[1]) + " columns, the request has " +
           std::to_string(places.size()));
  }
  Tensor tensor = zeros(
      info.name, info.type,
      {static_cast<std::int64_t>(frame.rows.size()), static_cast<std::int64_t>(places.size())});
  std::int64_t i = 0;
  for (std::size_t row = 0; row < frame.rows.size(); ++row) {
    for (std::size_t c = 0; c < places.size(); ++c) {
      put_cell(tensor, i++,
               places[c] == std::string::npos ? Frame::Cell{} : frame.rows[row][places[c]],
               names[c], row);
    }
  }
  return {std::move(tensor)};
}

Tensor converted(const Tensor& given, const TensorInfo& info) {
  Tensor tensor = zeros(info.name, info.type, given.shape);
  if (given.type == DataType::kBytes) {
    if (info.type != DataType::kBytes)
      refuse("input `" + info.name + "`: expected numbers, found texts");
    tensor.texts = given.texts;
    return tensor;
  }
  if (info.type == DataType::kBytes)
    refuse("input `" + info.name + "`: expected texts, found numbers");
  const std::int64_t count = element_count(info.name, given.shape);
  for (std::int64_t i = 0; i < count; ++i) put_number(tensor, i, number_at(given, i));
  return tensor;
}

}  // namespace

std::vector<Tensor> bind_frame(const Frame& frame, const Signature& signature,
                               const std::vector<TensorInfo>& inputs) {
  const bool any_named = std::any_of(inputs.begin(), inputs.end(), [&](const TensorInfo& info) {
    return place_of(frame, info.name) != std::string::npos;
  });
  if (inputs.size() == 1 && inputs[0].shape.size() == 2 && !(any_named && is_column(inputs[0])))
    return bind_matrix(frame, signature, inputs[0]);
  if (frame.columns.empty() && inputs.size() > 1)
    refuse(
        "the model takes columns by name; send them (dataframe_split with columns, or "
        "dataframe_records)");
  if (frame.columns.empty() && inputs.size() == 1 && is_column(inputs[0]) && !frame.rows.empty() &&
      frame.rows.front().size() == 1) {
    Frame one = frame;
    one.columns = {inputs[0].name};
    return bind_columns(one, signature, inputs);
  }
  for (const TensorInfo& info : inputs) {
    if (!is_column(info))
      refuse("input `" + info.name + "` has the shape " + shape_text(info.shape) +
             ": send it as a tensor, not as a table");
  }
  return bind_columns(frame, signature, inputs);
}

std::vector<Tensor> bind_loose(const LooseTensors& loose, const std::vector<TensorInfo>& inputs) {
  std::vector<Tensor> tensors;
  if (loose.tensors.size() == 1 && loose.tensors[0].name.empty()) {
    if (inputs.size() != 1)
      refuse("the model has " + std::to_string(inputs.size()) + " inputs: send them by name");
    tensors.push_back(converted(loose.tensors[0], inputs[0]));
    return tensors;
  }
  for (const TensorInfo& info : inputs) {
    const auto found = std::find_if(loose.tensors.begin(), loose.tensors.end(),
                                    [&](const Tensor& tensor) { return tensor.name == info.name; });
    if (found == loose.tensors.end()) refuse("input `" + info.name + "` is missing");
    Tensor given = *found;
    // A column sent flat to an input that stands upright, and the other way round.
    if (info.shape.size() == 2 && info.shape[1] == 1 && given.shape.size() == 1)
      given.shape.push_back(1);
    if (info.shape.size() == 1 && given.shape.size() == 2 && given.shape[1] == 1)
      given.shape.pop_back();
    tensors.push_back(converted(given, info));
  }
  return tensors;
}

}  // namespace slipway::serving
