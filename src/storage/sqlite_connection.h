// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "storage/connection.h"

namespace slipway::storage {

// Connections to an SQLite file in write-ahead mode, or to ":memory:". LIKE distinguishes case on
// them.

// Reads and writes. Opens or creates the file, which must be a store or empty, and copies its log
// (storage/checkpointer.h). `power_safe`: a commit survives a power cut.
std::unique_ptr<Connection> open_sqlite_writer(const std::string& path, bool power_safe);

// Reads: each transaction sees one state.
std::unique_ptr<Connection> open_sqlite_reader(const std::string& path);

}  // namespace slipway::storage
