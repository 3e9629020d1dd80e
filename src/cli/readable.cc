// SPDX-License-Identifier: Apache-2.0
#include "cli/readable.h"

#include <array>
#include <cmath>
#include <cstdio>

#include "base/clock.h"

namespace slipway::cli {
namespace {

// The code point that begins at `at`, and how many bytes it takes; a byte that is no UTF-8 stands
// for itself.
struct Point {
  char32_t value = 0;
  std::size_t bytes = 1;
};

Point point_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (bytes == 1 || at + bytes > text.size()) return {first, 1};
  char32_t value = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) value = (value << 6U) | (byte(at + i) & 0x3FU);
  return {value, bytes};
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t N>
bool within(char32_t point, const std::array<Range, N>& ranges) {
  for (const Range& range : ranges) {
    if (point >= range.first && point <= range.last) return true;
  }
  return false;
}

constexpr std::array<Range, 5> kMarks{
    {{0x0300, 0x036F}, {0x1AB0, 0x1AFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
constexpr std::array<Range, 9> kWide{{{0x1100, 0x115F},
                                      {0x2E80, 0xA4CF},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};

std::size_t columns_of_point(char32_t point) {
  if (within(point, kMarks)) return 0;
  return within(point, kWide) ? 2 : 1;
}

std::string printed(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

std::string readable_number(const json::Value& value, bool exact) {
  constexpr double kWholeMax = 1e15;  // further a double does not hold every whole number's digits
  if (value.is_integer()) return json::write(value);
  const double number = value.as_double();
  if (!std::isfinite(number)) return json::write(value, {.bare_non_finite = true});
  if (number == std::floor(number) && std::abs(number) < kWholeMax) return printed("%.0f", number);
  return exact ? json::write(value) : printed("%.6g", number);
}

// "2013-03-01T05:00:00.000000Z", the one form of base/clock.h.
bool is_time(const std::string& text) {
  return text.size() == 27 && text[4] == '-' && text[10] == 'T' && text[19] == '.' &&
         text.back() == 'Z' && parse_time(text).has_value();
}

std::string joined(const json::Value& value, bool exact) {
  std::string text;
  const auto add = [&](const std::string& part, const char* between) {
    text += (text.empty() ? "" : between) + part;
  };
  if (value.is_array()) {
    for (const json::Value& item : value.as_array())
      add(readable(item, exact), item.is_object() ? "; " : ", ");
  } else {
    for (const json::Member& member : value.as_object()) {
      const bool nested = member.second.is_object() && !member.second.as_object().empty();
      const std::string inner = readable(member.second, exact);
      add(one_line(member.first) + " " + (nested ? "(" + inner + ")" : inner), ", ");
    }
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Point point = point_at(text, at);
    const bool control = point.value < 0x20 ||
                         (point.value >= 0x7F && point.value < 0xA0 && point.bytes > 1) ||
                         point.value == 0x7F;
    if (control)
      line += ' ';
    else
      line += text.substr(at, point.bytes);
    at += point.bytes;
  }
  return line;
}

std::string readable(const json::Value& value, bool exact) {
  if (value.is_null()) return "-";
  if (value.is_bool()) return value.as_bool() ? "yes" : "no";
  if (value.is_array() || value.is_object()) return joined(value, exact);
  if (!value.is_string()) return readable_number(value, exact);
  const std::string& text = value.as_string();
  if (text.empty()) return "-";
  return !exact && is_time(text) ? text.substr(0, 19) + "Z" : one_line(text);
}

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Point point = point_at(text, at);
    columns += columns_of_point(point.value);
    at += point.bytes;
  }
  return columns;
}

std::string cut(const std::string& text, std::size_t columns) {
  constexpr std::string_view kMore = "...";
  if (columns_of(text) <= columns) return text;
  std::size_t used = 0;
  std::size_t end = 0;
  while (end < text.size()) {
    const Point point = point_at(text, end);
    const std::size_t more = columns_of_point(point.value);
    if (used + more + kMore.size() > columns) break;
    used += more;
    end += point.bytes;
  }
  return text.substr(0, end) + std::string(kMore);
}

std::string readable_bytes(std::int64_t bytes) {
  if (bytes < 1'000) return std::to_string(bytes) + " B";
  constexpr std::array<const char*, 4> kUnits{" kB", " MB", " GB", " TB"};
  double amount = static_cast<double>(bytes) / 1'000;
  std::size_t unit = 0;
  for (; amount >= 999.95 && unit + 1 < kUnits.size(); ++unit) amount /= 1'000;
  return printed("%.1f", amount) + kUnits[unit];
}

std::string readable_duration(std::int64_t us) {
  constexpr std::int64_t kMinuteS = 60;
  constexpr std::int64_t kHourS = 3'600;
  const std::int64_t s = us / kMicrosPerSecond;
  if (us < kMicrosPerSecond) return std::to_string(us / 1'000) + " ms";
  const std::int64_t tenths = us / 100'000;  // cut off, not rounded: 59.96 s is no 60.0 s
  if (s < kMinuteS) return printed("%.1f s", static_cast<double>(tenths) / 10);
  if (s < kHourS)
    return std::to_string(s / kMinuteS) + " min " + std::to_string(s % kMinuteS) + " s";
  return std::to_string(s / kHourS) + " h " + std::to_string(s % kHourS / kMinuteS) + " min";
}

}  // namespace slipway::cli
