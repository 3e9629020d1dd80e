// SPDX-License-Identifier: Apache-2.0
#include "data/python_json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "yaml/scalar.h"

namespace slipway::data {
namespace {

// The code point at `at` and its length in bytes; length 0 when the bytes are not UTF-8.
std::pair<std::uint32_t, std::size_t> decode(std::string_view bytes, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const std::uint32_t lead = byte(at);
  if (lead < 0x80) return {lead, 1};
  const std::size_t more = lead >= 0xF0 && lead < 0xF5   ? 3U
                           : lead >= 0xE0 && lead < 0xF0 ? 2U
                           : lead >= 0xC2 && lead < 0xE0 ? 1U
                                                         : 0U;
  if (more == 0 || at + more >= bytes.size()) return {0, 0};
  std::uint32_t point = lead & (0x3FU >> more);
  for (std::size_t k = 1; k <= more; ++k) {
    if ((byte(at + k) & 0xC0U) != 0x80U) return {0, 0};
    point = (point << 6U) | (byte(at + k) & 0x3FU);
  }
  const bool overlong = (more == 2 && point < 0x800) || (more == 3 && point < 0x10000);
  if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return {0, 0};
  return {point, more + 1};
}

void append_escape(std::string& out, std::uint32_t unit) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "\\u%04x", unit);
  out += buffer;
}

void append_node(std::string& out, const yaml::Node& node, bool sorted);

std::string key_text(const yaml::Node& key) {
  if (key.is_null()) return "null";
  return key.scalar_text();
}

void append_mapping(std::string& out, const yaml::Mapping& entries, bool sorted) {
  std::vector<const yaml::Entry*> order;
  for (const yaml::Entry& entry : entries) order.push_back(&entry);
  if (sorted) {
    std::stable_sort(order.begin(), order.end(), [](const yaml::Entry* a, const yaml::Entry* b) {
      return key_text(a->key) < key_text(b->key);
    });
  }
  out += '{';
  const char* separator = "";
  for (const yaml::Entry* entry : order) {
    out += separator;
    append_python_string(out, key_text(entry->key));
    out += ": ";
    append_node(out, entry->value, sorted);
    separator = ", ";
  }
  out += '}';
}

void append_node(std::string& out, const yaml::Node& node, bool sorted) {
  switch (node.kind()) {
    case yaml::Node::Kind::kNull: out += "null"; return;
    case yaml::Node::Kind::kBool:
    case yaml::Node::Kind::kInt: out += node.scalar_text(); return;
    case yaml::Node::Kind::kFloat: {
      const double value = node.as_double();
      out += std::isnan(value)   ? "NaN"
             : std::isinf(value) ? (value < 0 ? "-Infinity" : "Infinity")
                                 : yaml::python_repr(value);
      return;
    }
    case yaml::Node::Kind::kString: append_python_string(out, node.as_string()); return;
    case yaml::Node::Kind::kSequence: {
      out += '[';
      const char* separator = "";
      for (const yaml::Node& item : node.items()) {
        out += separator;
        append_node(out, item, sorted);
        separator = ", ";
      }
      out += ']';
      return;
    }
    case yaml::Node::Kind::kMapping: append_mapping(out, node.entries(), sorted); return;
  }
}

// Byte B stands as U+10FF00 + B while other code reads the text: two private-use planes away from
// any file name in use.
constexpr std::uint32_t kPrivateBase = 0x10FF00;

}  // namespace

void append_python_string(std::string& out, std::string_view bytes) {
  out += '"';
  for (std::size_t at = 0; at < bytes.size();) {
    const auto [point, length] = decode(bytes, at);
    if (length == 0) {
      append_escape(out, 0xDC00U + static_cast<unsigned char>(bytes[at]));
      ++at;
      continue;
    }
    at += length;
    switch (point) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\f': out += "\\f"; break;
      case '\b': out += "\\b"; break;
      default:
        if (point >= 0x20 && point < 0x7F) {
          out += static_cast<char>(point);
        } else if (point < 0x10000) {
          append_escape(out, point);
        } else {
          append_escape(out, 0xD800U + ((point - 0x10000U) >> 10U));
          append_escape(out, 0xDC00U + ((point - 0x10000U) & 0x3FFU));
        }
    }
  }
  out += '"';
}

std::string python_json(const yaml::Node& node, bool sorted) {
  std::string out;
  append_node(out, node, sorted);
  return out;
}

std::string restore_lone_bytes(std::string_view json_text) {
  std::string out;
  out.reserve(json_text.size());
  for (std::size_t at = 0; at < json_text.size(); ++at) {
    const char c = json_text[at];
    if (c != '\\' || at + 1 >= json_text.size()) {
      out += c;
      continue;
    }
    const std::string_view escape = json_text.substr(at, 6);
    unsigned unit = 0;
    const bool is_unit = escape.size() == 6 && escape[1] == 'u' &&
                         std::sscanf(std::string(escape).c_str() + 2, "%4x", &unit) == 1;
    if (is_unit && unit >= 0xD800 && unit <= 0xDBFF) {
      out += json_text.substr(at, 12);  // the high half of a pair, and its low half
      at += 11;
    } else if (is_unit && unit >= 0xDC80 && unit <= 0xDCFF) {
      const std::uint32_t point = kPrivateBase + (unit - 0xDC00U);
      append_escape(out, 0xD800U + ((point - 0x10000U) >> 10U));
      append_escape(out, 0xDC00U + ((point - 0x10000U) & 0x3FFU));
      at += 5;
    } else {
      out += json_text.substr(at, 2);
      at += 1;
    }
  }
  return out;
}

std::string undo_lone_bytes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto [point, length] = decode(text, at);
    if (length == 4 && point >= kPrivateBase + 0x80 && point <= kPrivateBase + 0xFF) {
      out += static_cast<char>(static_cast<unsigned char>(point - kPrivateBase));
    } else {
      out += text.substr(at, std::max<std::size_t>(1, length));
    }
    at += std::max<std::size_t>(1, length);
  }
  return out;
}

}  // namespace slipway::data
