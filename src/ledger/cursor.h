// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "storage/database.h"

namespace slipway::ledger {

// How far a follower has read a log. Move it in the transaction that keeps what the reading led to:
// then a restart is a replay. The position's meaning belongs to the log (event seq, label seq,
// prediction sequence number). 0 for a name not seen yet.
std::int64_t cursor(storage::Session& session, const std::string& name);
void move_cursor(storage::Transaction& transaction, const std::string& name, std::int64_t position);

}  // namespace slipway::ledger
