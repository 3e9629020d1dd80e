// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "tracking/run_table.h"

namespace slipway::tracking {

// Reads the runs with these keys, each with all that belongs to it, and hands them over one by one
// in this order. Some eight statements for 200 runs, whatever they hold; no more than 200 runs are
// in memory. `take` returns false to end it behind this run. kDataLoss when one is missing.
void load_runs(storage::Session& session, std::span<const std::int64_t> keys,
               const std::function<bool(const Run&)>& take);

}  // namespace slipway::tracking
