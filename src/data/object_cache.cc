// SPDX-License-Identifier: Apache-2.0
#include "data/object_cache.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"
#include "base/text.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kObjectMode = 0444;
constexpr std::size_t kCopyBytes = std::size_t{1} << 20;

// A name that DVC's own clean-up knows: ".<random>.tmp".
fs::path temporary_in(const fs::path& folder) {
  return folder / ("." + random_hex32().substr(0, 22) + ".tmp");
}

mode_t default_mode() {
  static const mode_t mask = [] {
    const mode_t current = ::umask(0);
    ::umask(current);
    return current;
  }();
  return 0666 & ~mask;
}

bool means_other_link_type(int error_number) {
  return error_number == EPERM || error_number == ENOTSUP || error_number == EXDEV ||
         error_number == ENOTTY || error_number == ENOSYS || error_number == EINVAL ||
         error_number == EAGAIN || error_number == EMLINK || error_number == EOPNOTSUPP;
}

// Without the bytes coming through this process. False when the kernel cannot between these two
// files: what it has copied until then, the offsets of both are behind.
bool copy_in_kernel(int from, int to, const fs::path& source, const fs::path& target) {
  for (;;) {
    const ssize_t moved = ::copy_file_range(from, nullptr, to, nullptr, kCopyBytes, 0);
    if (moved == 0) return true;
    if (moved > 0 || errno == EINTR) continue;
    if (errno == EXDEV || errno == ENOSYS || errno == EINVAL || errno == EOPNOTSUPP) return false;
    throw errno_error(errno, "cannot copy " + quoted(source) + " to " + quoted(target));
  }
}

void write_bytes(int to, std::string_view bytes, const fs::path& target) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw errno_error(errno, "cannot write " + quoted(target));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void copy_bytes(int from, int to, const fs::path& source, const fs::path& target) {
  if (copy_in_kernel(from, to, source, target)) return;
  std::string buffer(kCopyBytes, '\0');
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw errno_error(errno, "cannot read " + quoted(source));
    if (got == 0) return;
    write_bytes(to, std::string_view{buffer}.substr(0, static_cast<std::size_t>(got)), target);
  }
}

// 0 or errno. Leaves nothing behind when it fails.
int try_reflink(const fs::path& source, const fs::path& target) {
  const Fd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) return errno;
  const Fd to(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!to) return errno;
  if (::ioctl(to.get(), FICLONE, from.get()) == 0) return 0;
  const int fault = errno;
  ::unlink(target.c_str());
  return fault;
}

int try_hardlink(const fs::path& source, const fs::path& target, const struct stat& object) {
  if (object.st_size ==
      0) {  // empty files are never shared: the link limit of ext4 is soon reached by them
    const Fd fd(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    return fd ? 0 : errno;
  }
  return ::link(source.c_str(), target.c_str()) == 0 ? 0 : errno;
}

int try_link(LinkType type, const fs::path& source, const fs::path& target,
             const struct stat& object) {
  switch (type) {
    case LinkType::kReflink: return try_reflink(source, target);
    case LinkType::kHardlink: return try_hardlink(source, target, object);
    case LinkType::kSymlink: return ::symlink(source.c_str(), target.c_str()) == 0 ? 0 : errno;
    case LinkType::kCopy: copy_content(source, target); return 0;
  }
  return ENOTSUP;
}

}  // namespace

void copy_content(const fs::path& source, const fs::path& target) {
  const int fault = try_reflink(source, target);
  if (fault == 0) return;
  const Fd from(::open(source.c_str(), O_RDONLY | O_CLOEXEC));
  if (!from) throw errno_error(errno, "cannot read " + quoted(source));
  const Fd to(::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!to) throw errno_error(errno, "cannot create " + quoted(target));
  try {
    copy_bytes(from.get(), to.get(), source, target);
  } catch (const Error&) {
    ::unlink(target.c_str());
    throw;
  }
}

void unprotect(const fs::path& path) {
  struct stat link {};
  if (::lstat(path.c_str(), &link) != 0)
    throw errno_error(errno, "cannot unprotect " + quoted(path));
  if (S_ISDIR(link.st_mode)) {
    std::vector<fs::path> children;
    for (const fs::directory_entry& entry : fs::directory_iterator(path))
      children.push_back(entry.path());
    for (const fs::path& child : children) unprotect(child);
    return;
  }
  if (S_ISLNK(link.st_mode) || link.st_nlink > 1) {
    const fs::path temporary = temporary_in(path.parent_path());
    copy_content(path, temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      const int fault = errno;
      ::unlink(temporary.c_str());
      throw errno_error(fault, "cannot unprotect " + quoted(path));
    }
  }
  if (::chmod(path.c_str(), default_mode()) != 0)
    throw errno_error(errno, "cannot unprotect " + quoted(path));
}

ObjectCache::ObjectCache(const Config& config)
    : root_(config.cache_dir),
      link_types_(config.link_types),
      shared_group_(config.cache_shared_group) {}

