// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "storage/connection.h"

namespace slipway::storage {

// One step of the schema, from schema/NNNN_name.sql. Steps are applied in order, each once, each in
// a transaction of its own; a released one never changes.
struct Migration {
  int number = 0;
  std::string_view name;  // "0001_ledger"
  std::string_view sql;
};

// All that this program knows, embedded at build time, by number.
std::vector<Migration> migrations();

// Brings the store behind the connection up to date. A step that fails is undone, and what came
// before it stays. A schema newer than this program throws kFailedPrecondition naming both versions
// and touches nothing. Says in the log while a step over a store with rows runs how long it has.
void migrate(Connection& connection);

}  // namespace slipway::storage
