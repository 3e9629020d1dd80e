// SPDX-License-Identifier: Apache-2.0
#include "tracking/metric_chunk.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/id.h"

namespace slipway::tracking {
namespace {

constexpr char kFormatFirst = 1;  // as 2, with another checksum
constexpr char kFormat = 2;
constexpr std::size_t kChecksumBytes = 4;
constexpr int kLeadingMax = 31;  // five bits

double comparable(double value) { return std::isnan(value) ? 0 : value; }

bool value_less(double a, double b) {
  const double left = comparable(a);
  const double right = comparable(b);
  if (left != right) return left < right;
  return !std::isnan(a) && std::isnan(b);
}

[[noreturn]] void damaged(const char* what) {
  throw Error(Code::kDataLoss, std::string("metric chunk is damaged: ") + what);
}

constexpr bool kSwapped = std::endian::native == std::endian::big;

std::uint64_t big_endian(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, 8);
  return kSwapped ? word : __builtin_bswap64(word);
}

std::uint64_t mixed(std::uint64_t state, std::uint64_t word) {
  state = (state ^ word) * 0x9fb21c651e98df25ULL;
  return state ^ (state >> 32);
}

// Word by word: a hash that goes byte by byte takes longer than all the rest of reading a chunk.
std::uint32_t checksum(char format, std::string_view bytes) {
  if (format == kFormatFirst) return static_cast<std::uint32_t>(stable_hash64(0, bytes));
  std::uint64_t state = bytes.size();
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    state = mixed(state, kSwapped ? __builtin_bswap64(word) : word);
  }
  std::uint64_t last = 0;
  for (std::size_t k = 0; i + k < bytes.size(); ++k)
    last |= std::uint64_t{static_cast<std::uint8_t>(bytes[i + k])} << (8 * k);
  return static_cast<std::uint32_t>(mixed(mixed(state, last), 0));
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

// Eight bytes at a time, high bit first.
class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  // REQUIRES: value < 2^bits, 1 <= bits <= 64
  void put(std::uint64_t value, int bits) {
    if (bits > free_) {
      const int rest = bits - free_;
      if (free_ > 0) word_ |= value >> rest;
      write_bytes(8);
      value = rest == 64 ? value : value & ((std::uint64_t{1} << rest) - 1);
      bits = rest;
    }
    free_ -= bits;
    word_ |= value << free_;
  }
  void flush() { write_bytes((64 - free_ + 7) / 8); }

 private:
  void write_bytes(int count) {
    const std::uint64_t word = kSwapped ? word_ : __builtin_bswap64(word_);
    char bytes[8];
    std::memcpy(bytes, &word, 8);
    out_.append(bytes, static_cast<std::size_t>(count));
    word_ = 0;
    free_ = 64;
  }

  std::string& out_;
  std::uint64_t word_ = 0;  // filled from the top
  int free_ = 64;
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  // 1 <= bits <= 64
  std::uint64_t get(int bits) {
    if (bits > kAtOnceMax) {
      const std::uint64_t high = get(bits - 32);
      return high << 32 | get(32);
    }
    if (bits > have_) fill(bits);
    const std::uint64_t value = word_ >> (64 - bits);
    word_ <<= bits;
    have_ -= bits;
    return value;
  }
  bool at_end() const { return position_ == bytes_.size() && have_ < 8; }

 private:
  static constexpr int kAtOnceMax = 56;

  void fill(int wanted) {
    if (bytes_.size() - position_ >= 8) {
      const std::uint64_t next = big_endian(bytes_.data() + position_);
      // Bits of a byte that does not fit whole are read again with it: the same bits in the same
      // places.
      word_ |= next >> have_;
      const int whole = (64 - have_) / 8;
      position_ += static_cast<std::size_t>(whole);
      have_ += whole * 8;
      return;
    }
    while (have_ <= kAtOnceMax && position_ < bytes_.size()) {
      word_ |= std::uint64_t{static_cast<std::uint8_t>(bytes_[position_++])} << (56 - have_);
      have_ += 8;
    }
    if (have_ < wanted) damaged("it ends early");
  }

  std::string_view bytes_;
  std::size_t position_ = 0;
  std::uint64_t word_ = 0;  // the next bits, from the top
  int have_ = 0;
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
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  if (a.step != b.step) return a.step < b.step;
  return value_less(a.value, b.value);
}

bool same_point(const Point& a, const Point& b) {
  return a.time_ms == b.time_ms && a.step == b.step && !value_less(a.value, b.value) &&
         !value_less(b.value, a.value);
}

bool step_less(const Point& a, const Point& b) {
  if (a.step != b.step) return a.step < b.step;
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  return value_less(a.value, b.value);
}

bool latest_less(const Point& a, const Point& b) {
  if (a.step != b.step) return a.step < b.step;
  if (a.time_ms != b.time_ms) return a.time_ms < b.time_ms;
  return comparable(a.value) < comparable(b.value);
}

void sort_history(std::vector<Point>& points) {
  if (!std::is_sorted(points.begin(), points.end(), history_less))
    std::stable_sort(points.begin(), points.end(), history_less);
  points.erase(std::unique(points.begin(), points.end(), same_point), points.end());
}

double clamp_metric_value(double value) {
  if (!std::isinf(value)) return value;
  return value > 0 ? std::numeric_limits<double>::max() : std::numeric_limits<double>::lowest();
}

std::string encode_chunk(std::span<const Point> points) {
  assert(!points.empty() && points.size() <= kChunkPointsMax);
  std::string out;
  out.reserve(40 + points.size() * 9);
  out.push_back(kFormat);
  put_varint(out, points.size());
  put_column(out, points, &Point::time_ms);
  put_column(out, points, &Point::step);
  put_values(out, points);
  const std::uint32_t sum = checksum(kFormat, out);
  for (int shift = 0; shift < 32; shift += 8)
    out.push_back(static_cast<char>((sum >> shift) & 0xFF));
  return out;
}

std::vector<Point> decode_chunk(std::string_view bytes) {
  std::vector<Point> points;
  decode_chunk(bytes, points);
  return points;
}

void decode_chunk(std::string_view bytes, std::vector<Point>& points) {
  if (bytes.size() <= kChecksumBytes) damaged("it is too short");
  const std::string_view body = bytes.substr(0, bytes.size() - kChecksumBytes);
  std::uint32_t stored = 0;
  for (std::size_t i = 0; i < kChecksumBytes; ++i) {
    stored |= std::uint32_t{static_cast<std::uint8_t>(bytes[body.size() + i])} << (8 * i);
  }
  const char format = body.front();
  if (checksum(format, body) != stored) damaged("its checksum differs");
  ByteReader in(body.substr(1));
  if (format != kFormat && format != kFormatFirst)
    damaged("its format is not known to this version");
  const std::uint64_t count = in.varint();
  if (count == 0 || count > kChunkPointsMax) damaged("its length is impossible");
  points.resize(count);
  read_column(in, points, &Point::time_ms);
  read_column(in, points, &Point::step);
  read_values(in.rest(), points);
}

}  // namespace slipway::tracking
