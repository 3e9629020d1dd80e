// SPDX-License-Identifier: Apache-2.0
#include "serving/log_frame.h"

#include <cstring>

#include "serving/crc32c.h"
#include "serving/prediction_log.h"

namespace slipway::serving {
namespace {

template <typename T>
T read_at(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <typename T>
void append_raw(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

bool plausible_size(std::uint32_t size) {
  return size > kFrameTailBytes && size <= PredictionLog::kRecordBytesMax;
}

bool is_whole(std::string_view bytes) {
  if (bytes.size() < kFrameHeadBytes) return false;
  const auto size = read_at<std::uint32_t>(bytes, 0);
  if (!plausible_size(size) || bytes.size() - kFrameHeadBytes < size) return false;
  return crc32c(bytes.substr(kFrameHeadBytes, size)) == read_at<std::uint32_t>(bytes, 4);
}

}  // namespace

std::optional<FrameKind> frame_kind(std::string_view body) {
  const auto kind = static_cast<std::uint8_t>(body.front());
  if (kind < 1 || kind > static_cast<std::uint8_t>(FrameKind::kClosed)) return std::nullopt;
  return static_cast<FrameKind>(kind);
}

void append_frame(std::string& out, std::string_view body, std::uint32_t body_crc,
                  std::int64_t position) {
  char tail[kFrameTailBytes];
  std::memcpy(tail, &position, sizeof position);
  append_raw(out, static_cast<std::uint32_t>(body.size() + kFrameTailBytes));
  append_raw(out, crc32c({tail, sizeof tail}, body_crc));
  out += body;
  out.append(tail, sizeof tail);
}

FrameFault read_frame(std::string_view bytes, Frame& frame) {
  if (bytes.size() < kFrameHeadBytes) return FrameFault::kShort;
  const auto size = read_at<std::uint32_t>(bytes, 0);
  if (!plausible_size(size)) return FrameFault::kLost;
  if (bytes.size() - kFrameHeadBytes < size) return FrameFault::kShort;
  frame.bytes = kFrameHeadBytes + size;
  if (is_whole(bytes)) {
    frame.body = bytes.substr(kFrameHeadBytes, size - kFrameTailBytes);
    frame.position = read_at<std::int64_t>(bytes, kFrameHeadBytes + size - kFrameTailBytes);
    const bool is_place = frame.position >= 0 && frame.position < kPositionMax;
    return is_place ? FrameFault::kNone : FrameFault::kDamaged;
  }
  return is_whole(bytes.substr(frame.bytes)) ? FrameFault::kDamaged : FrameFault::kLost;
}

}  // namespace slipway::serving
