// SPDX-License-Identifier: Apache-2.0
#include "automation/spec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "base/error.h"
#include "base/nearest.h"
#include "yaml/node.h"

namespace slipway::automation {
namespace {

// Where a fault is: "Endpoint `late-arrival`: `spec.rollout.steps[1].weight`".
struct Place {
  const std::string& owner;
  std::string path;

  Place member(std::string_view key) const { return {owner, path + "." + std::string(key)}; }
  Place item(std::size_t index) const { return {owner, path + "[" + std::to_string(index) + "]"}; }
};

[[noreturn]] void refuse(const Place& place, const std::string& what) {
  throw Error(Code::kInvalidArgument, place.owner + ": `" + place.path + "` " + what);
}

std::string shown(const json::Value& value) {
  constexpr std::size_t kShownBytesMax = 60;
  const std::string text = json::write(value);
  return text.size() <= kShownBytesMax ? text : std::string(json::kind_name(value));
}

[[noreturn]] void refuse_value(const Place& place, const std::string& wanted,
                               const json::Value& value) {
  refuse(place, "must be " + wanted + ", not " + shown(value));
}

std::string number_text(double value) {
  std::string text;
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  json::append_number(text, value);
  return text;
}

std::string range_text(const Field& field) {
  return field.open ? " above " + number_text(field.min) + " and below " + number_text(field.max)
                    : " from " + number_text(field.min) + " to " + number_text(field.max);
}

bool has_range(const Field& field) { return field.max > field.min; }

bool in_range(const Field& field, double value) {
  if (!has_range(field)) {
    return true;
  }
  return field.open ? value > field.min && value < field.max
                    : value >= field.min && value <= field.max;
}

json::Value check_text(const Place& place, const json::Value& value) {
  if (!value.is_string()) {
    refuse_value(place, "a text", value);
  }
  if (value.as_string().size() > kTextBytesMax) {
    refuse(place, "is longer than " + std::to_string(kTextBytesMax) + " bytes");
  }
  return value;
}

json::Value check_name(const Place& place, const json::Value& value) {
  if (!value.is_string() || !is_object_name(value.as_string())) {
    refuse_value(place, "a name (letters, digits, `.`, `_`, `-`; at most 128)", value);
  }
  return value;
}

json::Value check_number(const Field& field, const Place& place, const json::Value& value) {
  const bool integer = field.type == FieldType::kInteger;
  const std::string wanted =
      (integer ? "an integer" : "a number") + (has_range(field) ? range_text(field) : "");
  if (!value.is_number() || (integer && value.kind() != json::Value::Kind::kInt)) {
    refuse_value(place, wanted, value);
  }
  const double number = value.as_double();
  if (!std::isfinite(number) || !in_range(field, number)) {
    refuse_value(place, wanted, value);
  }
  return integer ? value : json::Value(number);
}

json::Value check_duration(const Field& field, const Place& place, const json::Value& value) {
  std::optional<TimeUs> duration;
  if (value.is_string()) {
    duration =
        value.as_string() == "0s" ? std::optional<TimeUs>(0) : parse_duration(value.as_string());
  }
  if (!duration) {
    refuse_value(place, "a duration such as \"90s\", \"12h\" or \"14d\"", value);
  }
  if (!in_range(field, static_cast<double>(*duration))) {
    refuse_value(place,
                 "a duration from " + duration_text(static_cast<TimeUs>(field.min)) + " to " +
                     duration_text(static_cast<TimeUs>(field.max)),
                 value);
  }
  return duration_text(*duration);
}

std::string list_text(std::span<const std::string_view> choices) {
  std::string text;
  for (const std::string_view choice : choices) {
    text += (text.empty() ? "`" : ", `") + std::string(choice) + "`";
  }
  return text;
}

json::Value check_choice(const Field& field, const Place& place, const json::Value& value) {
  const bool known = value.is_string() && std::find(field.choices.begin(), field.choices.end(),
                                                    value.as_string()) != field.choices.end();
  if (!known) {
    std::string wanted = (field.choices.size() > 1 ? "one of " : "") + list_text(field.choices);
    if (value.is_string()) {
      const std::string_view near =
          nearest(value.as_string(),
                  std::vector<std::string_view>(field.choices.begin(), field.choices.end()));
      if (!near.empty()) {
        refuse(place, "must be " + wanted + ", not " + shown(value) + "; did you mean `" +
                          std::string(near) + "`?");
      }
    }
    refuse_value(place, wanted, value);
  }
  return value;
}

const json::Array& check_list(const Place& place, const json::Value& value, bool may_be_empty) {
  if (!value.is_array()) {
    refuse_value(place, "a list", value);
  }
  if (value.as_array().empty() && !may_be_empty) {
    refuse(place, "must have at least one entry");
  }
  if (value.as_array().size() > kListItemsMax) {
    refuse(place, "has more than " + std::to_string(kListItemsMax) + " entries");
  }
  return value.as_array();
}

const json::Object& check_object(const Place& place, const json::Value& value) {
  if (!value.is_object()) {
    refuse_value(place, "an object", value);
  }
  if (value.as_object().size() > kListItemsMax) {
    refuse(place, "has more than " + std::to_string(kListItemsMax) + " entries");
  }
  return value.as_object();
}

std::vector<json::Member> sorted_members(const json::Object& object) {
  std::vector<json::Member> members(object.begin(), object.end());
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  return members;
}

// In the order in which the kind lists them, so that a list written in another order is no
// difference.
json::Value check_choices(const Field& field, const Place& place, const json::Value& value) {
  const json::Array& items = check_list(place, value, false);
  for (std::size_t i = 0; i < items.size(); ++i) {
    check_choice(field, place.item(i), items[i]);
  }
  json::Array ordered;
  for (const std::string_view choice : field.choices) {
    const auto count = std::count(items.begin(), items.end(), json::Value(choice));
    if (count > 1) {
      refuse(place, "names `" + std::string(choice) + "` twice");
    }
    if (count == 1) {
      ordered.emplace_back(choice);
    }
  }
  return ordered;
}

json::Value check_text_list(const Place& place, const json::Value& value) {
  const json::Array& items = check_list(place, value, true);
  for (std::size_t i = 0; i < items.size(); ++i) {
    check_text(place.item(i), items[i]);
  }
  return value;
}

json::Value check_scalar_map(const Place& place, const json::Value& value) {
  json::Object sorted;
  for (auto& [key, entry] : sorted_members(check_object(place, value))) {
    if (entry.is_string()) {
      check_text(place.member(key), entry);
    } else if (!entry.is_number() && !entry.is_bool()) {
      refuse_value(place.member(key), "a text, a number or true/false", entry);
    }
    sorted.set(key, std::move(entry));
  }
  return sorted;
}

json::Object check_members(std::span<const Field> fields, const Place& place,
                           const json::Object& object);

json::Value check_object_list(const Field& field, const Place& place, const json::Value& value) {
  const json::Array& items = check_list(place, value, false);
  json::Array checked;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Place item = place.item(i);
    checked.emplace_back(check_members(field.members, item, check_object(item, items[i])));
  }
  return checked;
}

json::Value check_object_map(const Field& field, const Place& place, const json::Value& value) {
  json::Object checked;
  for (const auto& [key, entry] : sorted_members(check_object(place, value))) {
    const Place member = place.member(key);
    check_name(member, key);
    checked.set(key, check_members(field.members, member, check_object(member, entry)));
  }
  return checked;
}

json::Value check_field(const Field& field, const Place& place, const json::Value& value) {
  switch (field.type) {
    case FieldType::kText: return check_text(place, value);
    case FieldType::kName: return check_name(place, value);
    case FieldType::kInteger:
    case FieldType::kNumber: return check_number(field, place, value);
    case FieldType::kBool:
      if (!value.is_bool()) {
        refuse_value(place, "true or false", value);
      }
      return value;
    case FieldType::kDuration: return check_duration(field, place, value);
    case FieldType::kChoice: return check_choice(field, place, value);
    case FieldType::kChoices: return check_choices(field, place, value);
    case FieldType::kTextList: return check_text_list(place, value);
    case FieldType::kScalarMap: return check_scalar_map(place, value);
    case FieldType::kObject: return check_members(field.members, place, check_object(place, value));
    case FieldType::kObjectList: return check_object_list(field, place, value);
    case FieldType::kObjectMap: return check_object_map(field, place, value);
  }
  assert(false);
  return value;
}

void check_known(std::span<const Field> fields, const Place& place, const json::Object& object) {
  std::vector<std::string_view> known;
  for (const Field& field : fields) {
    known.push_back(field.key);
  }
  for (const auto& [key, value] : object) {
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      continue;
    }
    const std::string_view near = nearest(key, known);
    throw Error(Code::kInvalidArgument,
                place.owner + ": unknown key `" + place.member(key).path + "`, " +
                    (near.empty() ? "expected one of " + list_text(known)
                                  : "did you mean `" + std::string(near) + "`?"));
  }
}

