// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace slipway::serving {

// How bytes stand in a segment of the prediction log (docs/formats/prediction-log.md): the magic,
// then frames, each
//   u32 size of body and position · u32 CRC-32C of them · body · i64 position
// The position comes last so that the checksum of a large body is taken before its place is known.
// Little-endian.
inline constexpr std::string_view kSegmentMagic = "SLIPLOG1";
inline constexpr std::size_t kFrameHeadBytes = 8;
inline constexpr std::size_t kFrameTailBytes = 8;

// The first byte of a body. Stored: never change one.
enum class FrameKind : std::uint8_t {
  kSnapshot = 1,  // first frame of a segment: what all before it adds up to
  kPrediction = 2,
  kWatermark = 3,  // moved without a request
  kLost = 4,       // counters of requests whose records the disk did not take
  kClosed = 5,     // a clean end
};

// Above every record: a thousand a microsecond for two hundred years.
inline constexpr std::int64_t kPositionMax = std::int64_t{1} << 62;

struct Frame {
  std::string_view body;
  std::int64_t position = 0;  // 0 to kPositionMax - 1; a frame that says otherwise is damaged
  std::size_t bytes = 0;      // of the whole frame
};

// The kind of a body; nullopt for one that a newer program wrote.
std::optional<FrameKind> frame_kind(std::string_view body);

// Appends the frame of a body whose checksum is known already (crc32c of the body alone).
void append_frame(std::string& out, std::string_view body, std::uint32_t body_crc,
                  std::int64_t position);

enum class FrameFault {
  kNone,
  kShort,    // the bytes end within the frame
  kDamaged,  // its checksum is wrong, but another whole frame, or the end, follows where it says
  kLost,     // its size cannot be right: nothing behind it can be found
};

// The frame at the start of `bytes`. Under kDamaged `frame.bytes` says where the next one starts,
// under kShort and kLost nothing holds.
FrameFault read_frame(std::string_view bytes, Frame& frame);

}  // namespace slipway::serving
