// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "storage/database.h"

namespace slipway::storage {

// A new, empty store for one test, gone with this object: SQLite, or where SLIPWAY_TEST_DATABASE
// holds the URL of a PostgreSQL database, a schema of its own in that (tests/engines/postgres).
// Members that open it stand behind it.
class FreshStore {
 public:
  enum class Place {
    kMemory,  // of SQLite
    kFile     // of SQLite: it can be opened again
  };
  explicit FreshStore(Place place = Place::kMemory);
  ~FreshStore();
  FreshStore(const FreshStore&) = delete;
  FreshStore& operator=(const FreshStore&) = delete;

  Database::Options options() const { return {.path = path_}; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::filesystem::path folder_;  // "" where there is none
  std::string schema_;            // likewise
};

// The URL in SLIPWAY_TEST_DATABASE; "" means SQLite.
std::string test_database_url();

}  // namespace slipway::storage
