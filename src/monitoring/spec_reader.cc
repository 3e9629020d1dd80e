// SPDX-License-Identifier: Apache-2.0
#include "monitoring/spec_reader.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "base/nearest.h"

namespace slipway::monitoring {
namespace {

std::string list_of(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string number_text(double value) {
  constexpr double kWholeMax = 1e15;
  if (std::trunc(value) == value && std::abs(value) < kWholeMax) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  std::string text;
  json::append_number(text, value);
  return text;
}

}  // namespace

SpecReader::SpecReader(std::string kind, const json::Value& spec,
                       const std::vector<std::string_view>& known)
    : kind_(std::move(kind)), spec_(spec) {
  if (!spec_.is_object()) {
    throw Error(Code::kInvalidArgument,
                kind_ + " spec: must be an object, not " + std::string(json::kind_name(spec_)));
  }
  for (const auto& [key, value] : spec_.as_object()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string_view near = nearest(key, known);
    std::string why = "is not a key of it";
    why +=
        near.empty() ? "; it has " + list_of(known) : ", did you mean `" + std::string(near) + "`?";
    refuse(key, why);
  }
}

const json::Value* SpecReader::find(std::string_view key) const {
  const json::Value* value = spec_.find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

void SpecReader::refuse(std::string_view key, const std::string& why) const {
  std::string message = kind_;
  message += " spec: `";
  message += key;
  message += "` ";
  message += why;
  throw Error(Code::kInvalidArgument, message);
}

std::string SpecReader::required_text(std::string_view key) const {
  std::string value = text(key, "");
  if (value.empty()) refuse(key, "is missing");
  return value;
}

std::string SpecReader::text(std::string_view key, std::string_view fallback) const {
  const json::Value* value = find(key);
  if (value == nullptr) return std::string(fallback);
  if (!value->is_string()) {
    refuse(key, "must be a text, not " + std::string(json::kind_name(*value)));
  }
  return value->as_string();
}

std::string SpecReader::choice(std::string_view key, std::string_view fallback,
                               const std::vector<std::string_view>& choices) const {
  std::string value = text(key, fallback);
  if (std::find(choices.begin(), choices.end(), value) == choices.end()) {
    refuse(key, "must be one of " + list_of(choices) + ", not " + value);
  }
  return value;
}

std::optional<double> SpecReader::maybe_number(std::string_view key, double least,
                                               double most) const {
  const json::Value* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    refuse(key, "must be a number, not " + std::string(json::kind_name(*value)));
  }
  const double number = value->as_double();
  if (!(number >= least && number <= most)) {
    refuse(key, "must be a number between " + number_text(least) + " and " + number_text(most) +
                    ", not " + (std::isfinite(number) ? number_text(number) : "that"));
  }
  return number;
}

double SpecReader::number(std::string_view key, double fallback, double least, double most) const {
  return maybe_number(key, least, most).value_or(fallback);
}

std::int64_t SpecReader::integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                                 std::int64_t most) const {
  const json::Value* value = find(key);
  if (value == nullptr) return fallback;
  const bool whole = value->is_number() && std::trunc(value->as_double()) == value->as_double();
  if (!whole || value->as_double() < static_cast<double>(least) ||
      value->as_double() > static_cast<double>(most)) {
    refuse(key, "must be a whole number between " + std::to_string(least) + " and " +
                    std::to_string(most));
  }
  return static_cast<std::int64_t>(value->as_double());
}

TimeUs SpecReader::duration(std::string_view key, TimeUs fallback, TimeUs least,
                            TimeUs most) const {
  if (find(key) == nullptr) return fallback;
  const std::string given = text(key, "");
  std::optional<TimeUs> duration = parse_duration(given);
  if (!duration && (given == "0" || given == "0s")) duration = 0;
  if (!duration || *duration < least || *duration > most) {
    refuse(key, "must be a duration between " + duration_text(least) + " and " +
                    duration_text(most) + ", not " + given);
  }
  return *duration;
}

std::string duration_text(TimeUs duration) {
  constexpr std::array<std::pair<TimeUs, const char*>, 5> kUnits{{{kMicrosPerDay, "d"},
                                                                  {3'600 * kMicrosPerSecond, "h"},
                                                                  {60 * kMicrosPerSecond, "m"},
                                                                  {kMicrosPerSecond, "s"},
                                                                  {kMicrosPerMilli, "ms"}}};
  if (duration == 0) return "0s";
  for (const auto& [unit, name] : kUnits) {
    if (duration % unit == 0) return std::to_string(duration / unit) + name;
  }
  return std::to_string(duration) + "us";
}

}  // namespace slipway::monitoring
