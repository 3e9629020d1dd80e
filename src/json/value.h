// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace slipway::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;

// Members in the order in which they were written or set; looked up one by one, which is quick for
// the sizes of requests.
class Object {
 public:
  Object() = default;
  Object(std::initializer_list<Member> members);
  explicit Object(std::vector<Member> members);  // REQUIRES: no key twice (not looked at)

  const Value* find(
      std::string_view key) const;  // null when absent; valid until the object changes
  Value* find(std::string_view key);
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  void set(std::string_view key, Value value);  // replaces in place, else appends
  bool erase(std::string_view key);
  std::size_t size() const;
  bool empty() const;
  std::vector<Member>::const_iterator begin() const;
  std::vector<Member>::const_iterator end() const;
  bool operator==(const Object& other) const;  // the order of members counts

 private:
  std::vector<Member> members_;
};

// One JSON value. Integers keep their exact 64 bits; a number with '.', 'e' or beyond 64 bits is a
// double.
class Value {
 public:
  // kUint: only above INT64_MAX.
  enum class Kind { kNull, kBool, kInt, kUint, kDouble, kString, kArray, kObject };

  // Implicit: whoever builds a document writes what it holds.
  // NOLINTBEGIN(google-explicit-constructor)
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool value) : state_(value) {}
  Value(int value) : state_(std::int64_t{value}) {}
  Value(unsigned value) : state_(std::int64_t{value}) {}
  Value(std::int64_t value) : state_(value) {}
  Value(std::uint64_t value);
  Value(double value) : state_(value) {}
  Value(const char* value) : state_(std::string(value)) {}
  Value(std::string_view value) : state_(std::string(value)) {}
  Value(std::string value) : state_(std::move(value)) {}
  Value(Array value) : state_(std::move(value)) {}
  Value(Object value) : state_(std::move(value)) {}
  // NOLINTEND(google-explicit-constructor)

  Kind kind() const { return static_cast<Kind>(state_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_integer() const { return kind() == Kind::kInt || kind() == Kind::kUint; }
  bool is_number() const { return is_integer() || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // REQUIRES the kind (asserted).
  bool as_bool() const { return std::get<bool>(state_); }
  std::int64_t as_int() const { return std::get<std::int64_t>(state_); }  // kInt only
  std::uint64_t as_uint() const;                                          // any integer >= 0
  double as_double() const;                                               // any number
  const std::string& as_string() const { return std::get<std::string>(state_); }
  const Array& as_array() const { return std::get<Array>(state_); }
  Array& as_array() { return std::get<Array>(state_); }
  const Object& as_object() const { return std::get<Object>(state_); }
  Object& as_object() { return std::get<Object>(state_); }

  // A member of an object; null when this is no object or has no such member.
  const Value* find(std::string_view key) const;

  bool operator==(const Value& other) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
               Object>
      state_;
};

// Here, where Value is complete: clang 14 looks into a pair as soon as its vector is asked.
inline std::size_t Object::size() const { return members_.size(); }
inline bool Object::empty() const { return members_.empty(); }
inline std::vector<Member>::const_iterator Object::begin() const { return members_.begin(); }
inline std::vector<Member>::const_iterator Object::end() const { return members_.end(); }

// The word for a kind as a user would say it: "null", "true or false", "a number", "a text", "a
// list", "an object".
std::string_view kind_name(const Value& value);

// What parse() makes of things that JSON does not have.
struct ParseRules {
  bool bare_non_finite = false;  // NaN, Infinity, -Infinity as Python writes them, as doubles
  bool duplicate_keys_last =
      false;  // the last one wins (as Python); otherwise a duplicate is an error
  int depth_max = 128;
};

// The one value that the text holds. Throws kInvalidArgument "not valid JSON: … at byte N"
// otherwise (also for text that is not UTF-8 and for nesting deeper than allowed).
Value parse(std::string_view text, const ParseRules& rules = {});

struct WriteRules {
  int indent = -1;  // -1: one line without blanks; else pretty, that many blanks a level
  bool bare_non_finite = false;  // NaN, Infinity, -Infinity as tokens; otherwise as the texts
                                 // "NaN", "Infinity", "-Infinity"
  bool python_separators =
      false;  // ", " and ": " on one line, non-ASCII as \uXXXX: Python's json.dumps
};

// Doubles are written in the shortest form that reads back the same, with ".0" when they have no
// fraction.
std::string write(const Value& value, const WriteRules& rules = {});

// Appends `text` quoted and escaped; appends the shortest form of a finite double.
void append_quoted(std::string& out, std::string_view text);
void append_number(std::string& out, double value);

}  // namespace slipway::json
