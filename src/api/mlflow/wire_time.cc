// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/wire_time.h"

#include <algorithm>
#include <charconv>

#include "base/clock.h"

namespace slipway::api::mlflow {
namespace {

constexpr std::size_t kDecimalsMax = 9;
constexpr std::size_t kDecimalsKept = 6;                // as parse_time reads
constexpr std::int64_t kSecondsMax = 315'576'000'000;   // ten thousand years, as protobuf has it
constexpr std::int64_t kYear1Ms = -62'135'596'800'000;  // 0001-01-01
constexpr std::int64_t kYear10000Ms = 253'402'300'800'000;

std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

std::string three(std::int64_t number) {
  std::string digits = std::to_string(number);
  return std::string(3 - digits.size(), '0') + digits;
}

}  // namespace

std::string timestamp_text(std::int64_t ms) {
  std::string text = format_time(us_of_ms(std::clamp(ms, kYear1Ms, kYear10000Ms - 1)));
  // "….123000Z"
  text.resize(text.size() - 4);
  if (text.ends_with(".000")) text.resize(text.size() - 4);
  return text + "Z";
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  const std::size_t t = text.find('T');
  if (t == std::string_view::npos || text.find_first_of("Z+-", t) == std::string_view::npos)
    return std::nullopt;
  std::string cut(text);
  if (const std::size_t dot = text.find('.'); dot != std::string_view::npos) {
    const std::size_t decimals = count_digits(text.substr(dot + 1));
    if (decimals == 0 || decimals > kDecimalsMax) return std::nullopt;
    if (decimals > kDecimalsKept) cut.erase(dot + 1 + kDecimalsKept, decimals - kDecimalsKept);
  }
  const auto us = parse_time(cut);
  if (!us) return std::nullopt;
  // Towards the past, as milliseconds of a negative time are.
  const std::int64_t ms = *us / kMicrosPerMilli;
  return *us % kMicrosPerMilli < 0 ? ms - 1 : ms;
}

std::string duration_text(std::int64_t ms) {
  const std::string sign = ms < 0 ? "-" : "";
  const std::int64_t seconds = ms / 1'000;
  const std::int64_t rest = ms % 1'000;
  const std::string whole = sign + std::to_string(seconds < 0 ? -seconds : seconds);
  if (rest == 0) return whole + "s";
  return whole + "." + three(rest < 0 ? -rest : rest) + "s";
}

std::optional<std::int64_t> parse_duration_text(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (!text.ends_with('s')) return std::nullopt;
  text.remove_suffix(1);
  std::int64_t seconds = 0;
  const std::size_t digits = count_digits(text);
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + digits, seconds);
  if (digits == 0 || fault != std::errc() || seconds > kSecondsMax) return std::nullopt;
  text.remove_prefix(digits);
  std::int64_t ms = 0;
  if (!text.empty()) {
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    if (text.empty() || text.size() > kDecimalsMax || count_digits(text) != text.size())
      return std::nullopt;
    std::string first(text.substr(0, 3));
    first.resize(3, '0');
    std::from_chars(first.data(), first.data() + 3, ms);
  }
  ms += seconds * 1'000;
  return negative ? -ms : ms;
}

}  // namespace slipway::api::mlflow
