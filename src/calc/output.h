// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/value.h"

namespace slipway::calc {

// The object that a statistic answers with, key by key in the order of the calls.
// NaN and nullopt become null, infinities "inf" and "-inf". If a null was written and no note
// given, the note says for which keys.
class Output {
 public:
  Output& number(std::string_view key, double value);
  Output& number(std::string_view key, std::optional<double> value);
  Output& count(std::string_view key, std::int64_t value);
  Output& count(std::string_view key, std::optional<std::int64_t> value);
  Output& flag(std::string_view key, bool value);
  Output& text(std::string_view key, std::string_view value);
  Output& numbers(std::string_view key, std::span<const double> values);
  Output& flags(std::string_view key, const std::vector<bool>& values);
  Output& interval(std::string_view key, double lo, double hi);  // [lo, hi]
  Output& value(std::string_view key, json::Value value);
  Output& note(std::string_view text);  // more than one: joined by "; "; empty: nothing

  json::Value done() &&;

 private:
  json::Object members_;
  std::string note_;
  std::string nulls_;
};

// A number as it stands in outputs.
json::Value number_value(double value);

}  // namespace slipway::calc
