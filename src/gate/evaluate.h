// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "gate/gate.h"
#include "serving/prediction_log.h"
#include "serving/served_version.h"
#include "storage/database.h"

namespace slipway::gate {

// Requests' inputs that one evaluation holds the losses of: 64 MiB. More are refused, naming the
// limit.
inline constexpr std::int64_t kRowsMax = 4'000'000;

// What an evaluation stands on; all of it outlives the call.
struct Deps {
  storage::Database& database;
  const Clock& clock;
  serving::PredictionLog& log;
  // A version in memory (serving::Manager::version). Throws kFailedPrecondition for one that is not
  // servable.
  std::function<std::shared_ptr<const serving::ServedVersion>(const std::string& model,
                                                              std::int64_t version)>
      load;
  std::int64_t rows_max = kRowsMax;
};

struct EvaluateRequest {
  std::string gate;
  std::int64_t challenger = 0;
  std::string actor;
  std::string cause;      // event id, "" = a person
  TimeUs event_time = 0;  // of the events; 0 = the endpoint's watermark, or none before any
};

// Is the challenger better than what holds the gate's alias? Both versions score the logged inputs
// of the monitor's endpoint afresh, on its newest labelled days (by the predictions' event time,
// UTC), whoever answered then. Each row's difference is paired; days are the clusters of
// stats::cluster_se; one-sided.
//   pass          p <= alpha; or nothing holds the alias, and the reason says so
//   fail          p > alpha; or the challenger cannot be loaded
//   insufficient  fewer days than the gate wants, no variation ("no difference"), or more rows than
//                 rows_max
// A version that gives no usable answer to a row (it fails, or answers NaN) loses as much as it can
// there. Rows whose label has no loss are left out of both. The newest label known when the
// evaluation starts counts.
//
// Stores the evidence (docs/formats/evidence.md), appends gate.evaluated and, unless it passed,
// promotion.refused: one write. Blocking, for seconds; not inside a write. Throws kNotFound for an
// unknown gate, monitor, endpoint or version, kFailedPrecondition when the challenger holds the
// alias already.
Result evaluate(const Deps& deps, const EvaluateRequest& request);

}  // namespace slipway::gate
