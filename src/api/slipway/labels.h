// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clock.h"
#include "http/router.h"
#include "serving/prediction_log.h"
#include "tracking/session.h"

namespace slipway::api {

// What the routes of labels stand on; all of it outlives them.
struct LabelDeps {
  storage::Database& database;
  serving::PredictionLog& log;
  const Clock& clock;
};

inline constexpr std::uint64_t kLabelsBodyBytesMax = 32U << 20;

// POST /api/slipway/v1/endpoints/{name}/labels, a body of NDJSON (application/x-ndjson) or
// {"labels": […]} (application/json), of
//   {"prediction" (or "id"): "WRITER-SEQ/ROW", "value": number | text | true | false,
//   "event_time"?, "source"?}
// answers {accepted, duplicates, orphans, failed, errors: [{line, message}]} with 200 also when
// lines failed: the others are kept, and the whole body can be sent again. Not even one good line:
// 400, with the first error. GET answers {labels, orphans, newest}.
std::vector<http::Route> label_routes(const LabelDeps& deps);

}  // namespace slipway::api
