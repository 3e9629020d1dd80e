// SPDX-License-Identifier: Apache-2.0
#include "calc/schema.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>

#include "base/error.h"

namespace slipway::calc {
namespace {

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) <= static_cast<double>(kCountMax)) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  std::string text;
  json::append_number(text, value);
  return text;
}

std::string range_text(const Range& range) {
  std::string text;
  if (std::isfinite(range.low))
    text += (range.low_open ? "above " : "at least ") + number_text(range.low);
  if (std::isfinite(range.high)) {
    text += text.empty() ? "" : " and ";
    text += (range.high_open ? "below " : "at most ") + number_text(range.high);
  }
  return text;
}

void check_range(const Field& field, double value) {
  if (!std::isfinite(value)) bad_input(field.key, "must be finite");
  const Range& range = field.range;
  const bool low_holds = range.low_open ? value > range.low : value >= range.low;
  const bool high_holds = range.high_open ? value < range.high : value <= range.high;
  if (!low_holds || !high_holds) bad_input(field.key, "must be " + range_text(range));
}

void check_number(const Field& field, const json::Value& value) {
  if (!value.is_number())
    bad_input(field.key, "must be a number, not " + std::string(kind_name(value)));
  check_range(field, value.as_double());
}

void check_count(const Field& field, const json::Value& value) {
  if (!value.is_number())
    bad_input(field.key, "must be a count, not " + std::string(kind_name(value)));
  const double number = value.as_double();
  if (!(number >= 0) || number != std::floor(number))
    bad_input(field.key, "must be a count: an integer of at least 0");
  // Compared as integers where the text was one: 2^53 + 1 has no double of its own.
  const bool too_large = value.is_integer()
                             ? value.as_uint() > static_cast<std::uint64_t>(kCountMax)
                             : number > static_cast<double>(kCountMax);
  if (too_large) bad_input(field.key, "must be at most 2^53");
  check_range(field, number);
}

void check_option(const Field& field, const json::Value& value) {
  if (value.is_string() && std::ranges::count(field.options, value.as_string()) > 0) return;
  std::string list;
  for (const std::string& option : field.options)
    list += (list.empty() ? "\"" : ", \"") + option + "\"";
  bad_input(field.key, "must be " + std::string(field.options.size() > 1 ? "one of " : "") + list);
}

void check_size(const Field& field, std::size_t size) {
  if (field.size_exact > 0 && size != field.size_exact) {
    bad_input(field.key, "must hold exactly " + std::to_string(field.size_exact) + " values");
  }
  if (size < field.size_min) {
    bad_input(field.key, "must hold at least " + std::to_string(field.size_min) +
                             (field.size_min == 1 ? " value" : " values"));
  }
}

const json::Array& list_of(const Field& field, const json::Value& value) {
  if (!value.is_array())
    bad_input(field.key, "must be a list, not " + std::string(kind_name(value)));
  check_size(field, value.as_array().size());
  return value.as_array();
}

void check_key(const Field& field, const json::Value& value) {
  const bool integer = value.is_integer() ||
                       (value.is_number() && value.as_double() == std::floor(value.as_double()) &&
                        std::abs(value.as_double()) <= static_cast<double>(kCountMax));
  if (!value.is_string() && !integer) bad_input(field.key, "must hold texts or integers");
}

void check_binary(const Field& field, const json::Value& value, bool booleans) {
  if (booleans && value.is_bool()) return;
  if (!value.is_number() || (value.as_double() != 0 && value.as_double() != 1)) {
    bad_input(field.key,
              booleans ? "must hold 0, 1, true or false only" : "must hold 0 and 1 only");
  }
}

void check_matrix(const Field& field, const json::Value& value) {
  const json::Array& rows = list_of(field, value);
  for (const json::Value& row : rows) {
    if (!row.is_array()) bad_input(field.key, "must be a list of lists");
    if (row.as_array().empty()) bad_input(field.key, "must not hold an empty list");
    if (row.as_array().size() != rows[0].as_array().size())
      bad_input(field.key, "must hold lists of one length");
    for (const json::Value& cell : row.as_array()) check_number(field, cell);
  }
}

json::Object checked_object(const Schema& schema, const json::Object& object);

