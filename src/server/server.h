// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "storage/database.h"

namespace slipway::server {

struct Config {
  std::filesystem::path data_folder = ".slipway";
  std::string host = "127.0.0.1";
  std::uint16_t port = 5000;  // 0: a free one
  std::vector<std::string>
      hosts_allowed;  // names besides loopback that requests may be addressed to
  std::string store;  // postgresql://…; "": SQLite in the data folder
  storage::Durability durability = storage::Durability::kKill;
  // What an account may do with a thing that no grant speaks of: NO_PERMISSIONS, READ, USE, EDIT or
  // MANAGE.
  std::string default_permission = "NO_PERMISSIONS";
  bool automation = true;  // false: tracking and serving only, as for the length of one `repro`
};

// The composition root: opens the store, builds the world from the bottom up, and takes it down in
// reverse. start() and stop() are for the one thread that made it; the rest may be asked from any.
class Server {
 public:
  // Opens and listens; answers after start(). A store that is on a full disk opens and serves reads
  // and inference; only a new one cannot be made there (kResourceExhausted). Throws kConflict when
  // another server has the folder, kUnavailable when the address is taken, kFailedPrecondition when
  // the store is newer than this program.
  explicit Server(const Config& config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();             // answers requests; tells others by server.json
  void stop(int grace_ms);  // drains: see http::Server::stop; then the workers end at their next
                            // safe point

  std::string url() const;           // "http://127.0.0.1:5000"
  std::string data_folder() const;   // absolute
  const std::string& token() const;  // for children of this process

 private:
  struct World;
  std::unique_ptr<World> world_;
};

}  // namespace slipway::server
