// SPDX-License-Identifier: Apache-2.0
#include "serving/tensor_json.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "json/value.h"

namespace slipway::serving {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw Error(Code::kInvalidArgument, "tensor `" + name + "` " + what);
}

void read_element(json::PullReader& reader, Tensor& tensor, std::int64_t i) {
  switch (tensor.type) {
    case DataType::kFp32:
    case DataType::kFp64: put_number(tensor, i, reader.number()); return;
    case DataType::kBytes:
      tensor.texts[static_cast<std::size_t>(i)] = std::string(reader.text());
      return;
    case DataType::kUint64: put_unsigned(tensor, i, reader.unsigned_integer()); return;
    case DataType::kBool:
      if (reader.kind() == json::PullKind::kBool)
        put_boolean(tensor, i, reader.boolean());
      else
        put_integer(tensor, i, reader.integer());
      return;
    default: put_integer(tensor, i, reader.integer());
  }
}

void read_data(json::PullReader& reader, Tensor& tensor) {
  if (tensor.type == DataType::kFp16) {
    throw Error(Code::kUnimplemented,
                "tensor `" + tensor.name + "`: FP16 has no form in JSON; send FP32");
  }
  const std::int64_t count = element_count(tensor.name, tensor.shape);
  std::vector<std::int64_t> shape = tensor.shape;
  tensor = zeros(tensor.name, tensor.type, std::move(shape));
  std::int64_t i = 0;
  try {
    reader.enter_array();
    for (int depth = 1; depth > 0;) {
      if (!reader.next_element()) {
        --depth;
      } else if (reader.kind() == json::PullKind::kArray) {
        reader.enter_array();
        ++depth;
      } else {
        if (i >= count)
          refuse(tensor.name, "of shape " + shape_text(tensor.shape) + " takes " +
                                  std::to_string(count) + " elements, its data hold more");
        read_element(reader, tensor, i);
        ++i;  // after it: a fault names the element at hand
      }
    }
  } catch (const Error& error) {
    const std::string_view text = error.what();
    if (text.starts_with("tensor ")) throw;
    refuse(tensor.name, "at element " + std::to_string(i) + ": " + std::string(text));
  }
  if (i < count) {
    refuse(tensor.name, "of shape " + shape_text(tensor.shape) + " takes " + std::to_string(count) +
                            " elements, its data hold " + std::to_string(i));
  }
}

std::vector<std::int64_t> read_shape(json::PullReader& reader) {
  std::vector<std::int64_t> shape;
  reader.enter_array();
  while (reader.next_element()) {
    if (shape.size() > kTensorDimensionsMax)
      throw Error(Code::kInvalidArgument,
                  "`shape` has more than " + std::to_string(kTensorDimensionsMax) + " dimensions");
    shape.push_back(reader.integer());
  }
  return shape;
}

// Of a tensor that is sent: those that say its data are elsewhere are refused.
void check_tensor_parameters(json::PullReader& reader, const std::string& name) {
  reader.enter_object();
  for (std::string_view parameter; reader.next_field(parameter);) {
    if (parameter == "binary_data_size" || parameter.starts_with("shared_memory_")) {
      throw Error(Code::kUnimplemented, "tensor `" + name + "`: only JSON data are taken, not `" +
                                            std::string(parameter) + "`");
    }
  }
}

Tensor read_tensor(json::PullReader& reader) {
  Tensor tensor;
  std::optional<std::string> name;
  std::optional<DataType> type;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::string_view> late_data;  // came before what says how to read it
  bool filled = false;
  reader.enter_object();
  for (std::string_view key; reader.next_field(key);) {
    if (key == "name") {
      name = std::string(reader.text());
    } else if (key == "datatype") {
      const std::string_view text = reader.text();
      type = find_type(text);
      if (!type)
        refuse(name.value_or(""),
               "has the unknown datatype `" + std::string(text.substr(0, 40)) + "`");
    } else if (key == "shape") {
      shape = read_shape(reader);
    } else if (key == "data") {
      if (name && type && shape) {
        tensor = Tensor{*name, *type, *shape, {}, {}};
        read_data(reader, tensor);
        filled = true;
      } else {
        late_data = reader.raw();
      }
    } else if (key == "parameters") {
      check_tensor_parameters(reader, name.value_or(""));
    }
  }
  if (!name) throw Error(Code::kInvalidArgument, "an input has no `name`");
  if (!type) refuse(*name, "has no `datatype`");
  if (!shape) refuse(*name, "has no `shape`");
  if (!filled) {
    if (!late_data) refuse(*name, "has no `data`");
    tensor = Tensor{*name, *type, *shape, {}, {}};
    json::PullReader late(*late_data);
    read_data(late, tensor);
  }
  return tensor;
}

