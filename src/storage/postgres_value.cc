// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres_value.h"

#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace slipway::storage {
namespace {

constexpr int kBitsPerByte = 8;
constexpr double kNumericBase = 10'000;
constexpr std::uint16_t kNumericNegative = 0x4000;
constexpr std::size_t kNumericHeadBytes = 8;
constexpr double kExactIntegerMax = 9'007'199'254'740'992.0;  // 2^53

template <typename Unsigned>
void put(Unsigned bits, std::string& out) {
  for (int shift = static_cast<int>(sizeof(Unsigned) - 1) * kBitsPerByte; shift >= 0;
       shift -= kBitsPerByte)
    out += static_cast<char>(static_cast<unsigned char>(bits >> shift));
}

template <typename Unsigned>
Unsigned take(std::string_view bytes, std::size_t at = 0) {
  if (bytes.size() < at + sizeof(Unsigned))
    throw Error(Code::kDataLoss, "the database sent a value that is too short");
  Unsigned bits = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) {
    bits = static_cast<Unsigned>(static_cast<Unsigned>(bits << kBitsPerByte) |
                                 static_cast<unsigned char>(bytes[at + i]));
  }
  return bits;
}

// Digits to the base of 10,000: count, weight of the first, sign, scale, digits.
Value numeric(std::string_view bytes) {
  const auto count = take<std::uint16_t>(bytes);
  const auto weight = static_cast<std::int16_t>(take<std::uint16_t>(bytes, 2));
  const bool negative = take<std::uint16_t>(bytes, 4) == kNumericNegative;
  double real = 0;
  std::int64_t whole = 0;
  bool fits = weight < 4 && count <= weight + 1;  // below 10^16
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = take<std::uint16_t>(bytes, kNumericHeadBytes + 2 * i);
    real += digit * std::pow(kNumericBase, weight - static_cast<int>(i));
    if (fits) whole = whole * static_cast<std::int64_t>(kNumericBase) + digit;
  }
  for (int i = count; fits && i <= weight; ++i) whole *= static_cast<std::int64_t>(kNumericBase);
  if (fits) return Value::of(negative ? -whole : whole);
  if (real == std::floor(real) && real < kExactIntegerMax)
    return Value::of(static_cast<std::int64_t>(negative ? -real : real));
  return Value::of(negative ? -real : real);
}

}  // namespace

unsigned postgres_type(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kInt: return kPostgresInt8;
    case Value::Kind::kReal: return kPostgresFloat8;
    case Value::Kind::kText: return kPostgresText;
    case Value::Kind::kBytes: return kPostgresBytea;
    default: return 0;
  }
}

unsigned postgres_array_type(Value::Kind kind) {
  constexpr unsigned kByteaArray = 1001;
  constexpr unsigned kTextArray = 1009;
  constexpr unsigned kInt8Array = 1016;
  constexpr unsigned kFloat8Array = 1022;
  switch (kind) {
    case Value::Kind::kInt: return kInt8Array;
    case Value::Kind::kReal: return kFloat8Array;
    case Value::Kind::kBytes: return kByteaArray;
    default: return kTextArray;
  }
}

std::string_view postgres_type_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kInt: return "bigint";
    case Value::Kind::kReal: return "double precision";
    case Value::Kind::kBytes: return "bytea";
    default: return "text";
  }
}

void encode(const Value& value, std::string& out) {
  switch (value.kind) {
    case Value::Kind::kInt: put(static_cast<std::uint64_t>(value.integer), out); return;
    case Value::Kind::kReal: put(std::bit_cast<std::uint64_t>(value.real), out); return;
    case Value::Kind::kText:
      if (value.bytes.find('\0') != std::string_view::npos)
        throw Error(Code::kInvalidArgument, "a text with a NUL character cannot be stored");
      out += value.bytes;
      return;
    default: out += value.bytes;
  }
}

void encode_element(const Value& value, std::string& out) {
  const std::size_t length_at = out.size();
  put(std::uint32_t{0xFFFF'FFFF}, out);  // the length of a null
  if (value.null) return;
  encode(value, out);
  std::string length;
  put(static_cast<std::uint32_t>(out.size() - length_at - sizeof(std::uint32_t)), length);
  out.replace(length_at, length.size(), length);
}

void encode_array_head(Value::Kind kind, std::int32_t count, std::string& out) {
  put(std::uint32_t{1}, out);  // dimensions
  put(std::uint32_t{1}, out);  // there may be nulls
  const unsigned type = postgres_type(kind);
  put(static_cast<std::uint32_t>(type == 0 ? kPostgresText : type), out);
  put(static_cast<std::uint32_t>(count), out);
  put(std::uint32_t{1}, out);  // the first index
}

Value decode(unsigned type, std::string_view bytes) {
  switch (type) {
    case kPostgresBool: return Value::of(std::int64_t{bytes.empty() || bytes[0] == 0 ? 0 : 1});
    case kPostgresInt8: return Value::of(static_cast<std::int64_t>(take<std::uint64_t>(bytes)));
    case kPostgresInt4:
      return Value::of(std::int64_t{static_cast<std::int32_t>(take<std::uint32_t>(bytes))});
    case kPostgresInt2:
      return Value::of(std::int64_t{static_cast<std::int16_t>(take<std::uint16_t>(bytes))});
    case kPostgresFloat8: return Value::of(std::bit_cast<double>(take<std::uint64_t>(bytes)));
    case kPostgresFloat4:
      return Value::of(double{std::bit_cast<float>(take<std::uint32_t>(bytes))});
    case kPostgresNumeric: return numeric(bytes);
    case kPostgresText:
    case kPostgresVarchar:
    case kPostgresUnknown: return Value::text(bytes);
    case kPostgresBytea: return Value::blob(bytes);
    default:
      throw Error(Code::kInternal,
                  "the database answered with a column of type " + std::to_string(type));
  }
}

}  // namespace slipway::storage
