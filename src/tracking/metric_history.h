// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracking/metric_chunk.h"
#include "tracking/session.h"

namespace slipway::tracking {

// Reading what metric_store.h keeps. All of these are empty for a run or key that does not exist,
// as MLflow's are.

struct HistoryPage {
  std::vector<Point> points;    // in history_less order
  std::string next_page_token;  // "" = that was all
};

// A page of a history. The token names the last point of the page before, so a page costs the same
// however deep it is, and points that arrive meanwhile never shift it. Decodes only the chunks that
// the page touches.
//   limit      >= 1
//   throws     kInvalidArgument "Invalid page token …" for a token of somebody else's
HistoryPage read_history(storage::Session& session, std::string_view run_id, std::string_view key,
                         std::int64_t limit, std::string_view page_token);

// An inclusive range of steps.
struct StepRange {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// At most `limit` points of one run, evenly by rank, in step_less order: the first of each of
// `limit` equal buckets (as SQL's NTILE makes them), and the last point always, in place of the
// last sample where there are `limit` already. Chunks without a sample are not decoded where the
// steps of chunks do not overlap.
//   source  MLflow 3.17.2 get-history-bulk-interval, as asked: steps 0–9 give for 1 [9], 2 [0,9], 3
//   [0,4,9], 4 [0,3,6,9]
std::vector<Point> sample_history(storage::Session& session, std::string_view run_id,
                                  std::string_view key, std::optional<StepRange> steps,
                                  std::int64_t limit);

// The ranks (from 0) of those samples among `count` points.
std::vector<std::int64_t> sample_ranks(std::int64_t count, std::int64_t limit);

// What a chart of a series needs at `pixels` columns over the steps `first … last`: of each column
// the first, smallest, largest and last point, so that the drawn line equals that of all points
// (Jugel et al., "M4", VLDB 2014). In step_less order, no point twice. NaNs are left out unless a
// column has nothing else, of which one remains, so that the line breaks there.
//   steps    nullopt = all there are
//   pixels   1 to kPixelsMax, else kInvalidArgument
std::vector<Point> series_m4(storage::Session& session, std::string_view run_id,
                             std::string_view key, std::optional<StepRange> steps, int pixels);
inline constexpr int kPixelsMax = 8'192;

// Number of points of a series.
std::int64_t count_points(storage::Session& session, std::string_view run_id, std::string_view key);

}  // namespace slipway::tracking
