// SPDX-License-Identifier: Apache-2.0
#include "base/id.h"

#include <array>
#include <cerrno>
#include <mutex>
#include <openssl/sha.h>
#include <sys/random.h>

#include "base/error.h"

namespace slipway {

void random_bytes(std::span<std::uint8_t> out) {
  std::size_t have = 0;
  while (have < out.size()) {
    const ssize_t got = ::getrandom(out.data() + have, out.size() - have, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw errno_error(errno, "cannot read random bytes");
    }
    have += static_cast<std::size_t>(got);
  }
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string random_hex32() {
  std::array<std::uint8_t, 16> bytes{};
  random_bytes(bytes);
  return to_hex(bytes);
}

std::string new_ulid(TimeUs now) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  static std::mutex mutex;
  static std::uint64_t last_ms = 0;
  static std::array<std::uint8_t, 10> tail{};
  const std::lock_guard lock(mutex);
  const auto ms = static_cast<std::uint64_t>(ms_of_us(now));
  if (ms > last_ms) {
    last_ms = ms;
    random_bytes(tail);
  } else {
    // Same millisecond, or a clock that went back: count up, so that the order of calls is the
    // order of ids.
    for (std::size_t i = tail.size(); i-- > 0;) {
      if (++tail[i] != 0) break;
    }
  }
  std::string text(26, '0');
  std::uint64_t time = last_ms;
  for (int i = 9; i >= 0; --i, time >>= 5) text[static_cast<std::size_t>(i)] = kDigits[time & 31];
  // 80 random bits are 16 digits of five bits.
  unsigned __int128 bits = 0;
  for (const std::uint8_t byte : tail) bits = (bits << 8) | byte;
  for (int i = 25; i >= 10; --i, bits >>= 5)
    text[static_cast<std::size_t>(i)] = kDigits[static_cast<unsigned>(bits & 31)];
  return text;
}

std::string sha256_hex(std::string_view bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
           digest.data());  // NOLINT
  return to_hex(digest);
}

std::uint64_t stable_hash64(std::uint64_t seed, std::string_view text) {
  // FNV-1a over the bytes, then splitmix64's finaliser over seed and state for avalanche.
  std::uint64_t state = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    state ^= static_cast<std::uint8_t>(c);
    state *= 0x100000001b3ULL;
  }
  std::uint64_t mixed = state ^ (seed + 0x9e3779b97f4a7c15ULL);
  for (int round = 0; round < 2; ++round) {
    mixed += 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
    mixed ^= mixed >> 31;
  }
  return mixed;
}

namespace {
constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = (word << 8) | (k < n ? static_cast<std::uint8_t>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text.push_back(k <= n ? kBase64[(word >> (18 - 6 * k)) & 63] : '=');
    }
  }
  return text;
}

bool base64_decode(std::string_view text, std::string& out) {
  static const std::array<std::int8_t, 256> table = [] {
    std::array<std::int8_t, 256> made{};
    made.fill(-1);
    for (int i = 0; i < 64; ++i)
      made[static_cast<std::uint8_t>(kBase64[i])] = static_cast<std::int8_t>(i);
    return made;
  }();
  out.clear();
  if (text.size() % 4 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t word = 0;
    std::size_t padding = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      if (c == '=' && i + 4 == text.size() && k >= 2) {
        ++padding;
        word <<= 6;
        continue;
      }
      const std::int8_t value = table[static_cast<std::uint8_t>(c)];
      if (value < 0 || padding > 0) return false;
      word = (word << 6) | static_cast<std::uint32_t>(value);
    }
    out.push_back(static_cast<char>(word >> 16));
    if (padding < 2) out.push_back(static_cast<char>((word >> 8) & 255));
    if (padding < 1) out.push_back(static_cast<char>(word & 255));
  }
  return true;
}

}  // namespace slipway
