// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::yaml {

// What a plain (unquoted) scalar means. Source: the YAML 1.2 rules of ruamel.yaml 0.19.1, which DVC
// reads with; checked against it on testdata in scalar_test.cc.
enum class PlainKind { kNull, kBool, kInt, kFloat, kDate, kMerge, kString };

// The kind alone. Pure, O(length).
PlainKind resolve_plain(std::string_view text);

// REQUIRES: resolve_plain(text) == kInt. The canonical decimal digits, with '-' for negatives; any
// length in decimal, binary, octal and hexadecimal. An empty result means that the digits are not
// of their base (`0o9`, `0b`): an error of the file.
std::string canonical_int(std::string_view text);

// REQUIRES: resolve_plain(text) == kFloat. Nearest double; too large is an infinity.
double float_of(std::string_view text);

// A double as Python's repr() and so as DVC's YAML has it: shortest digits that read back, exponent
// from 1e16 and below 1e-4
// ("1e-05", "100000000.0", "1e+22"), "-0.0"; non-finite as ".inf", "-.inf", ".nan".
std::string python_repr(double value);

}  // namespace slipway::yaml