void check_value(const Field& field, json::Value& value) {
  const auto each = [&](const auto& check) {
    for (const json::Value& item : list_of(field, value)) check(item);
  };
  switch (field.type) {
    case Type::kNumber: return check_number(field, value);
    case Type::kCount: return check_count(field, value);
    case Type::kText: return check_option(field, value);
    case Type::kNumbers: return each([&](const json::Value& item) { check_number(field, item); });
    case Type::kCounts: return each([&](const json::Value& item) { check_count(field, item); });
    case Type::kBinary:
      return each([&](const json::Value& item) { check_binary(field, item, false); });
    case Type::kBooleans:
      return each([&](const json::Value& item) { check_binary(field, item, true); });
    case Type::kKeys: return each([&](const json::Value& item) { check_key(field, item); });
    case Type::kMatrix: return check_matrix(field, value);
    case Type::kFlag:
      if (!value.is_bool())
        bad_input(field.key, "must be true or false, not " + std::string(kind_name(value)));
      return;
    case Type::kFlagOrText:
      if (!value.is_bool()) check_option(field, value);
      return;
    case Type::kNumberListText:
      if (value.is_string()) return check_option(field, value);
      [[fallthrough]];
    case Type::kNumberOrList:
      if (!value.is_array()) return check_number(field, value);
      return each([&](const json::Value& item) { check_number(field, item); });
    case Type::kListOrMatrix:
      if (value.is_array() && !value.as_array().empty() && value.as_array()[0].is_array())
        return check_matrix(field, value);
      return each([&](const json::Value& item) { check_number(field, item); });
    case Type::kObject:
      if (!value.is_object())
        bad_input(field.key, "must be an object, not " + std::string(kind_name(value)));
      value = json::Value(checked_object({field.members, {}}, value.as_object()));
      return;
    case Type::kObjects:
      list_of(field, value);
      for (json::Value& item : value.as_array()) {
        if (!item.is_object()) bad_input(field.key, "must hold objects");
        item = json::Value(checked_object({field.members, {}}, item.as_object()));
      }
      return;
  }
}

void check_choice(const Choice& choice, const json::Object& object) {
  const std::vector<std::string>* chosen = nullptr;
  const auto given = [&](const std::string& key) { return object.contains(key); };
  for (const std::vector<std::string>& set : choice) {
    const auto first = std::ranges::find_if(set, given);
    if (first == set.end()) continue;
    if (chosen != nullptr)
      bad_input(*first, "cannot be given together with `" + chosen->front() + "`");
    chosen = &set;
  }
  if (chosen == nullptr) {
    std::string others;
    for (std::size_t i = 1; i < choice.size(); ++i) others += ", or `" + choice[i].front() + "`";
    bad_input(choice.front().front(), "is missing" + others);
  }
  for (const std::string& key : *chosen) {
    if (!object.contains(key)) bad_input(key, "is missing");
  }
}

json::Object checked_object(const Schema& schema, const json::Object& object) {
  for (const json::Member& member : object) {
    const auto known = [&](const Field& field) { return field.key == member.first; };
    if (std::ranges::none_of(schema.fields, known))
      bad_input(member.first, "is not a key of this input");
  }
  for (const Choice& choice : schema.choices) check_choice(choice, object);
  json::Object values;
  for (const Field& field : schema.fields) {
    const json::Value* const given = object.find(field.key);
    if (given != nullptr) {
      json::Value value = *given;
      check_value(field, value);
      values.set(field.key, std::move(value));
    } else if (field.required) {
      bad_input(field.key, "is missing");
    } else if (!field.fallback.is_null()) {
      values.set(field.key, field.fallback);
    }
  }
  return values;
}

json::Object object_of(const Schema& schema, const json::Value& value) {
  if (!value.is_object())
    bad_input("-", "the input must be one object, not " + std::string(kind_name(value)));
  return checked_object(schema, value.as_object());
}

json::Object number_schema(const Field& field, const char* type) {
  json::Object schema{{"type", type}};
  const Range& range = field.range;
  if (std::isfinite(range.low))
    schema.set(range.low_open ? "exclusiveMinimum" : "minimum", range.low);
  if (std::isfinite(range.high))
    schema.set(range.high_open ? "exclusiveMaximum" : "maximum", range.high);
  return schema;
}

json::Object count_schema(const Field& field) {
  json::Object schema = number_schema(field, "integer");
  if (!std::isfinite(field.range.low)) schema.set("minimum", 0);
  if (!std::isfinite(field.range.high)) schema.set("maximum", kCountMax);
  return schema;
}

json::Object list_schema(const Field& field, json::Object items) {
  json::Object schema{{"type", "array"}, {"items", std::move(items)}};
  if (field.size_min > 0) schema.set("minItems", static_cast<std::int64_t>(field.size_min));
  if (field.size_exact > 0) {
    schema.set("minItems", static_cast<std::int64_t>(field.size_exact));
    schema.set("maxItems", static_cast<std::int64_t>(field.size_exact));
  }
  return schema;
}

json::Object matrix_schema(const Field& field) {
  Field row;
  row.size_min = 1;
  return list_schema(field, list_schema(row, number_schema(field, "number")));
}

json::Object option_schema(const Field& field) {
  json::Array options;
  for (const std::string& option : field.options) options.emplace_back(option);
  return {{"enum", std::move(options)}};
}

json::Object any_of(std::vector<json::Object> schemas) {
  json::Array list;
  for (json::Object& schema : schemas) list.emplace_back(std::move(schema));
  return {{"anyOf", std::move(list)}};
}

