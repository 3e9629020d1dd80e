// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/value.h"

namespace slipway::storage {

// PostgreSQL's binary formats of the few types that we use.

// Types by their number in pg_type, which is part of the protocol.
inline constexpr unsigned kPostgresBool = 16;
inline constexpr unsigned kPostgresBytea = 17;
inline constexpr unsigned kPostgresInt8 = 20;
inline constexpr unsigned kPostgresInt2 = 21;
inline constexpr unsigned kPostgresInt4 = 23;
inline constexpr unsigned kPostgresText = 25;
inline constexpr unsigned kPostgresFloat4 = 700;
inline constexpr unsigned kPostgresFloat8 = 701;
inline constexpr unsigned kPostgresUnknown = 705;
inline constexpr unsigned kPostgresVarchar = 1043;
inline constexpr unsigned kPostgresNumeric = 1700;

// What a parameter is sent as: 0 lets the server infer it.
unsigned postgres_type(Value::Kind kind);
unsigned postgres_array_type(Value::Kind kind);
std::string_view postgres_type_name(Value::Kind kind);  // "bigint"; text for an unknown kind

// Appends the value, which is not null. A text with a NUL is refused with kInvalidArgument, as
// PostgreSQL cannot hold one.
void encode(const Value& value, std::string& out);

// Elements of an array, one after the other; a null is an element too. And the head before them.
void encode_element(const Value& value, std::string& out);
void encode_array_head(Value::Kind kind, std::int32_t count, std::string& out);

// A column of a row. An integer where the type has no fraction (numeric: where the value has none),
// so sums are integers. kInternal for a type that we do not use.
Value decode(unsigned type, std::string_view bytes);

}  // namespace slipway::storage
