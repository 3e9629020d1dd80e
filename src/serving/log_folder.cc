// SPDX-License-Identifier: Apache-2.0
#include "serving/log_folder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "serving/crc32c.h"

namespace slipway::serving {
namespace {

constexpr std::string_view kFirstLine = "slipway prediction log 1";
constexpr const char* kSuffix = ".segment";

std::string text_of_log(std::uint32_t writer) {
  char line[32];
  std::snprintf(line, sizeof line, "writer %08x", writer);
  std::string text(kFirstLine);
  for (const std::string_view part :
       {std::string_view("\n"), std::string_view(line), std::string_view("\n")})
    text += part;
  return text;
}

}  // namespace

LogFolder::LogFolder(const std::filesystem::path& folder, std::uint32_t writer) : folder_(folder) {
  std::error_code fault;
  std::filesystem::create_directories(folder, fault);
  if (fault) throw errno_error(fault.value(), "cannot make `" + folder.string() + "`");
  const std::filesystem::path path = folder / "LOG";
  const std::string wanted = text_of_log(writer);
  if (!std::filesystem::exists(path)) write_file_atomic(path, wanted, true);
  lock_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock_) throw errno_error(errno, "cannot open `" + path.string() + "`");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error(Code::kUnavailable,
                "the prediction log in `" + folder.string() + "` is open in another process");
  }
  const std::string found = read_file(path, 4'096);
  if (found == wanted) return;
  if (!found.starts_with(kFirstLine) || found.size() <= kFirstLine.size() ||
      found[kFirstLine.size()] != '\n') {
    throw Error(Code::kFailedPrecondition, "the prediction log in `" + folder.string() +
                                               "` was written by a newer program; update this one");
  }
  throw Error(Code::kFailedPrecondition,
              "the prediction log in `" + folder.string() +
                  "` belongs to another writer: " + found.substr(kFirstLine.size() + 1, 15));
}

std::vector<std::shared_ptr<Segment>> LogFolder::open_segments() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() == kSuffix) paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::shared_ptr<Segment>> segments;
  for (const std::filesystem::path& path : paths) {
    try {
      segments.push_back(Segment::open(path));
    } catch (const Error& error) {
      if (error.code() != Code::kDataLoss) throw;
      // Its records were never acknowledged as durable if it never got past its head.
      const bool unborn = path == paths.back() && std::filesystem::file_size(path) < 4'096;
      log::error(
          "prediction log: a segment cannot be read",
          {{"file", path.string()}, {"reason", error.what()}, {"removed", unborn ? "yes" : "no"}});
      if (unborn) std::filesystem::remove(path);
    }
  }
  return segments;
}

LogFolder::NewSegment LogFolder::make_segment(const Snapshot& snapshot) const {
  char name[40];
  std::snprintf(name, sizeof name, "%020lld%s", static_cast<long long>(snapshot.first_position),
                kSuffix);
  NewSegment made{folder_ / name, {}, std::string(kSegmentMagic)};
  const std::string body = snapshot_body(snapshot);
  append_frame(made.head, body, crc32c(body), snapshot.first_position);
  made.fd.reset(
      ::open(made.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644));
  if (!made.fd) throw errno_error(errno, "cannot make `" + made.path.string() + "`");
  return made;
}

std::map<std::string, std::int64_t> LogFolder::read_retained() const {
  std::map<std::string, std::int64_t> retained;
  std::istringstream lines(read_file_if_exists(folder_ / "RETAIN").value_or(""));
  std::string line;
  while (std::getline(lines, line)) {
    const std::size_t blank = line.find(' ');
    std::int64_t position = 0;
    if (blank == std::string::npos) continue;
    std::from_chars(line.data(), line.data() + blank, position);
    retained[line.substr(blank + 1)] = position;
  }
  return retained;
}

void LogFolder::write_retained(const std::map<std::string, std::int64_t>& retained) const {
  std::string text;
  for (const auto& [holder, position] : retained)
    text += std::to_string(position) + " " + holder + "\n";
  write_file_atomic(folder_ / "RETAIN", text, true);
}

void LogFolder::sync_folder() const {
  const Fd folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0)
    throw errno_error(errno, "cannot sync `" + folder_.string() + "`");
}

Recovered recover(Segment& newest, std::int64_t seq_skip) {
  Recovered found;
  found.totals = newest.snapshot().before;
  found.next_position = newest.first_position() + 1;
  std::int64_t closed = 0;
  const std::uint64_t size = newest.bytes();
  const WalkEnd end = walk_frames(
      newest.fd(), newest.first_frame_offset(), size, [&](const Frame& frame, std::uint64_t) {
        apply_body(found.totals, frame.body);
        found.next_position = frame.position + 1;
        closed = frame_kind(frame.body) == FrameKind::kClosed ? next_seq_of_closed(frame.body) : 0;
        return true;
      });
  found.damaged = end.damaged;
  found.torn_bytes = size - end.offset;
  if (found.torn_bytes > 0) {
    if (::ftruncate(newest.fd(), static_cast<off_t>(end.offset)) != 0)
      throw errno_error(errno, "cannot cut `" + newest.path().string() + "`");
    newest.set_bytes(end.offset);
  }
  found.next_seq = closed > 0 ? closed : found.totals.max_seq + seq_skip;
  return found;
}

}  // namespace slipway::serving
