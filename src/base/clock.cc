// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>

namespace slipway {

TimeUs SystemClock::now() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t SystemClock::ticks_ns() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string format_time(TimeUs time) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::microseconds;
  const std::chrono::sys_time<microseconds> at{microseconds{time}};
  const auto day = floor<days>(at);
  const std::chrono::year_month_day date{day};
  const std::int64_t in_day = (at - day).count();
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(in_day / 3'600'000'000),
                static_cast<int>(in_day / 60'000'000 % 60),
                static_cast<int>(in_day / 1'000'000 % 60), static_cast<int>(in_day % 1'000'000));
  return text;
}

namespace {

// Reads exactly `digits` decimal digits at `at` and moves past them.
bool read_digits(std::string_view text, std::size_t& at, int digits, int& out) {
  if (text.size() < at + static_cast<std::size_t>(digits)) return false;
  out = 0;
  for (int i = 0; i < digits; ++i, ++at) {
    if (text[at] < '0' || text[at] > '9') return false;
    out = out * 10 + (text[at] - '0');
  }
  return true;
}

bool read_char(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

// Microseconds of a fraction ".123456789": digits after the sixth are cut off. At least one digit.
bool read_fraction(std::string_view text, std::size_t& at, std::int64_t& micros) {
  micros = 0;
  int seen = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++seen) {
    if (seen < 6) micros = micros * 10 + (text[at] - '0');
  }
  for (int i = seen; i < 6; ++i) micros *= 10;
  return seen > 0;
}

// The start of the day "2013-03-01".
std::optional<TimeUs> read_date(std::string_view text, std::size_t& at) {
  int year = 0, month = 0, day = 0;
  if (!read_digits(text, at, 4, year) || !read_char(text, at, '-') ||
      !read_digits(text, at, 2, month) || !read_char(text, at, '-') ||
      !read_digits(text, at, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * kMicrosPerDay;
}

// Time since midnight: "14:05", "14:05:30" or "14:05:30.25".
std::optional<TimeUs> read_time_of_day(std::string_view text, std::size_t& at) {
  int hour = 0, minute = 0, second = 0;
  std::int64_t micros = 0;
  if (!read_digits(text, at, 2, hour) || !read_char(text, at, ':') ||
      !read_digits(text, at, 2, minute)) {
    return std::nullopt;
  }
  if (read_char(text, at, ':')) {
    if (!read_digits(text, at, 2, second)) return std::nullopt;
    if (read_char(text, at, '.') && !read_fraction(text, at, micros)) return std::nullopt;
  }
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const std::int64_t seconds = std::int64_t{hour} * 3'600 + std::int64_t{minute} * 60 + second;
  return seconds * kMicrosPerSecond + micros;
}

// How far a zone is ahead of UTC: "Z", "+05:30", "-08:00".
std::optional<TimeUs> read_zone(std::string_view text, std::size_t& at) {
  if (read_char(text, at, 'Z') || read_char(text, at, 'z')) return 0;
  const bool behind = read_char(text, at, '-');
  if (!behind && !read_char(text, at, '+')) return std::nullopt;
  int hours = 0, minutes = 0;
  if (!read_digits(text, at, 2, hours) || !read_char(text, at, ':') ||
      !read_digits(text, at, 2, minutes) || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  const TimeUs ahead =
      (std::int64_t{hours} * 3'600 + std::int64_t{minutes} * 60) * kMicrosPerSecond;
  return behind ? -ahead : ahead;
}

}  // namespace

std::optional<TimeUs> parse_time(std::string_view text) {
  std::size_t at = 0;
  const std::optional<TimeUs> midnight = read_date(text, at);
  if (!midnight || at == text.size()) return midnight;
  if (text[at] != 'T' && text[at] != 't' && text[at] != ' ') return std::nullopt;
  ++at;
  const std::optional<TimeUs> in_day = read_time_of_day(text, at);
  if (!in_day) return std::nullopt;
  if (at == text.size()) return *midnight + *in_day;
  const std::optional<TimeUs> ahead = read_zone(text, at);
  if (!ahead || at != text.size()) return std::nullopt;
  return *midnight + *in_day - *ahead;
}

std::optional<TimeUs> parse_duration(std::string_view text) {
  std::int64_t whole = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (fault != std::errc{} || whole < 0) return std::nullopt;
  std::size_t at = static_cast<std::size_t>(end - text.data());
  std::int64_t millionths = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (!read_fraction(text, at, millionths)) return std::nullopt;
  }
  const std::string_view unit = text.substr(at);
  TimeUs unit_us = 0;
  if (unit == "us")
    unit_us = 1;
  else if (unit == "ms")
    unit_us = kMicrosPerMilli;
  else if (unit == "s")
    unit_us = kMicrosPerSecond;
  else if (unit == "m")
    unit_us = 60 * kMicrosPerSecond;
  else if (unit == "h")
    unit_us = 3600 * kMicrosPerSecond;
  else if (unit == "d")
    unit_us = kMicrosPerDay;
  else if (unit == "w")
    unit_us = 7 * kMicrosPerDay;
  else
    return std::nullopt;
  if (whole > std::numeric_limits<TimeUs>::max() / unit_us - 1) return std::nullopt;
  const TimeUs total = whole * unit_us +
                       static_cast<TimeUs>(static_cast<__int128>(millionths) * unit_us / 1'000'000);
  if (total <= 0) return std::nullopt;
  return total;
}

}  // namespace slipway
