// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tracking/metric_chunk.h"
#include "tracking/run_table.h"

namespace slipway::tracking {

// Where metric points are kept: series(run, key), fragments for what single writes added, chunks
// for what was gathered of them, and the newest point of each series in `latest`
// (docs/adr/0008-metric-chunks.md). Reading is in metric_history.h; search reads `latest` alone.

struct Metric {
  std::string key;
  Point point;
  std::string model_id;        // "" = none; else the logged model that the value is of
  std::string dataset_name;    // "" = none
  std::string dataset_digest;  // likewise
};

// Fragments that have this many points together become a chunk, in the write that brought them
// there; so many fragments become one; so many chunks smaller than kLargeChunkPoints become one.
inline constexpr std::int64_t kSealPoints = 512;
inline constexpr std::int64_t kFragmentsMax = 32;
inline constexpr std::int64_t kSmallChunksMax = 16;
inline constexpr std::size_t kLargeChunkPoints = 4'096;

// Adds the points to the run's series, in any order of time and step. A point that its series has
// already (same time, step and value, NaN being one value) is dropped: first by range, then
// exactly. Values are clamped (clamp_metric_value).
//   cost  of the points' own number, where they are newer by time or by step than all the series
//         has; else of the blocks whose ranges of time and step meet theirs. A series that is
//         logged without steps at one fixed time is one such range, and the look-up reads all of it
//         (docs/adr/0008-metric-chunks.md has the figures).
//   REQUIRES keys and times are checked (tracking/key_rules.h)
void append_metrics(storage::Transaction& transaction, const RunInfo& run,
                    const std::vector<Metric>& metrics);

}  // namespace slipway::tracking