fs::path ObjectCache::path_of(std::string_view hash, HashKind kind) const {
  const fs::path folder = kind == HashKind::kMd5 ? root_ / "files" / "md5" : root_;
  return folder / hash.substr(0, 2) / hash.substr(std::min<std::size_t>(2, hash.size()));
}

bool ObjectCache::contains(std::string_view hash, HashKind kind) const {
  const fs::path path = path_of(hash, kind);
  struct stat object {};
  if (::stat(path.c_str(), &object) != 0 || !S_ISREG(object.st_mode)) return false;
  if ((object.st_mode & 07777U) == kObjectMode) return true;
  const std::string_view expected = hash.substr(0, 32);
  if (md5_file(path, kind) == expected) {
    ::chmod(
        path.c_str(),
        kObjectMode);  // not ours to change in a shared cache: then it is hashed again next time
    return true;
  }
  ::unlink(path.c_str());
  return false;
}

bool ObjectCache::contains_all(std::string_view hash, HashKind kind) const {
  if (!contains(hash, kind)) return false;
  if (!is_dir_hash(hash)) return true;
  std::optional<Tree> tree;
  try {
    tree = read_tree(hash, kind);
  } catch (const Error& error) {
    if (error.code() != Code::kDataLoss) throw;
    return false;
  }
  if (!tree) return false;
  for (const TreeEntry& entry : *tree) {
    if (!contains(entry.md5, kind)) return false;
  }
  return true;
}

void ObjectCache::make_folder(const fs::path& folder) const {
  std::error_code fault;
  if (fs::is_directory(folder, fault)) return;
  fs::create_directories(folder, fault);
  if (fault) throw errno_error(fault.value(), "cannot create folder " + quoted(folder));
  if (shared_group_) ::chmod(folder.c_str(), 02775);
}

void ObjectCache::finish(const fs::path& temporary, const fs::path& target) const {
  if (::chmod(temporary.c_str(), kObjectMode) != 0 ||
      ::rename(temporary.c_str(), target.c_str()) != 0) {
    const int fault = errno;
    ::unlink(temporary.c_str());
    throw errno_error(fault, "cannot store " + quoted(target));
  }
}

void ObjectCache::add_file(const fs::path& source, std::string_view hash, HashKind kind) const {
  if (contains(hash, kind)) return;
  const fs::path target = path_of(hash, kind);
  make_folder(target.parent_path());
  const fs::path temporary = temporary_in(target.parent_path());
  copy_content(source, temporary);
  finish(temporary, target);
}

void ObjectCache::add_bytes(std::string_view bytes, std::string_view hash, HashKind kind) const {
  if (contains(hash, kind)) return;
  const fs::path target = path_of(hash, kind);
  make_folder(target.parent_path());
  const fs::path temporary = temporary_in(target.parent_path());
  write_file_atomic(temporary, bytes);
  finish(temporary, target);
}

std::optional<Tree> ObjectCache::read_tree(std::string_view dir_hash, HashKind kind) const {
  const std::optional<std::string> bytes = read_file_if_exists(path_of(dir_hash, kind));
  if (!bytes) return std::nullopt;
  return parse_tree(*bytes, std::string(dir_hash));
}

void ObjectCache::place(std::string_view hash, const fs::path& target, HashKind kind) const {
  const fs::path source = path_of(hash, kind);
  struct stat object {};
  if (::stat(source.c_str(), &object) != 0) {
    throw Error(Code::kNotFound,
                quoted(target) + " is not in the cache (" + std::string(hash) + ")");
  }
  std::error_code made;
  fs::create_directories(target.parent_path(), made);
  int fault = ENOTSUP;
  for (const LinkType type : link_types_) {
    fault = try_link(type, source, target, object);
    if (fault == 0) return;
    if (!means_other_link_type(fault)) throw errno_error(fault, "cannot create " + quoted(target));
  }
  throw errno_error(fault,
                    "no link type of cache.type works between the cache and " + quoted(target));
}

bool ObjectCache::is_linked_as_configured(std::string_view hash, const fs::path& target,
                                          HashKind kind) const {
  struct stat link {};
  struct stat object {};
  const fs::path source = path_of(hash, kind);
  if (::lstat(target.c_str(), &link) != 0 || ::stat(source.c_str(), &object) != 0) return false;
  const bool is_symlink = S_ISLNK(link.st_mode);
  const bool is_hardlink = !is_symlink && link.st_nlink > 1;
  for (const LinkType type : link_types_) {
    switch (type) {
      case LinkType::kReflink:
      case LinkType::kCopy:
        if (!is_symlink && !is_hardlink) return true;
        break;
      case LinkType::kHardlink:
        if (is_hardlink) return link.st_ino == object.st_ino && link.st_dev == object.st_dev;
        if (object.st_size == 0 && !is_symlink) return true;
        break;
      case LinkType::kSymlink:
        if (is_symlink) {
          std::error_code unreadable;
          return fs::read_symlink(target, unreadable) == source;
        }
        break;
    }
  }
  return false;
}

}  // namespace slipway::data
