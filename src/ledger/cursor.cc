// SPDX-License-Identifier: Apache-2.0
#include "ledger/cursor.h"

namespace slipway::ledger {

std::int64_t cursor(storage::Session& session, const std::string& name) {
  auto rows = session.query("SELECT position FROM log_cursor WHERE name = ?1", name);
  return rows.step() ? rows.int64(0) : 0;
}

void move_cursor(storage::Transaction& transaction, const std::string& name,
                 std::int64_t position) {
  transaction.execute(
      "INSERT INTO log_cursor (name, position) VALUES (?1, ?2)"
      " ON CONFLICT (name) DO UPDATE SET position = excluded.position",
      name, position);
}

}  // namespace slipway::ledger
