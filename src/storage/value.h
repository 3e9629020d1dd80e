// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::storage {

// One value on its way into or out of a statement. Text and bytes are not owned. On the way in the
// kind of a missing value is said too, as PostgreSQL asks for the type of every parameter.
struct Value {
  enum class Kind : std::uint8_t { kUnknown, kInt, kReal, kText, kBytes };

  Kind kind = Kind::kUnknown;
  bool null = true;
  std::int64_t integer = 0;
  double real = 0;
  std::string_view bytes;

  static Value of(std::int64_t value) { return {Kind::kInt, false, value, 0, {}}; }
  static Value of(double value) { return {Kind::kReal, false, 0, value, {}}; }
  static Value text(std::string_view value) { return {Kind::kText, false, 0, 0, value}; }
  static Value blob(std::string_view value) { return {Kind::kBytes, false, 0, 0, value}; }
  static Value missing(Kind kind) { return {kind, true, 0, 0, {}}; }
};

}  // namespace slipway::storage
