// SPDX-License-Identifier: Apache-2.0
#include "base/file.h"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/id.h"
#include "base/text.h"

namespace slipway {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) reset(other.release());
  return *this;
}

Fd::~Fd() { reset(); }

int Fd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

namespace {

// Writes all bytes, whatever the kernel takes at a time.
void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) {
      if (errno == EINTR) continue;
      throw errno_error(errno, "cannot write " + quoted(path));
    }
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw errno_error(errno, "cannot open " + quoted(path));
  std::string bytes;
  struct stat facts {};
  if (::fstat(fd.get(), &facts) == 0 && facts.st_size > 0) {
    bytes.reserve(static_cast<std::size_t>(
        std::min<std::uint64_t>(static_cast<std::uint64_t>(facts.st_size), bytes_max)));
  }
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0) {
      if (errno == EINTR) continue;
      throw errno_error(errno, "cannot read " + quoted(path));
    }
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
    if (bytes.size() > bytes_max) {
      throw Error(Code::kInvalidArgument,
                  quoted(path) + " is longer than " + std::to_string(bytes_max) + " bytes");
    }
  }
}

std::optional<std::string> read_file_if_exists(const std::filesystem::path& path) {
  std::error_code fault;
  if (!std::filesystem::exists(path, fault)) return std::nullopt;
  return read_file(path);
}

void write_file_atomic(const std::filesystem::path& path, std::string_view bytes, bool sync,
                       unsigned mode) {
  const std::filesystem::path temporary =
      path.string() + "." + random_hex32().substr(0, 12) + ".tmp";
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) throw errno_error(errno, "cannot create " + quoted(temporary));
  try {
    write_all(fd.get(), bytes, path);
    if (sync && ::fsync(fd.get()) != 0) throw errno_error(errno, "cannot flush " + quoted(path));
    if (::close(fd.release()) != 0) throw errno_error(errno, "cannot write " + quoted(path));
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      throw errno_error(errno, "cannot replace " + quoted(path));
  } catch (const Error&) {
    ::unlink(temporary.c_str());
    throw;
  }
  if (sync) {
    const std::filesystem::path parent =
        path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const Fd folder(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder || ::fsync(folder.get()) != 0)
      throw errno_error(errno, "cannot flush folder " + quoted(parent));
  }
}

bool is_safe_relative_path(std::string_view path) {
  constexpr std::size_t kPathBytesMax = 4'000;
  constexpr std::size_t kComponentBytesMax = 255;
  if (path.empty() || path.size() > kPathBytesMax) return false;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') {
      if (static_cast<unsigned char>(path[i]) < 32 || path[i] == '\\' || path[i] == 127)
        return false;
      continue;
    }
    const std::string_view part = path.substr(start, i - start);
    if (part.empty() || part == "." || part == ".." || part.size() > kComponentBytesMax)
      return false;
    start = i + 1;
  }
  return true;
}

namespace {

// The first byte of a UTF-8 sequence of two bytes or more.
struct Utf8Lead {
  std::size_t more = 0;      // bytes that follow; 0: no sequence begins so
  std::uint32_t bits = 0;    // its part of the code point
  std::uint32_t lowest = 0;  // a lower code point has a shorter form, the only valid one
};

Utf8Lead utf8_lead(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte <= 0xEF) return {2, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte <= 0xF4) return {3, byte & 0x07U, 0x10000};
  return {};
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const Utf8Lead lead = utf8_lead(first);
    if (lead.more == 0 || i + lead.more >= bytes.size()) return false;
    std::uint32_t point = lead.bits;
    for (std::size_t k = 1; k <= lead.more; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if ((next & 0xC0U) != 0x80U) return false;
      point = (point << 6) | (next & 0x3FU);
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    if (point < lead.lowest || point > 0x10FFFF || surrogate) return false;
    i += lead.more + 1;
  }
  return true;
}

}  // namespace slipway
