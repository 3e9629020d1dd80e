// SPDX-License-Identifier: Apache-2.0
#include "access/password.h"

#include <array>
#include <charconv>
#include <openssl/evp.h>
#include <optional>
#include <span>
#include <vector>

#include "access/token.h"
#include "base/error.h"
#include "base/id.h"

namespace slipway::access {
namespace {

constexpr std::size_t kPasswordCharactersMin = 12;
constexpr std::size_t kPasswordBytesMax = 1'024;
constexpr std::string_view kShippedByMlflow = "password1234";

constexpr std::uint64_t kN = 32'768;
constexpr std::uint64_t kR = 8;
constexpr std::uint64_t kP = 1;
constexpr std::size_t kScryptBytes = 64;
constexpr std::size_t kSaltCharacters = 16;

// "method$salt$digest" and the method's parts between colons.
struct Parts {
  std::vector<std::string_view> method;
  std::string_view salt;
  std::string_view digest;
};

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(by);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || stop != text.data() + text.size() || text.empty())
    return std::nullopt;
  return value;
}

struct Scrypt {
  std::uint64_t n = kN;
  std::uint64_t r = kR;
  std::uint64_t p = kP;
};

// Empty where OpenSSL refuses the numbers.
std::string scrypt(std::string_view password, std::string_view salt, const Scrypt& cost) {
  std::array<std::uint8_t, kScryptBytes> out{};
  std::vector<std::uint8_t> salt_bytes(salt.begin(), salt.end());
  const int done =
      EVP_PBE_scrypt(password.data(), password.size(), salt_bytes.data(), salt_bytes.size(), cost.n,
                     cost.r, cost.p, kHashMemoryMax + (1U << 20), out.data(), out.size());
  return done == 1 ? to_hex(out) : std::string();
}

bool scrypt_matches(const Parts& parts, std::string_view password) {
  if (parts.method.size() != 4) return false;
  const auto n = number<std::uint64_t>(parts.method[1]);
  const auto r = number<std::uint64_t>(parts.method[2]);
  const auto p = number<std::uint64_t>(parts.method[3]);
  constexpr std::uint64_t kPartMax = 1U << 24;  // so that the products below do not overflow
  if (!n || !r || !p || *n > kPartMax || *r > kPartMax || *p > 16 || *n < 2) return false;
  if (128 * *n * *r > kHashMemoryMax) return false;
  const std::string made = scrypt(password, parts.salt, {*n, *r, *p});
  return !made.empty() && equal_in_constant_time(made, parts.digest);
}

bool pbkdf2_matches(const Parts& parts, std::string_view password) {
  if (parts.method.size() < 2 || parts.method.size() > 3) return false;
  const EVP_MD* hash = parts.method[1] == "sha256"   ? EVP_sha256()
                       : parts.method[1] == "sha512" ? EVP_sha512()
                       : parts.method[1] == "sha1"   ? EVP_sha1()
                                                     : nullptr;
  // Werkzeug before 2.3 left the number out where it was the default of its day.
  const auto rounds = parts.method.size() == 3 ? number<long>(parts.method[2]) : 260'000L;
  if (hash == nullptr || !rounds || *rounds < 1 || *rounds > kHashIterationsMax) return false;
  std::vector<std::uint8_t> out(static_cast<std::size_t>(EVP_MD_get_size(hash)));
  std::vector<std::uint8_t> salt(parts.salt.begin(), parts.salt.end());
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), salt.data(),
                        static_cast<int>(salt.size()), static_cast<int>(*rounds), hash,
                        static_cast<int>(out.size()), out.data()) != 1) {
    return false;
  }
  return equal_in_constant_time(to_hex(out), parts.digest);
}

std::string new_salt() {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string salt;
  while (salt.size() < kSaltCharacters) {
    std::array<std::uint8_t, 32> bytes{};
    random_bytes(bytes);
    for (const std::uint8_t byte : bytes) {
      // Rejected above the last whole multiple, so that no letter is likelier.
      if (byte < kLetters.size() * 4 && salt.size() < kSaltCharacters)
        salt += kLetters[byte % kLetters.size()];
    }
  }
  return salt;
}

std::size_t characters(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  return count;
}

}  // namespace

std::string hash_password(std::string_view password) {
  const std::string salt = new_salt();
  const std::string made = scrypt(password, salt, {});
  if (made.empty()) throw Error(Code::kInternal, "a password could not be hashed");
  return "scrypt:" + std::to_string(kN) + ":" + std::to_string(kR) + ":" + std::to_string(kP) +
         "$" + salt + "$" + made;
}

bool password_matches(std::string_view hash, std::string_view password) {
  const std::vector<std::string_view> fields = split(hash, '$');
  if (fields.size() != 3 || password.size() > kPasswordBytesMax) return false;
  const Parts parts{split(fields[0], ':'), fields[1], fields[2]};
  if (parts.method.front() == "scrypt") return scrypt_matches(parts, password);
  if (parts.method.front() == "pbkdf2") return pbkdf2_matches(parts, password);
  return false;
}

void waste_as_much_time(std::string_view password) {
  scrypt(password.substr(0, kPasswordBytesMax), "nobody's salt...", {});
}

void check_password(std::string_view password) {
  if (characters(password) < kPasswordCharactersMin)
    throw Error(Code::kInvalidArgument, "Password must be at least 12 characters.");
  if (password.size() > kPasswordBytesMax)
    throw Error(Code::kInvalidArgument, "Password must be at most 1024 bytes.");
  if (password == kShippedByMlflow) {
    throw Error(Code::kInvalidArgument,
                "This password was once shipped with a server and is publicly known: choose "
                "another.");
  }
}

}  // namespace slipway::access
