// SPDX-License-Identifier: Apache-2.0
// A segment of the prediction log after whatever happened to its disk. Inputs that begin with 'f'
// are bodies of frames, each with a length before it, whose checksums are made right here: so that
// what stands behind the checksum is reached too.
#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

#include "fuzz.h"
#include "serving/crc32c.h"
#include "serving/log_folder.h"
#include "serving/log_frame.h"
#include "serving/log_totals.h"
#include "serving/prediction_record.h"
#include "serving/segment.h"

namespace slipway {
namespace {

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kPositionBytes = 8;

std::string segment_of_bodies(std::string_view text) {
  std::string out(serving::kSegmentMagic);
  while (text.size() >= kLengthBytes + kPositionBytes) {
    std::uint16_t length = 0;
    std::int64_t position = 0;
    std::memcpy(&length, text.data(), sizeof length);
    std::memcpy(&position, text.data() + kLengthBytes, sizeof position);
    text.remove_prefix(kLengthBytes + kPositionBytes);
    const std::string_view body = text.substr(0, length);
    text.remove_prefix(body.size());
    serving::append_frame(out, body, serving::crc32c(body), position);
  }
  return out;
}

void check_frame(const serving::Frame& frame) {
  const auto kind = serving::frame_kind(frame.body);
  if (kind != serving::FrameKind::kPrediction) return;
  serving::PredictionRecord record;
  if (!fuzz::accepts([&] { record = serving::decode_prediction(frame.body); })) return;
  serving::PredictionRecord again;
  fuzz::require(fuzz::accepts([&] { again = serving::decode_prediction(serving::encode(record)); }),
                "a record that is written can be read");
  again.position = record.position;
  fuzz::require(again == record, "and is the same");
}

void read_segment(const std::filesystem::path& path) {
  (void)fuzz::accepts([&] {
    const auto segment = serving::Segment::open(path);
    (void)serving::snapshot_body(segment->snapshot());
    std::int64_t frames = 0;
    segment->visit_from(0, [&](const serving::Frame& frame) {
      check_frame(frame);
      ++frames;
      return true;
    });
    segment->visit_seq(1, [](const serving::Frame&) { return true; });
    const serving::Recovered first = serving::recover(*segment, 1'000);
    const auto reopened = serving::Segment::open(path);
    const serving::Recovered second = serving::recover(*reopened, 1'000);
    fuzz::require(second.torn_bytes == 0, "after recovery nothing is torn");
    fuzz::require(second.totals == first.totals && second.next_position == first.next_position &&
                      second.next_seq == first.next_seq,
                  "recovery does not depend on how often");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::filesystem::path path =
      std::filesystem::path("/dev/shm") /
      ("slipway-fuzz-" + std::to_string(::getpid()) + ".segment");
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  const std::string bytes = data[0] == 'f' ? segment_of_bodies(text) : std::string(text);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  fuzz::require(
      fd >= 0 && ::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()),
      "the segment's file can be written");
  (void)::close(fd);
  read_segment(path);
  (void)::unlink(path.c_str());
  (void)fuzz::accepts([&] { (void)serving::decode_snapshot(text); });
  (void)fuzz::accepts([&] { (void)serving::decode_totals(text); });
  (void)serving::parse_prediction_row(text);
  return 0;
}

}  // namespace slipway
