// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace slipway::stats {

// Philox4x32-10: random numbers as a function of key and counter, so that replicate r of a
// resampling is the same on any machine and any number of threads. Passes BigCrush.
//   source  Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011);
//   its known-answer vectors are tests
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// The random numbers of one replicate. The key is the user's seed; the counter holds the
// replicate's number and the position in it, so that replicates never overlap before 2^66 numbers
// each.
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t seed, std::uint64_t replicate) : seed_(seed), replicate_(replicate) {}

  std::uint32_t next();
  // Uniform on 0 … bound - 1, exactly (numbers that would favour small results are drawn again).
  // REQUIRES bound >= 1.
  std::uint32_t below(std::uint32_t bound);
  double uniform();  // in [0, 1), 53 bits

 private:
  std::uint64_t seed_;
  std::uint64_t replicate_;
  std::uint64_t block_ = 0;
  std::array<std::uint32_t, 4> numbers_{};
  unsigned used_ = 4;
};

}  // namespace slipway::stats
