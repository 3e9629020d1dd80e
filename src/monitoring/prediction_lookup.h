// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "serving/prediction_log.h"

namespace slipway::monitoring {

// Where a prediction's record is and when it was; position 0: there is none.
struct PredictionPlace {
  std::int64_t position = 0;
  TimeUs event_time = 0;
  std::string endpoint;
};

// The place of each row id ("WRITER-SEQ/ROW", canonical), in the order asked. A row beyond the
// request's rows has none. Flushes the log first, so that everything answered so far is found. A
// batch of neighbours is found in one walk over the log.
std::vector<PredictionPlace> find_predictions(serving::PredictionLog& log,
                                              const std::vector<std::string>& ids);

// Calls `visit` with each record at one of the positions (ascending, any number), with its inputs
// and outputs; positions whose record was dropped are left out. Walks over what lies close
// together, looks up the rest.
void visit_positions(const serving::PredictionLog& log, const std::vector<std::int64_t>& positions,
                     const std::function<void(const serving::PredictionRecord&)>& visit);

}  // namespace slipway::monitoring
