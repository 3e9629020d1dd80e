// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "storage/connection.h"

namespace slipway::storage {

// Connections to PostgreSQL 14 or newer through libpq, which reads PGPASSWORD, ~/.pgpass and the
// like by itself. `url` is postgresql://USER@HOST:PORT/DATABASE?…; what stands in it as a password
// is in no message. A connection that was lost is made anew by the next begin().
//
// What nobody waits for is sent along with what somebody waits for (pipeline mode): savepoints,
// statements whose outcome nobody asks for, the beginning of a transaction.

bool is_postgres_url(std::string_view text);

// Reads and writes, and is the only one that writes to its schema: it holds an advisory lock for as
// long as it lives. kUnavailable while another server has it. `power_safe`: a commit survives a
// power cut of the database's machine, whatever its settings say.
std::unique_ptr<Connection> open_postgres_writer(const std::string& url, bool power_safe);

// Reads: each transaction sees one state.
std::unique_ptr<Connection> open_postgres_reader(const std::string& url);

}  // namespace slipway::storage
