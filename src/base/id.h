// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace slipway {

// Fills the span from the kernel's random source. Throws kInternal if there is none. Thread-safe.
void random_bytes(std::span<std::uint8_t> out);

// 32 lower-case hex digits from 16 random bytes: run ids, as MLflow makes them.
std::string random_hex32();

// ULID: 26 characters of Crockford's base 32, the first ten from the time (ms), the rest random;
// sorts by time. Events, alarms, rollouts, plans. Within a process two calls in one millisecond
// still sort in call order. Thread-safe.
std::string new_ulid(TimeUs now);

std::string to_hex(std::span<const std::uint8_t> bytes);

// SHA-256 (FIPS 180-4) of the bytes as 64 lower-case hex digits: ids of evidence and provenance.
std::string sha256_hex(std::string_view bytes);

// Splittable 64-bit mix of a text (xxh-like avalanche, stable for ever: rollout arms depend on it).
// Uniform over uint64.
std::uint64_t stable_hash64(std::uint64_t seed, std::string_view text);

// Standard base 64 with padding (RFC 4648 §4). decode returns false when the text is not that.
std::string base64_encode(std::string_view bytes);
bool base64_decode(std::string_view text, std::string& out);

}  // namespace slipway
