// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_chunk.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <limits>
#include <tuple>

#include "base/error.h"
#include "base/id.h"

namespace slipway::tracking {
namespace {

constexpr char kFormatVersion = 1;
constexpr std::size_t kChecksumBytes = 4;
constexpr int kLeadingMax = 31;  // five bits

double comparable(double value) { return std::isnan(value) ? 0 : value; }

[[noreturn]] void damaged(const char* what) {
  throw Error(Code::kDataLoss, std::string("metric chunk is damaged: ") + what);
}

std::uint32_t checksum(std::string_view bytes) {
  return static_cast<std::uint32_t>(stable_hash64(0, bytes));
}

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::uint64_t zigzag(std::uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }
std::uint64_t unzigzag(std::uint64_t value) { return (value >> 1) ^ (0 - (value & 1)); }

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint8_t byte() {
    if (position_ == bytes_.size()) damaged("it ends early");
    return static_cast<std::uint8_t>(bytes_[position_++]);
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7FU} << shift;
      if (next < 0x80) return value;
    }
    damaged("a number is too long");
  }
  std::string_view rest() const { return bytes_.substr(position_); }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

// First value, then changes of the difference. A change of 0 is followed by how many more zeros
// come, as regular steps and times are nothing but these. Arithmetic wraps, so every int64 comes
// back.
void put_column(std::string& out, std::span<const Point> points, std::int64_t Point::*column) {
  std::uint64_t previous = 0;
  std::uint64_t difference = 0;
  std::size_t i = 0;
  while (i < points.size()) {
    const auto value = static_cast<std::uint64_t>(points[i].*column);
    const std::uint64_t change = value - previous - difference;
    put_varint(out, zigzag(change));
    previous = value;
    difference += change;
    ++i;
    if (change != 0) continue;
    std::uint64_t more = 0;
    while (i < points.size() &&
           static_cast<std::uint64_t>(points[i].*column) - previous == difference) {
      previous += difference;
      ++more;
      ++i;
    }
    put_varint(out, more);
  }
}

void read_column(ByteReader& in, std::vector<Point>& points, std::int64_t Point::*column) {
  std::uint64_t previous = 0;
  std::uint64_t difference = 0;
  std::uint64_t zeros = 0;
  for (Point& point : points) {
    if (zeros > 0) {
      --zeros;
    } else {
      const std::uint64_t change = unzigzag(in.varint());
      difference += change;
      if (change == 0) zeros = in.varint();
    }
    previous += difference;
    point.*column = static_cast<std::int64_t>(previous);
  }
  if (zeros != 0) damaged("a run is too long");
}

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  void put(std::uint64_t value, int bits) {
    while (bits > 0) {
      const int take = bits < free_ ? bits : free_;
      const std::uint64_t part = (value >> (bits - take)) & ((std::uint64_t{1} << take) - 1);
      current_ = static_cast<std::uint8_t>(current_ | (part << (free_ - take)));
      free_ -= take;
      bits -= take;
      if (free_ == 0) flush();
    }
  }
  void flush() {
    if (free_ == 8) return;
    out_.push_back(static_cast<char>(current_));
    current_ = 0;
    free_ = 8;
  }

 private:
  std::string& out_;
  std::uint8_t current_ = 0;
  int free_ = 8;
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t get(int bits) {
    std::uint64_t value = 0;
    while (bits > 0) {
      if (left_ == 0) {
        if (position_ == bytes_.size()) damaged("it ends early");
        current_ = static_cast<std::uint8_t>(bytes_[position_++]);
        left_ = 8;
      }
      const int take = bits < left_ ? bits : left_;
      value = (value << take) |
              (static_cast<unsigned>(current_ >> (left_ - take)) & ((1U << take) - 1U));
      left_ -= take;
      bits -= take;
    }
    return value;
  }
  bool at_end() const { return position_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
  std::uint8_t current_ = 0;
  int left_ = 0;
};

