// SPDX-License-Identifier: Apache-2.0
#include "stats/e_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "stats/require.h"

namespace slipway::stats {
namespace {

constexpr double kLinearMax = 1e300;
const double kLogLinearMax = std::log(kLinearMax);

// The coded wealth (see State) after a factor, starting from `coded`.
double advance(double coded, double factor, EDetectorRule rule) {
  if (coded < 0) {
    // Above 1e300 a newcomer's 1 is far below the last digit: both rules only multiply.
    const double log_wealth = -coded + std::log(factor);
    return log_wealth > kLogLinearMax ? -log_wealth : std::exp(log_wealth);
  }
  const double stake = rule == EDetectorRule::kShiryaevRoberts ? coded + 1 : std::max(coded, 1.0);
  const double wealth = stake * factor;
  return wealth > kLinearMax ? -std::log(wealth) : wealth;
}

}  // namespace

EDetector::EDetector(double m, EDetectorRule rule) : EDetector(m, rule, State{}) {}

EDetector::EDetector(double m, EDetectorRule rule, const State& state)
    : m_(m), rule_(rule), state_(state) {
  require_open_unit(m, "m");
  for (std::size_t i = 0; i < kBets; ++i)
    lambda_[i] = 0.9 / m * std::exp2(-0.75 * static_cast<double>(i));
}

double EDetector::update(double x) {
  require(x >= 0 && x <= 1, "x", "lie between 0 and 1");
  for (std::size_t i = 0; i < kBets; ++i) {
    state_[i] = advance(state_[i], 1 + lambda_[i] * (x - m_), rule_);
  }
  return value();
}

double EDetector::value() const {
  double sum = 0;
  for (const double coded : state_) {
    const double wealth = coded < 0 ? std::exp(-coded) : coded;
    sum += wealth / static_cast<double>(kBets);
  }
  return sum > kLinearMax ? std::numeric_limits<double>::infinity() : sum;
}

std::string EDetector::state_bytes() const {
  std::string bytes;
  bytes.reserve(kStateBytes);
  for (const double coded : state_) {
    const auto bits = std::bit_cast<std::uint64_t>(coded);
    for (int shift = 0; shift < 64; shift += 8)
      bytes.push_back(static_cast<char>((bits >> shift) & 0xFF));
  }
  return bytes;
}

EDetector::State EDetector::state_from_bytes(std::string_view bytes) {
  if (bytes.size() != kStateBytes) {
    throw Error(Code::kDataLoss,
                "detector state has " + std::to_string(bytes.size()) + " bytes instead of 96");
  }
  State state;
  for (std::size_t i = 0; i < kBets; ++i) {
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < sizeof bits; ++b) {
      bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i * sizeof bits + b]))
              << (8 * b);
    }
    state[i] = std::bit_cast<double>(bits);
    if (!std::isfinite(state[i]))
      throw Error(Code::kDataLoss, "detector state holds a value that is not a number");
  }
  return state;
}

EDetectorRun e_detector(std::span<const double> x, double m, double n, EDetectorRule rule,
                        bool trace) {
  require(!x.empty(), "x", "hold at least one value");
  require(n > 1, "n", "be greater than 1");
  EDetector detector(m, rule);
  EDetectorRun run;
  std::int64_t number = 0;
  for (const double value : x) {
    ++number;
    run.value = detector.update(value);
    run.max = std::max(run.max, run.value);
    if (!run.alarm_at && run.value >= n) run.alarm_at = number;
    if (trace) run.path.push_back(run.value);
  }
  return run;
}

double window_e_step(double s, double e) {
  // A window whose e-value is 0 ends every gamble, also one whose wealth no longer fits a double.
  return e == 0 ? 0 : (s + 1) * e;
}

WindowEDetector window_e_detector(std::span<const double> e, double windows) {
  require(!e.empty(), "e", "hold at least one value");
  require(windows > 0, "windows", "be greater than 0");
  WindowEDetector result;
  result.s.reserve(e.size());
  double s = 0;
  for (const double value : e) {
    require(value >= 0, "e", "hold values of at least 0");
    s = window_e_step(s, value);
    result.s.push_back(s);
    if (!result.alarm_at && s >= windows)
      result.alarm_at = static_cast<std::int64_t>(result.s.size());
  }
  return result;
}

}  // namespace slipway::stats