// REQUIRES: has_fallback(field).
json::Value fallback_of(const Field& field) {
  if (!field.fallback.empty()) {
    return json::parse(field.fallback);
  }
  if (!field.fallback_number) {
    return json::Value(field.fallback_text);
  }
  const auto whole = static_cast<std::int64_t>(*field.fallback_number);
  switch (field.type) {
    case FieldType::kDuration: return json::Value(duration_text(whole));
    case FieldType::kInteger: return json::Value(whole);
    default: return json::Value(*field.fallback_number);
  }
}

json::Object check_members(std::span<const Field> fields, const Place& place,
                           const json::Object& object) {
  check_known(fields, place, object);
  json::Object checked;
  for (const Field& field : fields) {
    const json::Value* value = object.find(field.key);
    const Place member = place.member(field.key);
    if (value != nullptr && !value->is_null()) {
      checked.set(field.key, check_field(field, member, *value));
    } else if (field.required) {
      refuse(member, "is required");
    } else if (has_fallback(field)) {
      checked.set(field.key, check_field(field, member, fallback_of(field)));
    }
  }
  return checked;
}

// What one field alone cannot say.
void check_endpoint(const Place& place, const json::Object& spec) {
  if (spec.contains("alias") == spec.contains("version")) {
    throw Error(Code::kInvalidArgument,
                place.owner + ": needs either `spec.alias` or `spec.version`, and not both");
  }
  const json::Value* rollout = spec.find("rollout");
  if (rollout == nullptr) {
    return;
  }
  if (!spec.contains("alias")) {
    refuse(place.member("rollout"),
           "needs an endpoint that follows an alias; one pinned to a version changes by its file");
  }
  const Place steps_place = place.member("rollout").member("steps");
  const json::Array& steps = rollout->find("steps")->as_array();
  if (steps.size() > kRolloutStepsMax) {
    refuse(steps_place, "has more than " + std::to_string(kRolloutStepsMax) + " steps");
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i + 1 < steps.size() && steps[i].find("requests") == nullptr) {
      refuse(steps_place.item(i).member("requests"), "is required in every step but the last");
    }
    if (i > 0 && steps[i].find("weight")->as_double() <= steps[i - 1].find("weight")->as_double()) {
      refuse(steps_place.item(i).member("weight"), "must be above the weight of the step before");
    }
  }
}

