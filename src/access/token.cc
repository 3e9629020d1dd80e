// SPDX-License-Identifier: Apache-2.0
#include "access/token.h"

#include <array>
#include <sodium.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

namespace slipway::access {

std::string new_token() {
  std::array<std::uint8_t, 32> bytes{};
  random_bytes(bytes);
  return "slp_" + to_hex(bytes);
}

namespace {

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() > word.size() && text[word.size()] == ' ' &&
         same_ignoring_case(text.substr(0, word.size()), word);
}

}  // namespace

std::optional<std::string> presented_token(std::optional<std::string_view> authorization) {
  if (!authorization) return std::nullopt;
  const std::string_view header = trimmed(*authorization);
  if (starts_with_word(header, "bearer")) {
    const std::string_view token = trimmed(header.substr(7));
    if (token.empty()) return std::nullopt;
    return std::string(token);
  }
  if (starts_with_word(header, "basic")) {
    std::string pair;
    if (!base64_decode(trimmed(header.substr(6)), pair)) return std::nullopt;
    const std::size_t colon = pair.find(':');
    if (colon == std::string::npos || colon + 1 == pair.size()) return std::nullopt;
    return pair.substr(colon + 1);
  }
  return std::nullopt;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string load_or_create_token(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "token";
  if (const auto kept = read_file_if_exists(path)) {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) == 0 && (facts.st_mode & 077) != 0) {
      throw Error(Code::kPermissionDenied,
                  "`" + path.string() + "` can be read by other users, so it is no secret any more",
                  "rm '" + path.string() + "'   (a new one is made at the next start)");
    }
    std::string token(trimmed(*kept));
    if (!token.empty()) return token;
  }
  std::string token = new_token();
  write_file_atomic(path, token + "\n", true, 0600);
  return token;
}

}  // namespace slipway::access
