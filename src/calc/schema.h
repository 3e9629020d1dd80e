// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::calc {

// Counts are exact in a double up to here; larger ones are bad input.
inline constexpr std::int64_t kCountMax = std::int64_t{1} << 53;

enum class Type {
  kNumber,
  kCount,           // an integer >= 0; 3.0 is one
  kFlag,            // true or false
  kText,            // one of `options`
  kNumbers,         // list of numbers
  kCounts,          // list of counts
  kBinary,          // list of 0 and 1
  kBooleans,        // list of 0, 1, true and false
  kKeys,            // list of texts or integers: who belongs together
  kMatrix,          // rectangular list of lists of numbers
  kNumberOrList,    // a number, or a list of them
  kNumberListText,  // a number, a list of them, or one of `options`
  kFlagOrText,      // true, false, or one of `options`
  kListOrMatrix,    // a list of numbers, or a rectangular list of lists
  kObject,          // an object with the fields `members`
  kObjects          // a list of such objects
};

// What a number may be. Also holds for each number of a list.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;  // low itself is not allowed
  bool high_open = false;
};
inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();
inline constexpr Range kAnyNumber{};
inline constexpr Range kUnit{0, 1, false, false};
inline constexpr Range kOpenUnit{0, 1, true, true};
inline constexpr Range kNotNegative{0, kNoLimit, false, false};
inline constexpr Range kPositive{0, kNoLimit, true, false};
constexpr Range at_least(double low) { return {low, kNoLimit, false, false}; }

// One key of an input. Missing: bad input if `required`, else `fallback` stands in (absent if that
// is null).
struct Field {
  std::string key;
  Type type = Type::kNumber;
  bool required = true;
  Range range = {};
  std::size_t size_min = 0;  // of a list; of a matrix: rows, and columns at least 1
  json::Value fallback = {};
  std::vector<std::string> options = {};
  std::vector<Field> members = {};
  std::size_t size_exact = 0;  // of a list, where not 0
};

// Sets of keys that exclude each other: exactly one of them must be given, whole. The fields in
// them are not `required` by themselves.
using Choice = std::vector<std::vector<std::string>>;

// The keys of one input.
struct Schema {
  std::vector<Field> fields;
  std::vector<Choice> choices = {};
};

// An input that fits its schema, with fallbacks filled in. Reading a key under another type than
// its field's is a programming error.
class Input {
 public:
  // Throws kInvalidArgument with the key in backticks: missing, unknown, wrong type, out of range,
  // too short, ragged, or two sets of a choice at a time; `-` where the input is no object. Numbers
  // must be finite.
  Input(const Schema& schema, const json::Value& value);

  bool has(std::string_view key) const { return values_.contains(key); }
  double number(std::string_view key) const;
  std::optional<double> maybe_number(std::string_view key) const;
  std::int64_t count(std::string_view key) const;
  bool flag(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  std::vector<double> numbers(
      std::string_view key) const;  // of any list of numbers, counts, 0/1 or booleans
  std::vector<std::int64_t> counts(std::string_view key) const;
  std::vector<std::int64_t> keys(
      std::string_view key) const;  // different numbers for different keys, 0 for the first seen
  std::vector<std::vector<double>> matrix(std::string_view key) const;
  const json::Value& raw(std::string_view key) const;
  std::vector<Input> objects(std::string_view key) const;  // of kObjects
  Input object(std::string_view key) const;                // of kObject

 private:
  explicit Input(json::Object values) : values_(std::move(values)) {}

  json::Object values_;
};

// The schema as JSON Schema 2020-12.
json::Value schema_json(const Schema& schema);

// Throws kInvalidArgument "`key` …".
[[noreturn]] void bad_input(std::string_view key, const std::string& what);

}  // namespace slipway::calc
