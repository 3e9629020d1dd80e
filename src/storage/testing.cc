// SPDX-License-Identifier: Apache-2.0
#include "storage/testing.h"

#include <cstdlib>

#include "base/id.h"
#include "storage/postgres_connection.h"

namespace slipway::storage {

std::string test_database_url() {
  const char* const url = std::getenv("SLIPWAY_TEST_DATABASE");
  return url == nullptr ? "" : url;
}

FreshStore::FreshStore(Place place) {
  const std::string url = test_database_url();
  if (!url.empty()) {
    schema_ = "test_" + random_hex32();
    open_postgres_reader(url)->run("CREATE SCHEMA " + schema_);
    path_ = url + (url.find('?') == std::string::npos ? "?" : "&") + "options=-csearch_path%3D" +
            schema_;
  } else if (place == Place::kFile) {
    folder_ = std::filesystem::temp_directory_path() / ("slipway-store-" + random_hex32());
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "store.db").string();
  } else {
    path_ = ":memory:";
  }
}

FreshStore::~FreshStore() {
  if (!schema_.empty())
    open_postgres_reader(test_database_url())->run("DROP SCHEMA " + schema_ + " CASCADE");
  if (!folder_.empty()) std::filesystem::remove_all(folder_);
}

}  // namespace slipway::storage
