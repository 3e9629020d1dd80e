// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "storage/connection.h"

namespace slipway::storage {

// One step of the schema, from schema/NNNN_name.sql. Steps are applied in order, each once, each in
// a transaction of its own; a released one never changes. SQLite keeps the number of the last one
// as its user_version, PostgreSQL in table slipway_schema.
struct Migration {
  int number = 0;
  std::string_view name;  // "0001_ledger"
  std::string_view sql;   // as SQLite reads it, or as PostgreSQL does (storage/dialect.h)
};

// All that this program knows, embedded at build time, by number. Where there is a
// schema/NNNN_name.postgres.sql, PostgreSQL has that in place of schema/NNNN_name.sql.
std::vector<Migration> migrations(Engine engine);

// Brings the store behind the connection up to date. A step that fails is undone, and what came
// before it stays. A schema newer than this program throws kFailedPrecondition naming both versions
// and touches nothing. Says in the log while a step over a store with rows runs how long it has.
void migrate(Connection& connection);

}  // namespace slipway::storage
