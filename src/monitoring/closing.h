// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "monitoring/monitor.h"
#include "monitoring/monitor_state.h"
#include "storage/database.h"

namespace slipway::monitoring {

// Closes up to `limit` blocks that the watermark closes, in order, with the restarts that fall
// between them: judges each or says why not, feeds the detector, raises alarms, and notes when the
// monitor goes blind or sees again. Changes `state`; the caller saves it in the same transaction.
// Returns whether anything changed. The same blocks, labels and restarts lead to the same rows and
// events, in however many steps.
bool close_ready_blocks(storage::Transaction& transaction, const Clock& clock,
                        const Monitor& monitor, MonitorState& state, TimeUs watermark,
                        std::int64_t limit);

// Whether there is something for it to do.
bool has_ready_blocks(storage::Session& session, const Monitor& monitor, const MonitorState& state,
                      TimeUs watermark);

inline constexpr std::int64_t kEvidenceBlocksMax =
    100'000;  // block means that an alarm's evidence lists; then it says truncated

}  // namespace slipway::monitoring
