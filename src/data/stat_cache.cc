// SPDX-License-Identifier: Apache-2.0
#include "data/stat_cache.h"

#include <charconv>
#include <string_view>
#include <time.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::data {
namespace {

constexpr std::string_view kHeader = "slipway stat cache 1\n";

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Takes the number up to the next blank off the front.
template <typename T>
bool take_number(std::string_view& line, T& out) {
  const auto [end, fault] = std::from_chars(line.data(), line.data() + line.size(), out);
  if (fault != std::errc() || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

}  // namespace

std::int64_t file_clock_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return nanoseconds(now);
}

StatCache::StatCache(std::filesystem::path file) : file_(std::move(file)) { load(); }

StatCache::Record StatCache::describe(const struct stat& status, HashKind kind) {
  Record record;
  record.size = status.st_size;
  record.mtime_ns = nanoseconds(status.st_mtim);
  record.ctime_ns = nanoseconds(status.st_ctim);
  record.inode = status.st_ino;
  record.device = status.st_dev;
  record.kind = kind;
  return record;
}

// Records end with NUL, since names may hold line breaks: "size mtime ctime inode device hashed_at
// kind md5 path\0".
void StatCache::load() {
  std::optional<std::string> text;
  try {
    text = read_file_if_exists(file_);
  } catch (const Error&) {
    return;  // not readable: as if it were not there
  }
  if (!text || !text->starts_with(kHeader)) return;
  std::string_view rest = std::string_view{*text}.substr(kHeader.size());
  while (!rest.empty()) {
    const std::size_t end = rest.find('\0');
    if (end == std::string_view::npos) return;
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    Record record;
    int kind = 0;
    const bool whole = take_number(line, record.size) && take_number(line, record.mtime_ns) &&
                       take_number(line, record.ctime_ns) && take_number(line, record.inode) &&
                       take_number(line, record.device) && take_number(line, record.hashed_at_ns) &&
                       take_number(line, kind);
    if (!whole || line.size() < 34 || line[32] != ' ') return;
    record.kind = kind == 0 ? HashKind::kMd5 : HashKind::kMd5Dos2Unix;
    record.md5 = line.substr(0, 32);
    records_[std::string(line.substr(33))] = std::move(record);
  }
}

std::optional<std::string> StatCache::find(const std::string& path, const struct stat& status,
                                           HashKind kind) const {
  const auto found = records_.find(path);
  if (found == records_.end()) return std::nullopt;
  const Record& known = found->second;
  const Record now = describe(status, kind);
  const bool same = known.size == now.size && known.mtime_ns == now.mtime_ns &&
                    known.ctime_ns == now.ctime_ns && known.inode == now.inode &&
                    known.device == now.device && known.kind == now.kind;
  const std::int64_t last_change = std::max(known.mtime_ns, known.ctime_ns);
  if (!same || last_change + kTimeGranularityNs >= known.hashed_at_ns) return std::nullopt;
  return known.md5;
}

void StatCache::remember(const std::string& path, const struct stat& status, HashKind kind,
                         const std::string& md5, std::int64_t hashed_at_ns) {
  if (records_.size() >= kRecordsMax) records_.clear();
  Record record = describe(status, kind);
  record.hashed_at_ns = hashed_at_ns;
  record.md5 = md5;
  records_[path] = std::move(record);
  changed_ = true;
}

void StatCache::save() {
  if (!changed_) return;
  std::string text(kHeader);
  for (const auto& [path, record] : records_) {
    for (const std::int64_t number : {record.size, record.mtime_ns, record.ctime_ns})
      text += std::to_string(number) + ' ';
    text += std::to_string(record.inode) + ' ' + std::to_string(record.device) + ' ' +
            std::to_string(record.hashed_at_ns) + ' ';
    text += record.kind == HashKind::kMd5 ? "0 " : "1 ";
    text += record.md5 + ' ' + path;
    text += '\0';
  }
  try {
    std::error_code fault;
    std::filesystem::create_directories(file_.parent_path(), fault);
    write_file_atomic(file_, text);
    changed_ = false;
  } catch (const Error&) {
    // A full or read-only disk: hashing again next time is the whole harm.
  }
}

}  // namespace slipway::data
