// SPDX-License-Identifier: Apache-2.0
#include "tracing/protobuf_reader.h"

#include <bit>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace slipway::tracing {
namespace {

constexpr int kVarintBytesMax = 10;
constexpr int kGroupDepthMax = 100;
constexpr std::uint32_t kStartGroup = 3;
constexpr std::uint32_t kEndGroup = 4;

[[noreturn]] void refuse(const char* why) {
  throw Error(Code::kInvalidArgument, std::string("not a protobuf message: ") + why);
}

}  // namespace

std::uint64_t ProtobufReader::varint() {
  std::uint64_t value = 0;
  for (int i = 0; i < kVarintBytesMax; ++i) {
    if (rest_.empty()) refuse("it ends within a number");
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80) return value;
  }
  refuse("a number has more than ten bytes");
}

std::string_view ProtobufReader::take(std::uint64_t count) {
  if (count > rest_.size()) refuse("a field is longer than what is there");
  const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
  rest_.remove_prefix(taken.size());
  return taken;
}

std::uint64_t ProtobufReader::fixed(std::size_t count) {
  const std::string_view taken = take(count);
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = (value << 8) | static_cast<unsigned char>(taken[i]);
  return value;
}

void ProtobufReader::skip_group(int depth) {
  if (depth > kGroupDepthMax) refuse("nested too deeply");
  for (;;) {
    const std::uint64_t tag = varint();
    switch (tag & 7U) {
      case 0: varint(); break;
      case 1: take(8); break;
      case 2: take(varint()); break;
      case kStartGroup: skip_group(depth + 1); break;
      case kEndGroup: return;
      case 5: take(4); break;
      default: refuse("an unknown wire type");
    }
  }
}

bool ProtobufReader::next() {
  while (!rest_.empty()) {
    const std::uint64_t tag = varint();
    if (tag > std::numeric_limits<std::uint32_t>::max() || tag < 8)
      refuse("a field has a number that none may have");
    number_ = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7U) {
      case 0:
        wire_ = Wire::kVarint;
        integer_ = varint();
        return true;
      case 1:
        wire_ = Wire::kFixed64;
        integer_ = fixed(8);
        return true;
      case 2:
        wire_ = Wire::kBytes;
        bytes_ = take(varint());
        return true;
      case kStartGroup: skip_group(0); continue;
      case 5:
        wire_ = Wire::kFixed32;
        integer_ = fixed(4);
        return true;
      default: refuse("an unknown wire type");
    }
  }
  return false;
}

double ProtobufReader::real() const { return std::bit_cast<double>(integer_); }

std::string_view ProtobufReader::text() const {
  if (!is_utf8(bytes_)) refuse("a text is not UTF-8");
  return bytes_;
}

}  // namespace slipway::tracing
