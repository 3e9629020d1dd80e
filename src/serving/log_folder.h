// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "serving/segment.h"

namespace slipway::serving {

// The files of a prediction log: LOG (format and writer; locked while open), RETAIN (who needs
// what), NNN.segment by first position.
class LogFolder {
 public:
  // Makes the folder if missing. Throws kUnavailable when another process has it open,
  // kFailedPrecondition for a newer format or another writer than the one it was made with,
  // errno_error.
  LogFolder(const std::filesystem::path& folder, std::uint32_t writer);

  // All segments there are, oldest first, opened. One whose start is damaged is left out and
  // logged, unless it is the newest and holds nothing (a crash while it was made): then the file is
  // removed.
  std::vector<std::shared_ptr<Segment>> open_segments();

  // Makes the file of a new segment: magic and snapshot, not yet synced. Returns its descriptor for
  // writing.
  struct NewSegment {
    std::filesystem::path path;
    Fd fd;
    std::string head;  // to be written first
  };
  NewSegment make_segment(const Snapshot& snapshot) const;

  std::map<std::string, std::int64_t> read_retained() const;
  void write_retained(const std::map<std::string, std::int64_t>& retained) const;

  void sync_folder() const;

 private:
  const std::filesystem::path folder_;
  Fd lock_;
};

// Recovery of the newest segment: what its records add up to, and where appending goes on. Cuts off
// a torn tail.
struct Recovered {
  LogTotals totals;
  std::int64_t next_position = 0;
  std::int64_t next_seq = 0;
  std::int64_t damaged = 0;      // records with a wrong checksum, stepped over
  std::uint64_t torn_bytes = 0;  // cut off
};
Recovered recover(Segment& newest, std::int64_t seq_skip);

}  // namespace slipway::serving
