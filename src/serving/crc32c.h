// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::serving {

// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78, start and end inverted: RFC 3720 appendix
// B.4). `crc` continues one that was computed over the bytes before: crc32c("b", crc32c("a")) ==
// crc32c("ab").
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace slipway::serving
