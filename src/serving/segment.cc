// SPDX-License-Identifier: Apache-2.0
#include "serving/segment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

namespace slipway::serving {
namespace {

constexpr std::size_t kChunkBytes = 1U << 20;

// Reads at most `size` bytes at `offset`; less only at the end of the file.
std::size_t read_at(int fd, char* out, std::size_t size, std::uint64_t offset) {
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd, out + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0) {
      if (errno == EINTR) continue;
      throw errno_error(errno, "cannot read the prediction log");
    }
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

std::int64_t seq_of(const Frame& frame) {
  return frame_kind(frame.body) == FrameKind::kPrediction
             ? decode_prediction(frame.body, false).id.seq
             : 0;
}

}  // namespace

WalkEnd walk_frames(int fd, std::uint64_t from, std::uint64_t to,
                    const std::function<bool(const Frame&, std::uint64_t offset)>& visit) {
  WalkEnd end{from, FrameFault::kNone, 0};
  std::string chunk;
  std::size_t wanted = kChunkBytes;
  while (end.offset < to) {
    chunk.resize(std::min<std::uint64_t>(wanted, to - end.offset));
    chunk.resize(read_at(fd, chunk.data(), chunk.size(), end.offset));
    const bool all = chunk.size() < wanted || end.offset + chunk.size() >= to;
    std::string_view rest(chunk);
    while (!rest.empty()) {
      Frame frame;
      FrameFault fault = read_frame(rest, frame);
      // A frame at the end of a chunk is judged with what follows it.
      if ((fault == FrameFault::kShort || fault == FrameFault::kLost) && !all) break;
      if (fault == FrameFault::kShort || fault == FrameFault::kLost) {
        end.fault = fault;
        return end;
      }
      if (fault == FrameFault::kDamaged)
        ++end.damaged;
      else if (!visit(frame, end.offset))
        return end;
      end.offset += frame.bytes;
      rest.remove_prefix(frame.bytes);
    }
    if (rest.empty()) {
      wanted = kChunkBytes;
      continue;
    }
    if (rest.size() == chunk.size()) {
      // Nothing could be taken: the frame and its successor's head are longer than the chunk.
      wanted *= 2;
    } else {
      wanted = kChunkBytes;
    }
  }
  return end;
}

std::shared_ptr<Segment> Segment::open(const std::filesystem::path& path) {
  std::shared_ptr<Segment> segment(new Segment());
  segment->path_ = path;
  segment->fd_.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!segment->fd_) throw errno_error(errno, "cannot open `" + path.string() + "`");
  struct stat facts {};
  if (::fstat(segment->fd(), &facts) != 0)
    throw errno_error(errno, "cannot read `" + path.string() + "`");
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  std::string magic(kSegmentMagic.size(), '\0');
  magic.resize(read_at(segment->fd(), magic.data(), magic.size(), 0));
  bool found = false;
  if (magic == kSegmentMagic) {
    walk_frames(segment->fd(), kSegmentMagic.size(), size,
                [&](const Frame& frame, std::uint64_t offset) {
                  if (offset != kSegmentMagic.size()) return false;
                  segment->snapshot_ = decode_snapshot(frame.body);
                  segment->first_frame_offset_ = offset + frame.bytes;
                  found = true;
                  return false;
                });
  }
  if (!found)
    throw Error(
        Code::kDataLoss,
        "`" + path.string() + "` is not a segment of the prediction log, or its start is damaged");
  const MutexLock lock(segment->mutex_);
  segment->bytes_ = size;
  segment->indexed_ = segment->first_frame_offset_;
  return segment;
}

std::uint64_t Segment::bytes() const {
  const MutexLock lock(mutex_);
  return bytes_;
}

void Segment::set_bytes(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  bytes_ = bytes;
}

void Segment::extend_index() {
  if (indexed_ >= bytes_) return;
  const WalkEnd end = walk_frames(
      fd(), indexed_, bytes_, [&](const Frame& frame, std::uint64_t offset) REQUIRES_LOCK(mutex_) {
        if (blocks_.empty() || blocks_.back().frames >= kBlockFrames) {
          blocks_.push_back({});
          blocks_.back().offset = offset;
          blocks_.back().first_position = frame.position;
        }
        Block& block = blocks_.back();
        block.end = offset + frame.bytes;
        block.last_position = frame.position;
        ++block.frames;
        const std::int64_t seq = seq_of(frame);
        if (seq > 0) {
          block.min_seq = std::min(block.min_seq, seq);
          block.max_seq = std::max(block.max_seq, seq);
        }
        return true;
      });
  // What cannot be read behind a lost frame is not tried again.
  indexed_ = end.fault == FrameFault::kLost ? bytes_ : end.offset;
}

std::vector<Segment::Block> Segment::blocks() {
  const MutexLock lock(mutex_);
  extend_index();
  return blocks_;
}

void Segment::visit_from(std::int64_t from, const std::function<bool(const Frame&)>& visit) {
  const std::vector<Block> all = blocks();
  auto block = std::lower_bound(
      all.begin(), all.end(), from,
      [](const Block& b, std::int64_t position) { return b.last_position < position; });
  bool more = true;
  for (; more && block != all.end(); ++block) {
    walk_frames(fd(), block->offset, block->end, [&](const Frame& frame, std::uint64_t) {
      if (frame.position < from) return true;
      more = visit(frame);
      return more;
    });
  }
}

void Segment::visit_seq(std::int64_t seq, const std::function<bool(const Frame&)>& visit) {
  bool more = true;
  for (const Block& block : blocks()) {
    if (seq < block.min_seq || seq > block.max_seq) continue;
    walk_frames(fd(), block.offset, block.end, [&](const Frame& frame, std::uint64_t) {
      if (seq_of(frame) != seq) return true;
      more = visit(frame);
      return more;
    });
    if (!more) return;
  }
}

}  // namespace slipway::serving
