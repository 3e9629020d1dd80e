// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file.h"

namespace slipway::tracking {

// The bytes of runs and models: files below one root folder, named by relative paths
// ("0/RUN/artifacts/model/model.onnx").
//
// No request can reach outside of the root: a path is validated (is_safe_relative_path: no "..",
// ".", empty component, backslash or control character; at most 4,000 bytes) and then opened
// component by component below the root's descriptor without following symbolic links. A wrong path
// throws kInvalidArgument "Invalid path: …"; a link on the way is refused the same way.
//
// An upload becomes visible as a whole: it is streamed to a temporary file in the root's
// `.incoming` folder, hashed on the way and renamed. What was put survives kill -9 once put() has
// returned; with `sync` a power cut too. Thread-safe: holds one descriptor; the file system does
// the rest. Disk faults throw errno_error (kResourceExhausted when full).
class ArtifactStore {
 public:
  struct Options {
    std::filesystem::path root;  // made if missing
    bool sync = false;           // flush file and folder before a put() returns
  };
  explicit ArtifactStore(const Options& options);
  ArtifactStore(const ArtifactStore&) = delete;
  ArtifactStore& operator=(const ArtifactStore&) = delete;

  struct File {
    Fd fd;  // at its start, read-only
    std::uint64_t bytes = 0;
    TimeUs modified_at = 0;
  };
  // nullopt when there is no such file, or it is a folder.
  std::optional<File> open(std::string_view path) const;

  // The whole file. kNotFound naming the path if there is none; kInvalidArgument if longer than
  // `bytes_max`.
  std::string read(std::string_view path, std::uint64_t bytes_max) const;

  struct Entry {
    std::string name;  // base name
    bool is_folder = false;
    std::uint64_t bytes = 0;
    bool operator==(const Entry&) const = default;
  };
  // What a folder holds, by name; "" is the root. Empty when there is no such folder. Links and
  // special files are left out.
  std::vector<Entry> list(std::string_view path) const;

  bool is_folder(std::string_view path) const;

  // Reads up to `size` bytes into the buffer; 0 at the end.
  using Source = std::function<std::size_t(char* buffer, std::size_t size)>;
  struct Stored {
    std::uint64_t bytes = 0;
    std::string sha256;  // hex, of the bytes as they were received
  };
  // Stores a file, making folders as needed and replacing a file of that name. In memory: one
  // buffer of kCopyBytes. kInvalidArgument if the path names a folder, or a file stands where a
  // folder is needed.
  Stored put(std::string_view path, const Source& source);
  Stored put(std::string_view path, std::string_view bytes);

  // Removes a file, or a folder with all it holds; false when there is none. The root itself is
  // refused.
  bool remove(std::string_view path);

  // The root's own path, for messages and for engines that want a file name. Never join request
  // text to it.
  const std::filesystem::path& root() const { return root_; }

  static constexpr std::size_t kCopyBytes = 256U << 10;

 private:
  Fd open_folder(std::string_view path, bool make) const;

  std::filesystem::path root_;
  Fd root_fd_;
  bool sync_;
};

// Throws kInvalidArgument "Invalid path: …" unless the text is one safe relative path (or empty,
// where that is allowed).
void check_artifact_path(std::string_view path, bool may_be_empty);

// A path's folder and last component joined: join_path("a", "b") = "a/b", join_path("", "b") = "b".
std::string join_path(std::string_view folder, std::string_view name);

}  // namespace slipway::tracking
