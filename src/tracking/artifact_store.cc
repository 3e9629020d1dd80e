// SPDX-License-Identifier: Apache-2.0
#include "tracking/artifact_store.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/id.h"
#include "base/sha256.h"

namespace slipway::tracking {
namespace {

constexpr const char* kIncoming =
    ".incoming";  // uploads under way; a name that no artifact may begin with

// Opening a link as something else fails with one of these.
bool is_link_refusal(int error_number) { return error_number == ELOOP || error_number == ENOTDIR; }

[[noreturn]] void invalid_path(std::string_view path, const char* why) {
  std::string shown(path.substr(0, 200));
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < 32; }, '?');
  throw Error(Code::kInvalidArgument, "Invalid path: '" + shown + "': " + why);
}

struct DirCloser {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Dir = std::unique_ptr<DIR, DirCloser>;

// A stream of a folder's entries; the descriptor is taken over.
Dir open_entries(Fd folder) {
  Dir entries(::fdopendir(folder.get()));
  if (!entries) throw errno_error(errno, "cannot read an artifact folder");
  folder.release();
  return entries;
}

bool is_dot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

void remove_tree(int parent, const char* name) {
  Fd folder(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) throw errno_error(errno, "cannot remove an artifact folder");
  const Dir entries = open_entries(std::move(folder));
  const int fd = ::dirfd(entries.get());
  while (const dirent* entry = ::readdir(entries.get())) {
    if (is_dot(entry->d_name)) continue;
    if (::unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR && errno != EPERM) throw errno_error(errno, "cannot remove an artifact");
    remove_tree(fd, entry->d_name);
  }
  if (::unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
    throw errno_error(errno, "cannot remove an artifact folder");
  }
}

void write_all(int fd, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t done = ::write(fd, bytes, size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw errno_error(errno, "cannot store the artifact");
    bytes += done;
    size -= static_cast<std::size_t>(done);
  }
}

std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace

void check_artifact_path(std::string_view path, bool may_be_empty) {
  if (path.empty() && may_be_empty) return;
  if (!is_safe_relative_path(path)) {
    invalid_path(path,
                 "it must be a relative path of at most 4,000 bytes without '..', '.', empty "
                 "parts, backslashes or "
                 "control characters");
  }
  if (path == kIncoming || path.starts_with(std::string(kIncoming) + "/"))
    invalid_path(path, "this name is reserved");
}

std::string join_path(std::string_view folder, std::string_view name) {
  if (folder.empty()) return std::string(name);
  if (name.empty()) return std::string(folder);
  return std::string(folder) + "/" + std::string(name);
}

ArtifactStore::ArtifactStore(const Options& options) : root_(options.root), sync_(options.sync) {
  std::error_code fault;
  std::filesystem::create_directories(root_ / kIncoming, fault);
  if (fault)
    throw errno_error(fault.value(), "cannot make the artifact folder `" + root_.string() + "`");
  root_fd_.reset(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root_fd_)
    throw errno_error(errno, "cannot open the artifact folder `" + root_.string() + "`");
  // Uploads that a crash cut off were never acknowledged.
  const Dir leftovers = open_entries(open_folder(kIncoming, false));
  while (const dirent* entry = ::readdir(leftovers.get())) {
    if (!is_dot(entry->d_name)) ::unlinkat(::dirfd(leftovers.get()), entry->d_name, 0);
  }
}

// Component by component, so that no link is followed on the way. An empty descriptor: there is no
// such folder.
Fd ArtifactStore::open_folder(std::string_view path, bool make) const {
  Fd folder(::fcntl(root_fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!folder) throw errno_error(errno, "cannot open the artifact folder");
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string part(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    if (make && ::mkdirat(folder.get(), part.c_str(), 0777) == 0 && sync_) ::fsync(folder.get());
    Fd next(::openat(folder.get(), part.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOENT && !make) return {};
    if (!next && is_link_refusal(errno)) {
      if (make) invalid_path(part, "a file or link stands where a folder is needed");
      struct stat facts {};
      if (::fstatat(folder.get(), part.c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
          S_ISLNK(facts.st_mode)) {
        invalid_path(part, "symbolic links are not followed");
      }
      return {};
    }
    if (!next) throw errno_error(errno, "cannot open the artifact folder `" + part + "`");
    folder = std::move(next);
  }
  return folder;
}

std::optional<ArtifactStore::File> ArtifactStore::open(std::string_view path) const {
  check_artifact_path(path, false);
  const auto [folder_path, name] = split_last(path);
  const Fd folder = open_folder(folder_path, false);
  if (!folder) return std::nullopt;
  File file;
  // O_NONBLOCK: a named pipe that somebody put there must not hold a thread.
  file.fd.reset(::openat(folder.get(), std::string(name).c_str(),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.fd) {
    if (errno == ENOENT) return std::nullopt;
    if (errno == ELOOP) invalid_path(path, "symbolic links are not followed");
    throw errno_error(errno, "cannot open artifact `" + std::string(path) + "`");
  }
  struct stat facts {};
  if (::fstat(file.fd.get(), &facts) != 0)
    throw errno_error(errno, "cannot read artifact `" + std::string(path) + "`");
  if (!S_ISREG(facts.st_mode)) return std::nullopt;
  file.bytes = static_cast<std::uint64_t>(facts.st_size);
  file.modified_at = facts.st_mtim.tv_sec * kMicrosPerSecond + facts.st_mtim.tv_nsec / 1'000;
  return file;
}

std::string ArtifactStore::read(std::string_view path, std::uint64_t bytes_max) const {
  const std::optional<File> file = open(path);
  if (!file) throw Error(Code::kNotFound, "No such artifact: '" + std::string(path) + "'");
  if (file->bytes > bytes_max) {
    throw Error(Code::kInvalidArgument,
                "artifact `" + std::string(path) + "` has " + std::to_string(file->bytes) +
                    " bytes, more than the " + std::to_string(bytes_max) + " that are read whole");
  }
  std::string bytes(file->bytes, '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(file->fd.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw errno_error(errno, "cannot read artifact `" + std::string(path) + "`");
    if (got == 0)
      throw Error(Code::kDataLoss,
                  "artifact `" + std::string(path) + "` became shorter while it was read");
    have += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::vector<ArtifactStore::Entry> ArtifactStore::list(std::string_view path) const {
  check_artifact_path(path, true);
  Fd folder = open_folder(path, false);
  std::vector<Entry> found;
  if (!folder) return found;
  const Dir entries = open_entries(std::move(folder));
  while (const dirent* entry = ::readdir(entries.get())) {
    if (is_dot(entry->d_name) || (path.empty() && std::string_view(entry->d_name) == kIncoming))
      continue;
    struct stat facts {};
    if (::fstatat(::dirfd(entries.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
      continue;  // gone meanwhile
    if (!S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) continue;
    const bool is_folder = S_ISDIR(facts.st_mode);
    found.push_back(
        {entry->d_name, is_folder, is_folder ? 0 : static_cast<std::uint64_t>(facts.st_size)});
  }
  std::sort(found.begin(), found.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return found;
}

bool ArtifactStore::is_folder(std::string_view path) const {
  check_artifact_path(path, true);
  return static_cast<bool>(open_folder(path, false));
}

ArtifactStore::Stored ArtifactStore::put(std::string_view path, const Source& source) {
  check_artifact_path(path, false);
  const auto [folder_path, name_view] = split_last(path);
  const std::string name(name_view);
  const Fd folder = open_folder(folder_path, true);
  const Fd incoming = open_folder(kIncoming, true);
  const std::string temporary = random_hex32();
  Fd file(::openat(incoming.get(), temporary.c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) throw errno_error(errno, "cannot store artifact `" + std::string(path) + "`");
  Stored stored;
  try {
    Sha256 digest;
    std::vector<char> buffer(kCopyBytes);
    while (const std::size_t got = source(buffer.data(), buffer.size())) {
      write_all(file.get(), buffer.data(), got);
      digest.update({buffer.data(), got});
      stored.bytes += got;
    }
    stored.sha256 = digest.finish_hex();
    if (sync_ && ::fsync(file.get()) != 0)
      throw errno_error(errno, "cannot flush artifact `" + std::string(path) + "`");
    if (::renameat(incoming.get(), temporary.c_str(), folder.get(), name.c_str()) != 0) {
      if (errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST)
        invalid_path(path, "a folder has this name");
      throw errno_error(errno, "cannot store artifact `" + std::string(path) + "`");
    }
    if (sync_) ::fsync(folder.get());
  } catch (const std::exception&) {
    ::unlinkat(incoming.get(), temporary.c_str(), 0);
    throw;
  }
  return stored;
}

ArtifactStore::Stored ArtifactStore::put(std::string_view path, std::string_view bytes) {
  return put(path, [bytes](char* buffer, std::size_t size) mutable {
    const std::size_t take = std::min(size, bytes.size());
    std::copy_n(bytes.data(), take, buffer);
    bytes.remove_prefix(take);
    return take;
  });
}

bool ArtifactStore::remove(std::string_view path) {
  check_artifact_path(path, false);
  const auto [folder_path, name_view] = split_last(path);
  const std::string name(name_view);
  const Fd folder = open_folder(folder_path, false);
  if (!folder) return false;
  if (::unlinkat(folder.get(), name.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  if (errno != EISDIR && errno != EPERM)
    throw errno_error(errno, "cannot remove artifact `" + std::string(path) + "`");
  remove_tree(folder.get(), name.c_str());
  return true;
}

}  // namespace slipway::tracking
