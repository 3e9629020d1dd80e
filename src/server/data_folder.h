// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/file.h"

namespace slipway::server {

// The store of one server: metadata, artifacts, predictions, logs and the server's own token. Never
// deletable by itself; git ignores it.
//   slipway.db   artifacts/   predictions/   logs/   work/   token   server.json (while one runs)
//   lock   .gitignore
class DataFolder {
 public:
  // Makes the folder if missing and holds its lock until destruction. Throws kConflict naming the
  // server that runs in it.
  explicit DataFolder(const std::filesystem::path& path);
  ~DataFolder();  // takes server.json away
  DataFolder(const DataFolder&) = delete;
  DataFolder& operator=(const DataFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }  // absolute
  const std::string& token() const { return token_; }

  // Tells others where this server answers: {"url","pid"}.
  void announce(const std::string& url) const;

 private:
  std::filesystem::path path_;
  Fd lock_;
  std::string token_;
};

// What announce() of a living server wrote; nullopt when there is none, or its process is gone.
struct Announcement {
  std::string url;
  int pid = 0;
};
std::optional<Announcement> find_announcement(const std::filesystem::path& folder);

}  // namespace slipway::server
