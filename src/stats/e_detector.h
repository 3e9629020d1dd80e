// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::stats {

// How a detector forgets: Shiryaev–Roberts lets a new gambler start before every event and sums
// their wealth, CUSUM keeps the luckiest. The first finds a change sooner, the second runs longer
// without one.
enum class EDetectorRule { kShiryaevRoberts, kCusum };

// Has the mean of a loss in [0, 1] risen above m? Twelve bets lambda_i = (0.9/m) 2^(-0.75 i), i = 0
// … 11; with M_i = 0 at the start
//   kShiryaevRoberts  M_i <- (M_i + 1)    (1 + lambda_i (x - m))
//   kCusum            M_i <- max(M_i, 1)  (1 + lambda_i (x - m))
// and the value is the mean of the M_i. Alarm when value >= N: as long as E[x | past] <= m, the
// expected number of events to the first alarm is at least N. No other assumption: x need not be
// independent or identically distributed. Where losses come in clumps, x must be the mean of a
// block (a day), since event by event the conditional mean does not stay below m.
//   source  Shin, Ramdas & Rinaldo, "E-detectors" (NEJSDS 2023), Theorem 2.4 and §2.3; the bets are
//   those of this project
// A value type of 12 doubles. Never overflows: a wealth above 1e300 is kept as its logarithm. Not
// thread-safe; 12 multiplications an event.
class EDetector {
 public:
  static constexpr std::size_t kBets = 12;
  // M_i while it is at most 1e300, otherwise -ln M_i: the sign says which. Meaningful only together
  // with m and rule.
  using State = std::array<double, kBets>;
  static constexpr std::size_t kStateBytes = kBets * sizeof(double);

  // m in (0, 1), else throws kInvalidArgument naming `m`. With `state`: goes on from where another
  // detector of the same m and rule was.
  explicit EDetector(double m, EDetectorRule rule = EDetectorRule::kShiryaevRoberts);
  EDetector(double m, EDetectorRule rule, const State& state);

  double update(double x);  // value() after this event; x in [0, 1], else throws kInvalidArgument
                            // naming `x` and changes nothing
  double value() const;     // mean of the M_i; +inf beyond 1e300
  void reset() { state_.fill(0); }  // as new, for instance after an alarm

  const State& state() const { return state_; }
  // The state as 96 bytes (12 IEEE doubles, little-endian), for a column of a table; exact. Reading
  // throws kDataLoss when the length differs or a value cannot be a state.
  std::string state_bytes() const;
  static State state_from_bytes(std::string_view bytes);

 private:
  double m_;
  EDetectorRule rule_;
  State lambda_;
  State state_;
};

struct EDetectorRun {
  double value = 0;  // after the last event
  double max = 0;
  std::optional<std::int64_t> alarm_at;  // 1-based number of the first event with value >= n; the
                                         // detector goes on, no reset
  std::vector<double> path;              // one an event, when asked for
};

// A whole stream through one detector.
//   x       at least one value, each in [0, 1]; n > 1: the budget, in events
//   throws  kInvalidArgument naming `x`, `m` or `n`
EDetectorRun e_detector(std::span<const double> x, double m, double n, EDetectorRule rule,
                        bool trace = false);

struct WindowEDetector {
  std::vector<double> s;                 // S after each window; +inf beyond the largest double
  std::optional<std::int64_t> alarm_at;  // 1-based number of the first window with S >= windows
};

// The same recursion for e-values that are ready-made, one a window: S <- (S + 1) e from S = 0,
// alarm when S >= windows. Expected number of windows to a false alarm >= `windows` if each e has
// conditional expectation <= 1.
//   e        at least one, each >= 0; windows > 0
//   throws   kInvalidArgument naming `e` or `windows`
// Pure, thread-safe. A step of the recursion stands alone as window_e_step for a caller that keeps
// S itself.
WindowEDetector window_e_detector(std::span<const double> e, double windows);
double window_e_step(double s, double e);

}  // namespace slipway::stats
