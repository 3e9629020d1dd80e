// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace slipway::tracing {

// Reads one protobuf message field by field, without a description of it: what OTLP needs, and no
// library at start-up. Fields that nobody asks for are skipped, as protobuf does with those it does
// not know. Whatever is wrong throws kInvalidArgument "not a protobuf message: …".
//   source  protobuf.dev/programming-guides/encoding
class ProtobufReader {
 public:
  enum class Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  explicit ProtobufReader(std::string_view message) : rest_(message) {}

  // On to the next field; false at the end. A field of a group (an older wire type) is skipped.
  bool next();

  // Of the current field. A field of another wire type than asked for is unknown in protobuf: ask
  // is() first.
  std::uint32_t number() const { return number_; }
  bool is(std::uint32_t number, Wire wire) const { return number_ == number && wire_ == wire; }
  std::uint64_t integer() const { return integer_; }  // of kVarint, kFixed64, kFixed32
  double real() const;                                // of kFixed64
  std::string_view bytes() const { return bytes_; }   // of kBytes; in the message
  // The same, checked to be UTF-8.
  std::string_view text() const;

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t count);
  std::uint64_t fixed(std::size_t count);
  void skip_group(int depth);

  std::string_view rest_;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::kVarint;
  std::uint64_t integer_ = 0;
  std::string_view bytes_;
};

}  // namespace slipway::tracing