void check_trigger(const Place& place, const json::Object& spec) {
  const json::Array& on = spec.find("on")->as_array();
  for (std::size_t i = 0; i < on.size(); ++i) {
    if (on[i].as_object().size() != 1) {
      refuse(place.member("on").item(i), "must be one of {alarm: MONITOR} and {every: DURATION}");
    }
  }
}

void check_monitor(const Place& place, const json::Object& spec) {
  if (spec_text(spec, "positive").empty()) {
    refuse(place.member("positive"), "must not be empty");
  }
  const json::Value* bound = spec.find("bound");
  const double top = spec_text(spec, "loss") == "zero_one" ? 1.0 : spec_number(spec, "clip");
  if (bound != nullptr && bound->as_double() >= top) {
    refuse(place.member("bound"),
           "must be below the largest loss that counts, " + number_text(top));
  }
}

// Targets become arguments of `slipway repro`, where a leading dash would make an option of one.
void check_pipeline(const Place& place, const json::Object& spec) {
  for (const json::Value& target : spec.find("targets")->as_array()) {
    if (target.as_string().starts_with('-')) {
      refuse(place.member("targets"), "must not begin with `-`: \"" + target.as_string() + "\"");
    }
  }
}

void check_webhook(const Place& place, const json::Object& spec) {
  const std::string& url = spec.find("url")->as_string();
  if (url.rfind("http://", 0) != 0 && url.rfind("https://", 0) != 0) {
    refuse(place.member("url"), "must begin with http:// or https://");
  }
}

