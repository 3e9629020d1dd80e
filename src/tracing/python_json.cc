// SPDX-License-Identifier: Apache-2.0
#include "tracing/python_json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <unordered_map>
#include <utility>

#include "base/error.h"

namespace slipway::tracing {
namespace {

// Python's repr changes to an exponent outside of these powers of ten.
constexpr int kFixedExponentMin = -4;
constexpr int kFixedExponentMax = 15;

void append_quoted_text(std::string& out, std::string_view text, Ascii ascii) {
  if (ascii == Ascii::kYes) {
    out += json::write(json::Value(text), {.python_separators = true});
  } else {
    json::append_quoted(out, text);
  }
}

void append(std::string& out, const json::Value& value, Ascii ascii) {
  switch (value.kind()) {
    case json::Value::Kind::kNull: out += "null"; return;
    case json::Value::Kind::kBool: out += value.as_bool() ? "true" : "false"; return;
    case json::Value::Kind::kInt: out += std::to_string(value.as_int()); return;
    case json::Value::Kind::kUint: out += std::to_string(value.as_uint()); return;
    case json::Value::Kind::kDouble: append_python_number(out, value.as_double()); return;
    case json::Value::Kind::kString: append_quoted_text(out, value.as_string(), ascii); return;
    case json::Value::Kind::kArray: {
      out += '[';
      const char* comma = "";
      for (const json::Value& item : value.as_array()) {
        out += comma;
        append(out, item, ascii);
        comma = ", ";
      }
      out += ']';
      return;
    }
    case json::Value::Kind::kObject: {
      out += '{';
      const char* comma = "";
      for (const auto& [key, item] : value.as_object()) {
        out += comma;
        append_quoted_text(out, key, ascii);
        out += ": ";
        append(out, item, ascii);
        comma = ", ";
      }
      out += '}';
      return;
    }
  }
}

}  // namespace

void append_python_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "NaN";
    return;
  }
  if (std::isinf(number)) {
    out += number < 0 ? "-Infinity" : "Infinity";
    return;
  }
  char text[40];
  const auto end =
      std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
  const std::string_view shortest(text, static_cast<std::size_t>(end - text));
  const std::size_t e = shortest.find('e');
  const int exponent = std::atoi(std::string(shortest.substr(e + 1)).c_str());
  if (exponent < kFixedExponentMin || exponent > kFixedExponentMax) {
    out += shortest;
    return;
  }
  char fixed[60];
  const auto stop =
      std::to_chars(fixed, fixed + sizeof fixed, number, std::chars_format::fixed).ptr;
  const std::string_view digits(fixed, static_cast<std::size_t>(stop - fixed));
  out += digits;
  if (digits.find('.') == std::string_view::npos) out += ".0";
}

std::string python_json(const json::Value& value, Ascii ascii) {
  std::string out;
  append(out, value, ascii);
  return out;
}

std::string python_bytes(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const bool doubly =
      bytes.find('\'') != std::string_view::npos && bytes.find('"') == std::string_view::npos;
  const char quote = doubly ? '"' : '\'';
  std::string out = std::string("b") + quote;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      out += std::string("\\") + c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += std::string("\\x") + kDigits[byte >> 4] + kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out + quote;
}

json::Object object_of(std::vector<json::Member> members) {
  std::unordered_map<std::string_view, std::size_t> places;
  std::vector<json::Member> kept;
  kept.reserve(members.size());
  for (json::Member& member : members) {
    const auto known = places.find(member.first);
    if (known != places.end()) {
      kept[known->second].second = std::move(member.second);
      continue;
    }
    kept.push_back(std::move(member));
    places.emplace(kept.back().first, kept.size() - 1);
  }
  return json::Object(std::move(kept));
}

std::optional<json::Value> read_json(std::string_view text) {
  try {
    return json::parse(
        text, {.bare_non_finite = true, .duplicate_keys_last = true, .depth_max = kJsonDepthMax});
  } catch (const Error&) {
    return std::nullopt;  // a free text is no fault here
  }
}

}  // namespace slipway::tracing
