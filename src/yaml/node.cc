// SPDX-License-Identifier: Apache-2.0
#include "yaml/node.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/nearest.h"
#include "yaml/scalar.h"

namespace slipway::yaml {
namespace {

[[noreturn]] void wrong_kind(const Node& node, std::string_view expected) {
  throw Error(Code::kInvalidArgument, node.where() + ": expected " + std::string(expected) +
                                          ", found " + std::string(kind_name(node.kind())));
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_json(std::string& out, const Node& node) {
  switch (node.kind()) {
    case Node::Kind::kNull: out += "null"; return;
    case Node::Kind::kBool:
    case Node::Kind::kInt: out += node.scalar_text(); return;
    case Node::Kind::kFloat: {
      const double value = node.as_double();
      out += std::isnan(value)   ? "NaN"
             : std::isinf(value) ? (value < 0 ? "-Infinity" : "Infinity")
                                 : python_repr(value);
      return;
    }
    case Node::Kind::kString: append_json_string(out, node.as_string()); return;
    case Node::Kind::kSequence: {
      out += '[';
      const char* separator = "";
      for (const Node& item : node.items()) {
        out += separator;
        append_json(out, item);
        separator = ",";
      }
      out += ']';
      return;
    }
    case Node::Kind::kMapping: {
      out += '{';
      const char* separator = "";
      for (const Entry& entry : node.entries()) {
        out += separator;
        append_json_string(out, entry.key.is_null() ? "null" : entry.key.scalar_text());
        out += ':';
        append_json(out, entry.value);
        separator = ",";
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

Node Node::boolean(bool value) {
  Node node;
  node.kind_ = Kind::kBool;
  node.bool_ = value;
  return node;
}

Node Node::integer(std::int64_t value) {
  Node node;
  node.kind_ = Kind::kInt;
  node.int_ = value;
  return node;
}

Node Node::real(double value) {
  Node node;
  node.kind_ = Kind::kFloat;
  node.double_ = value;
  return node;
}

Node Node::string(std::string value) {
  Node node;
  node.kind_ = Kind::kString;
  node.text_ = std::move(value);
  return node;
}

Node Node::sequence(Sequence items) {
  Node node;
  node.kind_ = Kind::kSequence;
  node.items_ = std::move(items);
  return node;
}

Node Node::sequence() { return sequence(Sequence()); }
Node Node::mapping() { return mapping(Mapping()); }

Node Node::mapping(Mapping entries) {
  Node node;
  node.kind_ = Kind::kMapping;
  node.entries_ = std::move(entries);
  return node;
}

bool Node::as_bool() const {
  if (!is_bool()) wrong_kind(*this, "true or false");
  return bool_;
}

std::int64_t Node::as_int() const {
  if (!is_int()) wrong_kind(*this, "an integer");
  if (!fits_)
    throw Error(Code::kInvalidArgument, where() + ": integer " + text_ + " does not fit 64 bits");
  return int_;
}

double Node::as_double() const {
  if (is_float()) return double_;
  if (!is_int()) wrong_kind(*this, "a number");
  if (fits_) return static_cast<double>(int_);
  return float_of(text_);
}

const std::string& Node::as_string() const {
  if (!is_string()) wrong_kind(*this, "a text");
  return text_;
}

const Sequence& Node::items() const {
  if (!is_sequence()) wrong_kind(*this, "a list");
  return items_;
}

Sequence& Node::items() {
  if (!is_sequence()) wrong_kind(*this, "a list");
  return items_;
}

const Mapping& Node::entries() const {
  if (!is_mapping()) wrong_kind(*this, "a mapping");
  return entries_;
}

Mapping& Node::entries() {
  if (!is_mapping()) wrong_kind(*this, "a mapping");
  return entries_;
}

const Node* Node::find(std::string_view key) const {
  if (!is_mapping()) return nullptr;
  for (const Entry& entry : entries_) {
    if (entry.key.is_string() && entry.key.text_ == key) return &entry.value;
  }
  return nullptr;
}

Node* Node::find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).find(key)); }

const Node& Node::at(std::string_view key) const {
  if (!is_mapping()) wrong_kind(*this, "a mapping");
  const Node* value = find(key);
  if (value == nullptr) {
    throw Error(Code::kInvalidArgument, where() + ": key `" + std::string(key) + "` is missing");
  }
  return *value;
}

void Node::set(std::string_view key, Node value) {
  if (Node* present = find(key)) {
    *present = std::move(value);
    return;
  }
  entries().push_back({string(std::string(key)), std::move(value)});
}

bool Node::erase(std::string_view key) {
  return std::erase_if(entries(), [&](const Entry& entry) {
           return entry.key.is_string() && entry.key.text_ == key;
         }) > 0;
}

std::string Node::scalar_text() const {
  switch (kind_) {
    case Kind::kNull: return "";
    case Kind::kBool: return bool_ ? "true" : "false";
    case Kind::kInt: return fits_ ? std::to_string(int_) : text_;
    case Kind::kFloat: return python_repr(double_);
    case Kind::kString: return text_;
    case Kind::kSequence:
    case Kind::kMapping: break;
  }
  wrong_kind(*this, "a single value");
}

const std::string& Node::file() const {
  static const std::string none;
  return file_ ? *file_ : none;
}

std::string Node::where() const {
  std::string name = file_ ? *file_ : "value";
  if (mark_.line == 0) return name;
  return name + ":" + std::to_string(mark_.line) + ":" + std::to_string(mark_.column);
}

bool Node::operator==(const Node& other) const {
  if (kind_ != other.kind_) return false;
  switch (kind_) {
    case Kind::kNull: return true;
    case Kind::kBool: return bool_ == other.bool_;
    case Kind::kInt:
      return fits_ == other.fits_ && (fits_ ? int_ == other.int_ : text_ == other.text_);
    case Kind::kFloat: return double_ == other.double_;
    case Kind::kString: return text_ == other.text_;
    case Kind::kSequence: return items_ == other.items_;
    case Kind::kMapping: return entries_ == other.entries_;
  }
  return false;
}

std::string_view kind_name(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::kNull: return "null";
    case Node::Kind::kBool: return "true or false";
    case Node::Kind::kInt: return "an integer";
    case Node::Kind::kFloat: return "a number";
    case Node::Kind::kString: return "a text";
    case Node::Kind::kSequence: return "a list";
    case Node::Kind::kMapping: return "a mapping";
  }
  return "a value";
}

std::string to_json_text(const Node& node) {
  std::string out;
  append_json(out, node);
  return out;
}

void require_known_keys(const Node& mapping, const std::vector<std::string_view>& known,
                        std::string_view in_what) {
  for (const Entry& entry : mapping.entries()) {
    const std::string key = entry.key.scalar_text();
    if (entry.key.is_string() && std::find(known.begin(), known.end(), key) != known.end())
      continue;
    std::string message =
        entry.key.where() + ": unknown key `" + key + "` in " + std::string(in_what) + ", ";
    if (const std::string_view near = nearest(key, known); !near.empty()) {
      message += "did you mean `" + std::string(near) + "`?";
    } else {
      message += "expected one of ";
      for (std::size_t i = 0; i < known.size(); ++i)
        message += (i == 0 ? "`" : ", `") + std::string(known[i]) + "`";
    }
    throw Error(Code::kInvalidArgument, message);
  }
}

}  // namespace slipway::yaml
