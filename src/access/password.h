// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::access {

// Hashes of passwords as Werkzeug writes them, so that accounts move between an MLflow server and
// this one in both directions:
//   scrypt:N:r:p$SALT$HEX          64 bytes
//   pbkdf2:HASH:ITERATIONS$SALT$HEX  HASH is sha1, sha256 or sha512
//   source  Werkzeug 3.1, security.py; the salt is used as its ASCII text

// A new hash: scrypt:32768:8:1 with 16 random characters of salt. Takes some 50 ms and 32 MiB.
std::string hash_password(std::string_view password);

// True if the password is the hashed one. False for a hash that is none of the above, or that asks
// for more than kHashMemoryMax or kHashIterationsMax. Takes as long wherever the texts differ.
bool password_matches(std::string_view hash, std::string_view password);

inline constexpr std::uint64_t kHashMemoryMax = 256ULL << 20;  // 128 · N · r bytes
inline constexpr long kHashIterationsMax = 10'000'000;

// The same work as for a password of scrypt:32768:8:1, without a result: for names that nobody has,
// so that the time of a refusal does not tell who has an account.
void waste_as_much_time(std::string_view password);

// A password is 12 to 1,024 characters. Throws kInvalidArgument in MLflow's words. No other rule
// but one: the password that MLflow's servers once shipped with, "password1234", opens nothing.
void check_password(std::string_view password);

}  // namespace slipway::access
