// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "tracking/metric_chunk.h"
#include "tracking/session.h"

namespace slipway::tracking {

// The ranges that a set of points covers, inclusive.
struct Extent {
  std::int64_t time_min_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t time_max_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t step_min = std::numeric_limits<std::int64_t>::max();
  std::int64_t step_max = std::numeric_limits<std::int64_t>::min();

  bool overlaps(const Extent& other) const;
};
Extent extent_of(const std::vector<Point>& points);  // REQUIRES: sorted by history_less, not empty

// A part of a series that is stored and read as one: the fragment that a write left, or a chunk of
// gathered ones. Blocks of one series share no point; their ranges may overlap.
struct Block {
  bool sealed = false;  // a chunk
  std::int64_t ordinal = 0;
  std::int64_t points = 0;
  Extent extent;
};

std::optional<std::int64_t> find_series(storage::Session& session, std::string_view run_id,
                                        std::string_view key);

// Where a history can be cut: by time, then step, as history_less orders.
struct HistoryPlace {
  std::int64_t time_ms = std::numeric_limits<std::int64_t>::min();
  std::int64_t step = std::numeric_limits<std::int64_t>::min();

  auto operator<=>(const HistoryPlace&) const = default;
};

// No point of the block is before it; many blocks may begin at one time.
HistoryPlace begin_of(const Block& block);

// All blocks of a series that may hold a point at `from` or later, in the order of begin_of.
std::vector<Block> list_blocks(storage::Session& session, std::int64_t series,
                               const HistoryPlace& from = {});

// Those whose ranges overlap `extent`: where its points can be, if they are there.
std::vector<Block> list_blocks_over(storage::Session& session, std::int64_t series,
                                    const Extent& extent);

// The points of a block, sorted by history_less, in the place of what `points` holds: reading a
// long series takes as long again when each block asks for memory of its own. Throws kDataLoss when
// it is damaged or missing.
void load_block(storage::Session& session, std::int64_t series, const Block& block,
                std::vector<Point>& points);

// Likewise those of a row of `chunk` or `fragment` whose column `bytes` is `column`.
void read_points(storage::Session& session, std::int64_t series, const storage::Statement& row,
                 int column, std::vector<Point>& points);

}  // namespace slipway::tracking
