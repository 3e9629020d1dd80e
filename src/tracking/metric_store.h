// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tracking/metric_chunk.h"
#include "tracking/run_table.h"

namespace slipway::tracking {

// Where metric points are kept: series(run, key), a tail of rows for new points, sealed chunks for
// the rest, and the newest point of each series in `latest` (docs/adr/0008-metric-chunks.md).
// Reading is in metric_history.h; search reads `latest` alone.

struct Metric {
  std::string key;
  Point point;
  std::string model_id;        // "" = none; else the logged model that the value is of
  std::string dataset_name;    // "" = none
  std::string dataset_digest;  // likewise
};

// A tail that has this many points is sealed in the write that filled it.
inline constexpr std::int64_t kTailPointsMax = 512;

// Adds the points to the run's series, in any order of time and step. A point that its series has
// already (same time, step and value, NaN being one value) is dropped: first by range, then
// exactly. Values are clamped (clamp_metric_value).
//   REQUIRES keys and times are checked (tracking/key_rules.h)
void append_metrics(storage::Transaction& transaction, const RunInfo& run,
                    const std::vector<Metric>& metrics);

// The unsealed points of a series (its internal id), sorted by history_less.
std::vector<Point> read_tail(storage::Session& session, std::int64_t series);

}  // namespace slipway::tracking