// Bits 0: as before. 10: differs within the last window. 11: five bits of leading zeros, six of
// length less one, the bits.
void put_values(std::string& out, std::span<const Point> points) {
  BitWriter bits(out);
  std::uint64_t previous = 0;
  int leading = -1;
  int length = 0;
  for (const Point& point : points) {
    const double value =
        std::isnan(point.value) ? std::numeric_limits<double>::quiet_NaN() : point.value;
    const auto pattern = std::bit_cast<std::uint64_t>(value);
    const std::uint64_t difference = pattern ^ previous;
    previous = pattern;
    if (difference == 0) {
      bits.put(0, 1);
      continue;
    }
    const int zeros = std::min(std::countl_zero(difference), kLeadingMax);
    const int tail = std::countr_zero(difference);
    if (leading >= 0 && zeros >= leading && tail >= 64 - leading - length) {
      bits.put(0b10, 2);
      bits.put(difference >> (64 - leading - length), length);
      continue;
    }
    leading = zeros;
    length = 64 - zeros - tail;
    bits.put(0b11, 2);
    bits.put(static_cast<std::uint64_t>(leading), 5);
    bits.put(static_cast<std::uint64_t>(length - 1), 6);
    bits.put(difference >> tail, length);
  }
  bits.flush();
}

void read_values(std::string_view bytes, std::vector<Point>& points) {
  BitReader bits(bytes);
  std::uint64_t previous = 0;
  int leading = -1;
  int length = 0;
  for (Point& point : points) {
    if (bits.get(1) == 1) {
      if (bits.get(1) == 1) {
        leading = static_cast<int>(bits.get(5));
        length = static_cast<int>(bits.get(6)) + 1;
        if (leading + length > 64) damaged("a value has too many bits");
      } else if (leading < 0) {
        damaged("a value has no window");
      }
      previous ^= bits.get(length) << (64 - leading - length);
    }
    point.value = std::bit_cast<double>(previous);
  }
  if (!bits.at_end()) damaged("bytes are left over");
}

}  // namespace

bool history_less(const Point& a, const Point& b) {
  return std::make_tuple(a.time_ms, a.step, comparable(a.value), std::isnan(a.value)) <
         std::make_tuple(b.time_ms, b.step, comparable(b.value), std::isnan(b.value));
}

bool same_point(const Point& a, const Point& b) {
  return !history_less(a, b) && !history_less(b, a);
}

bool step_less(const Point& a, const Point& b) {
  return std::make_tuple(a.step, a.time_ms, comparable(a.value), std::isnan(a.value)) <
         std::make_tuple(b.step, b.time_ms, comparable(b.value), std::isnan(b.value));
}

double clamp_metric_value(double value) {
  if (!std::isinf(value)) return value;
  return value > 0 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
}

std::string encode_chunk(std::span<const Point> points) {
  assert(!points.empty() && points.size() <= kChunkPointsMax);
  std::string out;
  out.reserve(16 + points.size() * 4);
  out.push_back(kFormatVersion);
  put_varint(out, points.size());
  put_column(out, points, &Point::time_ms);
  put_column(out, points, &Point::step);
  put_values(out, points);
  const std::uint32_t sum = checksum(out);
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>((sum >> shift) & 0xFF));
  return out;
}

std::vector<Point> decode_chunk(std::string_view bytes) {
  if (bytes.size() <= kChecksumBytes) damaged("it is too short");
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    stored |= std::uint32_t{static_cast<std::uint8_t>(bytes[body.size() + i])} << (8 * i);
  }
  if (checksum(body) != stored) damaged("its checksum differs");
  ByteReader in(body);
  if (in.byte() != kFormatVersion) damaged("its format is not known to this version");
  const std::uint64_t count = in.varint();
  if (count == 0 || count > kChunkPointsMax) damaged("its length is impossible");
  std::vector<Point> points(count);
  read_column(in, points, &Point::time_ms);
  read_column(in, points, &Point::step);
  read_values(in.rest(), points);
  return points;
}

}  // namespace slipway::tracking
