// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway {

// Microseconds since 1970-01-01T00:00:00Z. MLflow's wire has milliseconds: us_of_ms / ms_of_us.
using TimeUs = std::int64_t;

inline constexpr TimeUs kMicrosPerMilli = 1'000;
inline constexpr TimeUs kMicrosPerSecond = 1'000'000;
inline constexpr TimeUs kMicrosPerDay = 86'400 * kMicrosPerSecond;

constexpr TimeUs us_of_ms(std::int64_t ms) { return ms * kMicrosPerMilli; }
constexpr std::int64_t ms_of_us(TimeUs us) { return us / kMicrosPerMilli; }

// One of the five doors to the outside. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimeUs now() const = 0;             // wall clock; may jump
  virtual std::int64_t ticks_ns() const = 0;  // monotonic, arbitrary origin; for durations
};

class SystemClock final : public Clock {
 public:
  TimeUs now() const override;
  std::int64_t ticks_ns() const override;
};

// Stands still until told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(TimeUs start) : now_(start) {}
  TimeUs now() const override { return now_; }
  std::int64_t ticks_ns() const override { return now_ * 1'000; }
  void advance(TimeUs by) { now_ += by; }

 private:
  std::atomic<TimeUs> now_;
};

// "2013-03-01T05:00:00.000000Z": always UTC, always six decimals, so that texts sort as times do.
// Years 0000 to 9999.
std::string format_time(TimeUs time);

// RFC 3339 with an offset or Z, or a date and time without offset (UTC), or a date alone
// ("2013-03-01" = midnight UTC), or integer microseconds are NOT accepted. nullopt when the text is
// none of these.
std::optional<TimeUs> parse_time(std::string_view text);

// "90s", "15m", "12h", "10d", "2w", "250ms", "20us": a positive number, at most six decimals, and a
// unit. In microseconds; nullopt when the text is not one, or does not fit.
std::optional<TimeUs> parse_duration(std::string_view text);

}  // namespace slipway
