// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/value.h"

// What an object of slipway.yaml may say: one table of fields per kind. The client checks keys
// against it (slipway_yaml.h), the server checks everything again with it, and both sides of every
// diff pass through normalise(), so that a file that says less, or says the same in other words
// ("240h" for "10d", 1 for 1.0), is never a difference. Described for users in
// docs/formats/slipway-yaml.md.
namespace slipway::automation {

enum class FieldType {
  kText,     // any text
  kName,     // a name as is_object_name() allows
  kInteger,  // within [min, max]
  kNumber,   // within [min, max]; the ends are excluded where `open` says so; an integer counts
  kBool,
  kDuration,    // "90s", "14d"; min and max in microseconds; normalised to its largest whole unit
  kChoice,      // one of `choices`
  kChoices,     // a list of different ones of `choices`, at least one
  kTextList,    // a list of texts
  kScalarMap,   // free keys, each a text, number or true/false; sorted by key
  kObject,      // `members`
  kObjectList,  // a list of such objects, at least one
  kObjectMap,   // free keys, each a name, with `members`; sorted by key
};

struct Field {
  std::string_view key;
  FieldType type = FieldType::kText;
  bool required = false;
  std::string_view fallback =
      {};  // JSON text that stands in when the field is absent; "" = see the next two
  // The same from a constant of the folder that owns the kind, whatever its type there.
  std::string_view fallback_text = {};         // of kText, kName, kChoice
  std::optional<double> fallback_number = {};  // of kNumber, kInteger, kDuration (µs)
  double min = 0;                              // of kInteger, kNumber, kDuration
  double max = 0;                              // when max > min; otherwise there is no range
  bool open = false;                           // the range excludes its ends
  std::span<const std::string_view> choices = {};
  std::span<const Field> members = {};
  std::string_view reference = {};  // of kName: the kind of object that must exist under this name
};

// Whether something stands in for the field when it is absent.
bool has_fallback(const Field& field);

struct Kind {
  std::string_view name;
  std::span<const Field> fields;
};

// Limits of desired state; each is an error that names it.
inline constexpr std::size_t kObjectsMax = 2'000;  // in one plan
inline constexpr std::size_t kNameBytesMax = 128;
inline constexpr std::size_t kListItemsMax = 1'000;      // in any list or map of a spec
inline constexpr std::size_t kTextBytesMax = 64U << 10;  // of any text of a spec
inline constexpr std::size_t kRolloutStepsMax = 20;

// Webhook, Gate, Model, Pipeline, Endpoint, Monitor, Trigger: in the order in which they are made;
// deletes go the other way.
std::span<const Kind> kinds();
const Kind* find_kind(std::string_view name);
std::vector<std::string_view> kind_names();

// 1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or digit.
bool is_object_name(std::string_view text);

// The spec with every default filled in, fields in the table's order, texts of durations in one
// form. Throws kInvalidArgument for the first fault, naming it by its path and the nearest known
// key:
//   Endpoint `late-arrival`: unknown key `spec.rollout.stpes`, did you mean `steps`?
//   Endpoint `late-arrival`: `spec.rollout.steps[1].weight` must be a number above 0 and below 1,
//   not 1.0
// Idempotent: normalise(normalise(x)) == normalise(x). Pure.
json::Object normalise(const Kind& kind, const std::string& name, const json::Object& spec);

// Every name in the normalised spec that must exist as an object: kind, name, and the path of the
// field that says it.
struct Reference {
  std::string kind;
  std::string name;
  std::string path;
};
std::vector<Reference> references(const Kind& kind, const json::Object& spec);

// "14d" for 1209600000000: in the largest of d, h, m, s, ms, us that divides it. "0s" for zero.
// REQUIRES: not negative.
std::string duration_text(TimeUs duration);

// Readers of normalised specs. REQUIRES: normalise() made the spec and the field is there (asserted
// by the JSON accessors).
std::string spec_text(const json::Object& spec, std::string_view key);  // "" when absent
TimeUs spec_duration(const json::Object& spec, std::string_view key);
double spec_number(const json::Object& spec, std::string_view key);
std::int64_t spec_integer(const json::Object& spec, std::string_view key);

}  // namespace slipway::automation