void collect(std::span<const Field> fields, const std::string& path, const json::Object& object,
             std::vector<Reference>& found) {
  for (const Field& field : fields) {
    const json::Value* value = object.find(field.key);
    if (value == nullptr) {
      continue;
    }
    const std::string member = path + "." + std::string(field.key);
    if (!field.reference.empty()) {
      found.push_back({std::string(field.reference), value->as_string(), member});
    } else if (field.type == FieldType::kObject) {
      collect(field.members, member, value->as_object(), found);
    } else if (field.type == FieldType::kObjectList) {
      for (std::size_t i = 0; i < value->as_array().size(); ++i) {
        collect(field.members, member + "[" + std::to_string(i) + "]",
                value->as_array()[i].as_object(), found);
      }
    } else if (field.type == FieldType::kObjectMap) {
      for (const auto& [key, entry] : value->as_object()) {
        collect(field.members, member + "." + key, entry.as_object(), found);
      }
    }
  }
}

}  // namespace

bool has_fallback(const Field& field) {
  return !field.fallback.empty() || !field.fallback_text.empty() || field.fallback_number;
}

const Kind* find_kind(std::string_view name) {
  for (const Kind& kind : kinds()) {
    if (kind.name == name) {
      return &kind;
    }
  }
  return nullptr;
}

std::vector<std::string_view> kind_names() {
  std::vector<std::string_view> names;
  for (const Kind& kind : kinds()) {
    names.push_back(kind.name);
  }
  return names;
}

bool is_object_name(std::string_view text) {
  const auto word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kNameBytesMax && word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return word(c) || c == '.' || c == '_' || c == '-'; });
}

json::Object normalise(const Kind& kind, const std::string& name, const json::Object& spec) {
  const std::string owner = std::string(kind.name) + " `" + name + "`";
  const Place place{owner, "spec"};
  if (!is_object_name(name)) {
    throw Error(Code::kInvalidArgument,
                owner + ": a name is letters, digits, `.`, `_` and `-`, at most " +
                    std::to_string(kNameBytesMax) + ", and begins with a letter or digit");
  }
  json::Object checked = check_members(kind.fields, place, spec);
  if (kind.name == "Endpoint") {
    check_endpoint(place, checked);
  } else if (kind.name == "Trigger") {
    check_trigger(place, checked);
  } else if (kind.name == "Monitor") {
    check_monitor(place, checked);
  } else if (kind.name == "Pipeline") {
    check_pipeline(place, checked);
  } else if (kind.name == "Webhook") {
    check_webhook(place, checked);
  }
  return checked;
}

std::vector<Reference> references(const Kind& kind, const json::Object& spec) {
  std::vector<Reference> found;
  collect(kind.fields, "spec", spec, found);
  return found;
}

std::string duration_text(TimeUs duration) {
  assert(duration >= 0);
  struct Unit {
    std::string_view name;
    TimeUs length;
  };
  static constexpr std::array<Unit, 6> kUnits = {{{"d", kMicrosPerDay},
                                                  {"h", 3'600 * kMicrosPerSecond},
                                                  {"m", 60 * kMicrosPerSecond},
                                                  {"s", kMicrosPerSecond},
                                                  {"ms", kMicrosPerMilli},
                                                  {"us", 1}}};
  if (duration == 0) {
    return "0s";
  }
  for (const Unit& unit : kUnits) {
    if (duration % unit.length == 0) {
      return std::to_string(duration / unit.length) + std::string(unit.name);
    }
  }
  assert(false);
  return {};
}

std::string spec_text(const json::Object& spec, std::string_view key) {
  const json::Value* value = spec.find(key);
  return value == nullptr ? std::string() : value->as_string();
}

TimeUs spec_duration(const json::Object& spec, std::string_view key) {
  const std::string text = spec_text(spec, key);
  return text == "0s" ? 0 : parse_duration(text).value();
}

double spec_number(const json::Object& spec, std::string_view key) {
  return spec.find(key)->as_double();
}

std::int64_t spec_integer(const json::Object& spec, std::string_view key) {
  return spec.find(key)->as_int();
}

}  // namespace slipway::automation
