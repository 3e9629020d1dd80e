// SPDX-License-Identifier: Apache-2.0
#include "serving/byte_codec.h"

#include <cstring>

#include "base/error.h"

namespace slipway::serving {

std::string_view ByteReader::raw(std::uint64_t size) {
  if (size > rest_.size())
    throw Error(Code::kDataLoss, "a record of the prediction log is shorter than it says");
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

void ByteReader::copy(void* out, std::size_t size) { std::memcpy(out, raw(size).data(), size); }

}  // namespace slipway::serving