template <typename T>
T element(const Tensor& tensor, std::int64_t i) {
  T value;
  std::memcpy(&value, tensor.bytes.data() + static_cast<std::size_t>(i) * sizeof value,
              sizeof value);
  return value;
}

template <typename T>
void append_real(std::string& out, T value) {
  if (std::isfinite(value)) {
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    const std::string_view digits(text, static_cast<std::size_t>(end - text));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
    return;
  }
  out += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
}

}  // namespace

std::vector<Tensor> read_tensors(json::PullReader& reader) {
  std::vector<Tensor> tensors;
  reader.enter_array();
  while (reader.next_element()) {
    if (tensors.size() >= kRequestTensorsMax) {
      throw Error(Code::kInvalidArgument,
                  "a request holds at most " + std::to_string(kRequestTensorsMax) + " tensors");
    }
    tensors.push_back(read_tensor(reader));
  }
  return tensors;
}

void append_element(std::string& out, const Tensor& tensor, std::int64_t i) {
  switch (tensor.type) {
    case DataType::kBool: out += element<std::uint8_t>(tensor, i) != 0 ? "true" : "false"; return;
    case DataType::kFp32: append_real(out, element<float>(tensor, i)); return;
    case DataType::kFp16:
    case DataType::kFp64: append_real(out, number_at(tensor, i)); return;
    case DataType::kInt64: out += std::to_string(element<std::int64_t>(tensor, i)); return;
    case DataType::kUint64: out += std::to_string(element<std::uint64_t>(tensor, i)); return;
    case DataType::kBytes: {
      const std::string& text = tensor.texts[static_cast<std::size_t>(i)];
      if (!is_utf8(text))
        throw Error(
            Code::kInternal,
            "output `" + tensor.name + "` holds a text that is not UTF-8 and has no form in JSON");
      json::append_quoted(out, text);
      return;
    }
    default: out += std::to_string(static_cast<std::int64_t>(number_at(tensor, i)));
  }
}

void append_tensor(std::string& out, const Tensor& tensor) {
  out += "{\"name\":";
  json::append_quoted(out, tensor.name);
  out += ",\"datatype\":\"";
  out += type_name(tensor.type);
  out += "\",\"shape\":[";
  for (std::size_t d = 0; d < tensor.shape.size(); ++d) {
    if (d > 0) out.push_back(',');
    out += std::to_string(tensor.shape[d]);
  }
  out += "],\"data\":[";
  const std::int64_t count = element_count(tensor.name, tensor.shape);
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    append_element(out, tensor, i);
  }
  out += "]}";
}

void append_nested(std::string& out, const Tensor& tensor) {
  const std::int64_t count = element_count(tensor.name, tensor.shape);
  if (tensor.shape.empty()) return append_element(out, tensor, 0);
  if (count == 0) {
    out += "[]";
    return;
  }
  // A bracket opens before element i for each dimension whose block begins there, and closes where
  // it ends.
  std::vector<std::int64_t> blocks;
  std::int64_t block = 1;
  for (std::size_t d = tensor.shape.size(); d-- > 0;)
    blocks.insert(blocks.begin(), block *= tensor.shape[d]);
  for (std::int64_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    for (const std::int64_t size : blocks) {
      if (i % size == 0) out.push_back('[');
    }
    append_element(out, tensor, i);
    for (const std::int64_t size : blocks) {
      if ((i + 1) % size == 0) out.push_back(']');
    }
  }
}

}  // namespace slipway::serving
