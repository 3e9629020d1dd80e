// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::tracing {

// JSON as Python's json.dumps prints it on one line, which spans and assessments are stored as and
// searches with LIKE see: ", " and ": " between parts, numbers as Python's repr has them
// (1e-05, 0.0001, 1e+16), NaN and Infinity bare.
enum class Ascii {
  kNo,   // texts in UTF-8 (ensure_ascii=False)
  kYes,  // other characters as \uXXXX
};
std::string python_json(const json::Value& value, Ascii ascii = Ascii::kNo);

// Appends a double as Python prints it.
void append_python_number(std::string& out, double number);

// What Python prints for bytes: b'a\x00'.
std::string python_bytes(std::string_view bytes);

// The members as an object; of equal keys the first gives the place and the last the value, as in
// Python.
json::Object object_of(std::vector<json::Member> members);

// The value that a text holds, as Python's json.loads reads it: bare NaN and Infinity, the last of
// equal keys. nullopt when it is no JSON, or nested deeper than kJsonDepthMax.
std::optional<json::Value> read_json(std::string_view text);
inline constexpr int kJsonDepthMax = 100;

}  // namespace slipway::tracing
