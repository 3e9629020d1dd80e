// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::http {

// A body's Content-Encoding taken off, with a bound: a few kilobytes of zeros can stand for
// gigabytes.
enum class Encoding {
  kGzip,     // RFC 1952; several members one after the other are one body
  kDeflate,  // RFC 1950, and RFC 1951 alone as some clients send it
};

struct InflateLimits {
  std::uint64_t bytes_max = 64U << 20;
  // How much larger than what came a body may get; small bodies may have ratio_free bytes anyhow.
  std::uint64_t ratio_max = 200;
  std::uint64_t ratio_free = 1U << 20;
};

// Throws kInvalidArgument when the body is not what the encoding says (damaged, cut off),
// kResourceExhausted beyond the limits. Memory: at most the result and the body.
std::string inflate(std::string_view body, Encoding encoding, const InflateLimits& limits = {});

}  // namespace slipway::http
