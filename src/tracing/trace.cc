// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "tracing/python_json.h"

namespace slipway::tracing {
namespace {

constexpr TraceState kStates[] = {TraceState::kUnspecified, TraceState::kOk, TraceState::kError,
                                  TraceState::kInProgress};

std::optional<double> number_in(const json::Value& value) {
  if (value.is_number()) return value.as_double();
  if (!value.is_string()) return std::nullopt;
  const std::string_view text = trimmed(value.as_string());
  double number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::int64_t> token_count(const json::Value& value) {
  if (value.kind() == json::Value::Kind::kInt) return value.as_int();
  const auto number = number_in(value);
  if (!number || !std::isfinite(*number) || *number != std::floor(*number) ||
      std::abs(*number) >= 0x1p63) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(*number);
}

std::optional<double> finite(const json::Value& value) {
  const auto number = number_in(value);
  return number && std::isfinite(*number) ? number : std::nullopt;
}

template <typename Sums, typename Keys, typename Read>
Sums read_sums(std::string_view text, const Keys& keys, const Read& read) {
  Sums sums;
  const auto object = read_json(text);
  if (!object) return sums;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const json::Value* value = object->find(keys[i])) sums[i] = read(*value);
  }
  return sums;
}

template <typename Sums, typename Keys>
std::string write_sums(const Sums& sums, const Keys& keys) {
  json::Object object;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (sums[i]) object.set(keys[i], *sums[i]);
  }
  if (object.empty()) return "";
  return python_json(std::move(object));
}

}  // namespace

std::string_view state_name(TraceState state) {
  switch (state) {
    case TraceState::kUnspecified: return "STATE_UNSPECIFIED";
    case TraceState::kOk: return "OK";
    case TraceState::kError: return "ERROR";
    case TraceState::kInProgress: return "IN_PROGRESS";
  }
  return "";
}

std::optional<TraceState> parse_state(std::string_view name) {
  const auto* found = std::find_if(std::begin(kStates), std::end(kStates),
                                   [&](TraceState state) { return state_name(state) == name; });
  if (found == std::end(kStates)) return std::nullopt;
  return *found;
}

Tokens read_tokens(std::string_view text) {
  return read_sums<Tokens>(text, kTokenKeys, token_count);
}
Costs read_costs(std::string_view text) { return read_sums<Costs>(text, kCostKeys, finite); }
std::string write_tokens(const Tokens& tokens) { return write_sums(tokens, kTokenKeys); }
std::string write_costs(const Costs& costs) { return write_sums(costs, kCostKeys); }

const std::string* find_pair(const Pairs& pairs, std::string_view key) {
  const auto found =
      std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == key; });
  return found == pairs.end() ? nullptr : &found->second;
}

}  // namespace slipway::tracing
