// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace slipway::serving {

// Fixed-width little-endian numbers and texts with their length, as the prediction log's records
// hold them.
class ByteWriter {
 public:
  template <typename T>
  void put(T value) {
    static_assert(std::is_integral_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);  // NOLINT
  }
  void put_text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  void put_raw(std::string_view bytes) { out_ += bytes; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reads them back. Throws kDataLoss when the bytes end too early.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <typename T>
  T get() {
    static_assert(std::is_integral_v<T>);
    T value;
    copy(&value, sizeof value);
    return value;
  }
  std::string_view text() { return raw(get<std::uint32_t>()); }
  std::string_view raw(std::uint64_t size);
  std::size_t left() const { return rest_.size(); }

 private:
  void copy(void* out, std::size_t size);

  std::string_view rest_;
};

}  // namespace slipway::serving
