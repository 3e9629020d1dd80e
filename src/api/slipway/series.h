// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "http/router.h"
#include "tracking/session.h"

namespace slipway::api {

inline constexpr std::size_t kSeriesRunsMax = 100;  // runs that one chart may ask for
inline constexpr int kSeriesPixelsDefault = 1'000;  // columns, when `px` does not say

struct SeriesDeps {
  storage::Database& database;
};

// GET /api/slipway/v1/series?runs=ID,ID…&key=KEY[&px=COLUMNS][&x0=STEP&x1=STEP]: one metric of some
// runs, thinned to what a chart of that many columns can show (tracking::series_m4), as binary
// columns (docs/formats/series.md). Runs without the metric, and unknown runs, have no points. 400
// naming the parameter that is missing or out of range; x0 and x1 go together.
std::vector<http::Route> series_routes(SeriesDeps deps);

}  // namespace slipway::api
