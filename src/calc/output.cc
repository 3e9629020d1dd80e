// SPDX-License-Identifier: Apache-2.0
#include "calc/output.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace slipway::calc {

json::Value number_value(double value) {
  if (std::isnan(value)) return nullptr;
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

Output& Output::value(std::string_view key, json::Value value) {
  const auto is_null = [](const json::Value& item) { return item.is_null(); };
  const bool null_inside = value.is_array() && std::ranges::any_of(value.as_array(), is_null);
  if (value.is_null() || null_inside)
    nulls_ += (nulls_.empty() ? "`" : ", `") + std::string(key) + "`";
  members_.set(key, std::move(value));
  return *this;
}

Output& Output::number(std::string_view key, double value) {
  return this->value(key, number_value(value));
}

Output& Output::number(std::string_view key, std::optional<double> value) {
  return number(key, value.value_or(std::numeric_limits<double>::quiet_NaN()));
}

Output& Output::count(std::string_view key, std::int64_t value) { return this->value(key, value); }

Output& Output::count(std::string_view key, std::optional<std::int64_t> value) {
  return this->value(key, value ? json::Value(*value) : json::Value());
}

Output& Output::flag(std::string_view key, bool value) { return this->value(key, value); }

Output& Output::text(std::string_view key, std::string_view value) {
  return this->value(key, value);
}

Output& Output::numbers(std::string_view key, std::span<const double> values) {
  json::Array list;
  list.reserve(values.size());
  for (const double value : values) list.push_back(number_value(value));
  return value(key, std::move(list));
}

Output& Output::flags(std::string_view key, const std::vector<bool>& values) {
  json::Array list;
  for (const bool value : values) list.emplace_back(value);
  return value(key, std::move(list));
}

Output& Output::interval(std::string_view key, double lo, double hi) {
  const double ends[] = {lo, hi};
  return numbers(key, ends);
}

Output& Output::note(std::string_view text) {
  if (text.empty()) return *this;
  if (!note_.empty()) note_ += "; ";
  note_ += text;
  return *this;
}

json::Value Output::done() && {
  if (!nulls_.empty() && note_.empty()) note_ = "not defined for this input: " + nulls_;
  if (!note_.empty()) members_.set("note", note_);
  return std::move(members_);
}

}  // namespace slipway::calc
