// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::tracking {

// One logged value of a metric. The time is MLflow's milliseconds, >= 0; the step may be negative;
// the value is any double but an infinity (clamp_metric_value). All NaNs are one value.
struct Point {
  std::int64_t time_ms = 0;
  std::int64_t step = 0;
  double value = 0;
};

// MLflow's order of a history: time, step, value, NaN (which counts as value 0) last. Points that
// are equal in it are duplicates.
bool history_less(const Point& a, const Point& b);
bool same_point(const Point& a, const Point& b);

// The order of charts and samples: step, time, value, NaN.
bool step_less(const Point& a, const Point& b);

// MLflow's order for the newest point of a metric: step, time, value, in which a NaN counts as 0.
bool latest_less(const Point& a, const Point& b);

// Into history_less order, without duplicates: of equal points the first stays.
void sort_history(std::vector<Point>& points);

// Infinities become the largest finite double of their sign, as MLflow stores them; everything else
// is returned as it is.
double clamp_metric_value(double value);

// A sealed part of a series, as stored: docs/formats/metric-chunk.md. Times and steps are
// delta-of-delta coded with runs of zero collapsed, values are XORed with their predecessor and
// bit-packed (Pelkonen et al., "Gorilla", VLDB 2015, section 4.1.2); a checksum closes it. A point
// of an ordinary training curve takes 1 to 9 bytes.
//   points   1 to kChunkPointsMax, sorted by history_less, without duplicates
std::string encode_chunk(std::span<const Point> points);

// Throws kDataLoss "metric chunk … " when the bytes are not what encode_chunk made.
std::vector<Point> decode_chunk(std::string_view bytes);
// The same in the place of what `points` holds, whose memory is used again.
void decode_chunk(std::string_view bytes, std::vector<Point>& points);

inline constexpr std::size_t kChunkPointsMax = 65'536;

}  // namespace slipway::tracking