json::Object field_schema(const Field& field) {
  json::Object number = number_schema(field, "number");
  switch (field.type) {
    case Type::kNumber: return number;
    case Type::kCount: return count_schema(field);
    case Type::kFlag: return {{"type", "boolean"}};
    case Type::kText: return option_schema(field);
    case Type::kNumbers: return list_schema(field, number);
    case Type::kCounts: return list_schema(field, count_schema(field));
    case Type::kBinary: return list_schema(field, {{"enum", json::Array{0, 1}}});
    case Type::kBooleans: return list_schema(field, {{"enum", json::Array{0, 1, false, true}}});
    case Type::kKeys: return list_schema(field, {{"type", json::Array{"string", "integer"}}});
    case Type::kMatrix: return matrix_schema(field);
    case Type::kNumberOrList: return any_of({number, list_schema(field, number)});
    case Type::kNumberListText:
      return any_of({number, list_schema(field, number), option_schema(field)});
    case Type::kFlagOrText: return any_of({{{"type", "boolean"}}, option_schema(field)});
    case Type::kListOrMatrix: return any_of({list_schema(field, number), matrix_schema(field)});
    case Type::kObject: return schema_json({field.members, {}}).as_object();
    case Type::kObjects: return list_schema(field, schema_json({field.members, {}}).as_object());
  }
  return {};
}

}  // namespace

void bad_input(std::string_view key, const std::string& what) {
  const std::string separator = key == "-" ? ": " : " ";
  throw Error(Code::kInvalidArgument, "`" + std::string(key) + "`" + separator + what);
}

Input::Input(const Schema& schema, const json::Value& value) : values_(object_of(schema, value)) {}

const json::Value& Input::raw(std::string_view key) const {
  const json::Value* const value = values_.find(key);
  assert(value != nullptr);
  return *value;
}

double Input::number(std::string_view key) const { return raw(key).as_double(); }

std::optional<double> Input::maybe_number(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return number(key);
}

std::int64_t Input::count(std::string_view key) const {
  const json::Value& value = raw(key);
  return value.is_integer() ? value.as_int() : static_cast<std::int64_t>(value.as_double());
}

bool Input::flag(std::string_view key) const { return raw(key).as_bool(); }

const std::string& Input::text(std::string_view key) const { return raw(key).as_string(); }

std::vector<double> Input::numbers(std::string_view key) const {
  std::vector<double> numbers;
  numbers.reserve(raw(key).as_array().size());
  for (const json::Value& item : raw(key).as_array()) {
    numbers.push_back(item.is_bool() ? (item.as_bool() ? 1.0 : 0.0) : item.as_double());
  }
  return numbers;
}

std::vector<std::int64_t> Input::counts(std::string_view key) const {
  std::vector<std::int64_t> counts;
  for (const double number : numbers(key)) counts.push_back(static_cast<std::int64_t>(number));
  return counts;
}

std::vector<std::int64_t> Input::keys(std::string_view key) const {
  // A text and an integer of the same spelling are different keys; 1 and 1.0 are the same.
  std::map<std::string, std::int64_t> known;
  std::vector<std::int64_t> ids;
  for (const json::Value& item : raw(key).as_array()) {
    std::string name;
    if (item.is_string()) {
      name = "t" + item.as_string();
    } else if (item.kind() == json::Value::Kind::kDouble) {
      name = "i" + std::to_string(static_cast<std::int64_t>(item.as_double()));
    } else {
      name = "i" + json::write(item);
    }
    ids.push_back(
        known.try_emplace(std::move(name), static_cast<std::int64_t>(known.size())).first->second);
  }
  return ids;
}

std::vector<std::vector<double>> Input::matrix(std::string_view key) const {
  std::vector<std::vector<double>> rows;
  for (const json::Value& row : raw(key).as_array()) {
    std::vector<double>& cells = rows.emplace_back();
    for (const json::Value& cell : row.as_array()) cells.push_back(cell.as_double());
  }
  return rows;
}

std::vector<Input> Input::objects(std::string_view key) const {
  std::vector<Input> objects;
  for (const json::Value& item : raw(key).as_array()) objects.push_back(Input(item.as_object()));
  return objects;
}

Input Input::object(std::string_view key) const { return Input(raw(key).as_object()); }

json::Value schema_json(const Schema& schema) {
  json::Object properties;
  json::Array required;
  for (const Field& field : schema.fields) {
    json::Object property = field_schema(field);
    if (!field.fallback.is_null()) property.set("default", field.fallback);
    properties.set(field.key, std::move(property));
    if (field.required) required.emplace_back(field.key);
  }
  json::Object result{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) result.set("required", std::move(required));
  json::Array choices;
  for (const Choice& choice : schema.choices) {
    json::Array sets;
    for (const std::vector<std::string>& set : choice) {
      json::Array keys;
      for (const std::string& key : set) keys.emplace_back(key);
      sets.emplace_back(json::Object{{"required", std::move(keys)}});
    }
    choices.emplace_back(json::Object{{"oneOf", std::move(sets)}});
  }
  if (!choices.empty()) result.set("allOf", std::move(choices));
  result.set("additionalProperties", false);
  return result;
}

}  // namespace slipway::calc
