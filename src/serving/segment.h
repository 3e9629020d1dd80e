// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "serving/log_frame.h"
#include "serving/log_totals.h"

namespace slipway::serving {

// How far a walk over frames came.
struct WalkEnd {
  std::uint64_t offset = 0;              // behind the last whole frame
  FrameFault fault = FrameFault::kNone;  // why it ended before `to`: kShort or kLost
  std::int64_t damaged = 0;              // frames with a wrong checksum that were stepped over
};

// Visits the frames of a file between two offsets, in order, until `visit` returns false. In
// memory: a chunk, or the largest frame. Throws errno_error.
WalkEnd walk_frames(int fd, std::uint64_t from, std::uint64_t to,
                    const std::function<bool(const Frame&, std::uint64_t offset)>& visit);

// One file of the prediction log, as readers see it. Thread-safe.
class Segment {
 public:
  // Opens an existing file and reads its snapshot. Throws errno_error, kDataLoss when there is
  // none, kFailedPrecondition.
  static std::shared_ptr<Segment> open(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return path_; }
  const Snapshot& snapshot() const { return snapshot_; }
  std::int64_t first_position() const { return snapshot_.first_position; }
  int fd() const { return fd_.get(); }
  std::uint64_t first_frame_offset() const { return first_frame_offset_; }  // behind the snapshot

  std::uint64_t bytes() const;
  void set_bytes(std::uint64_t bytes);  // as far as it is synced: readers stop there

  // Frames with position >= from (seq: those that may hold that number), in order.
  void visit_from(std::int64_t from, const std::function<bool(const Frame&)>& visit);
  void visit_seq(std::int64_t seq, const std::function<bool(const Frame&)>& visit);

 private:
  Segment() = default;

  // Some hundred frames: what a look-up reads at once.
  struct Block {
    std::uint64_t offset = 0;
    std::uint64_t end = 0;
    std::int64_t first_position = 0;
    std::int64_t last_position = 0;
    std::int64_t frames = 0;
    std::int64_t min_seq = INT64_MAX;
    std::int64_t max_seq = INT64_MIN;
  };
  static constexpr std::int64_t kBlockFrames = 256;

  void extend_index() REQUIRES_LOCK(mutex_);
  std::vector<Block> blocks();

  std::filesystem::path path_;
  Fd fd_;
  Snapshot snapshot_;
  std::uint64_t first_frame_offset_ = 0;
  mutable Mutex mutex_;
  std::uint64_t bytes_ GUARDED_BY(mutex_) = 0;
  std::uint64_t indexed_ GUARDED_BY(mutex_) = 0;
  std::vector<Block> blocks_ GUARDED_BY(mutex_);
};

}  // namespace slipway::serving
