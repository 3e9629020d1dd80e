// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

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

}  // namespace slipway::storage
