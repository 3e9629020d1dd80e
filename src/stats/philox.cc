// SPDX-License-Identifier: Apache-2.0
#include "stats/philox.h"

namespace slipway::stats {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

std::uint32_t low_half(std::uint64_t value) {
  return static_cast<std::uint32_t>(value & 0xFFFFFFFF);
}
std::uint32_t high_half(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = std::uint64_t{kMultiplier0} * counter[0];
    const std::uint64_t product1 = std::uint64_t{kMultiplier1} * counter[2];
    counter = {high_half(product1) ^ counter[1] ^ key[0], low_half(product1),
               high_half(product0) ^ counter[3] ^ key[1], low_half(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

std::uint32_t PhiloxStream::next() {
  if (used_ == numbers_.size()) {
    numbers_ = philox4x32(
        {low_half(block_), high_half(block_), low_half(replicate_), high_half(replicate_)},
        {low_half(seed_), high_half(seed_)});
    ++block_;
    used_ = 0;
  }
  return numbers_[used_++];
}

std::uint32_t PhiloxStream::below(std::uint32_t bound) {
  // Lemire's multiply-and-shift (ACM TOMACS 2019).
  std::uint64_t product = std::uint64_t{next()} * bound;
  if (low_half(product) < bound) {
    const std::uint32_t threshold = (0U - bound) % bound;
    while (low_half(product) < threshold) product = std::uint64_t{next()} * bound;
  }
  return high_half(product);
}

double PhiloxStream::uniform() {
  const std::uint64_t high = next() >> 5;
  const std::uint64_t low = next() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1.0p-53;
}

}  // namespace slipway::stats
