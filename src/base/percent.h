// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace slipway {

// Percent-encoding of URLs (RFC 3986 §2.1). Pure, thread-safe, O(length).

// Decodes %XX once. nullopt when malformed, or when the result holds a NUL or is not UTF-8.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_blank);

// Encodes every byte but A-Z a-z 0-9 - . _ ~
std::string percent_encode(std::string_view text);

}  // namespace slipway
