// SPDX-License-Identifier: Apache-2.0
#include "serving/served_version.h"

#include <algorithm>

namespace slipway::serving {
namespace {

constexpr double kSmoothing = 0.05;

// A lost update among threads only forgets one observation.
void move_average(std::atomic<double>& average, double value) {
  const double old = average.load(std::memory_order_relaxed);
  average.store(old == 0 ? value : old + kSmoothing * (value - old), std::memory_order_relaxed);
}

}  // namespace

double ServedVersion::cost_us(std::int64_t rows) const {
  return call_us.load(std::memory_order_relaxed) +
         static_cast<double>(std::max<std::int64_t>(rows - 1, 0)) *
             row_us.load(std::memory_order_relaxed);
}

void ServedVersion::observe_cost(std::int64_t rows, double us) const {
  if (rows <= 1)
    move_average(call_us, us);
  else
    move_average(row_us, std::max(0.0, us - call_us.load(std::memory_order_relaxed)) /
                             static_cast<double>(rows - 1));
}

std::vector<Tensor> score(const ServedVersion& version, const std::vector<Tensor>& inputs) {
  return version.loaded->run(inputs);
}

}  // namespace slipway::serving
