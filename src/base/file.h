// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace slipway {

// Files as whole texts, and the moves that make a change all or nothing. Every function throws
// errno_error naming the path.

// The file's bytes. kNotFound if it is not there; kInvalidArgument if it is longer than
// `bytes_max`.
std::string read_file(const std::filesystem::path& path, std::uint64_t bytes_max = UINT64_MAX);

// As read_file, but nullopt where there is no such file.
std::optional<std::string> read_file_if_exists(const std::filesystem::path& path);

// Writes to a temporary file in the same folder and renames it over `path`: a reader sees the old
// bytes or the new ones, also after kill -9. With `sync` the bytes and the folder are flushed
// first, so that a power cut keeps one or the other too. `mode` are the permission bits before the
// umask.
void write_file_atomic(const std::filesystem::path& path, std::string_view bytes, bool sync = false,
                       unsigned mode = 0666);

// The text if it is one validated relative path below some root: components joined by '/', none of
// them empty, "." or "..", no leading or trailing '/', no backslash, no byte below 32, at most
// 4,000 bytes, each component at most 255.
bool is_safe_relative_path(std::string_view path);

// True if the bytes are well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view bytes);

// A file descriptor that closes itself.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace slipway
