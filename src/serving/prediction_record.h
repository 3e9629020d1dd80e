// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "serving/rollout.h"
#include "serving/tensor.h"

namespace slipway::serving {

// The name of one request: which log wrote it, and its number there. Taken before routing. As text
// "00000001-42".
struct PredictionId {
  std::uint32_t writer = 0;
  std::int64_t seq = 0;  // 1, 2, 3 …; numbers may be missing (a crash skips some)
  bool operator==(const PredictionId&) const = default;
};

std::string to_text(const PredictionId& id);

// One row of a request: "00000001-42/0"; row 0 when none is written.
struct PredictionRow {
  PredictionId id;
  std::int64_t row = 0;
};
// nullopt when the text is not such an id.
std::optional<PredictionRow> parse_prediction_row(std::string_view text);

// What the log keeps of one request that was routed to a version, answered or failed.
struct PredictionRecord {
  std::int64_t position =
      0;  // place in the log, 1, 2, 3 … in the order of writing: what cursors hold
  PredictionId id;
  TimeUs recorded_at = 0;  // wall clock at arrival
  TimeUs event_time = 0;
  std::string endpoint;
  std::string model;
  std::int64_t version = 0;
  std::string run_id;  // "" = the version has none
  Arm arm = Arm::kChampion;
  std::string rollout;    // id of the rollout it counts for; "" = none
  std::int32_t step = 0;  // of that rollout
  bool direct = false;    // the version was named in the URL: counts nowhere
  std::string client_id;  // as the client sent it; "" = none
  std::int64_t rows = 0;
  std::int32_t status = 200;    // HTTP status of the answer
  std::int64_t latency_us = 0;  // from routing to the answer, without the network
  bool error = false;           // status is not 200
  bool slow = false;            // longer than the endpoint's limit of that moment
  bool nan = false;             // an output holds NaN or an infinity
  bool sampled = false;         // inputs and outputs were left out under overload
  std::vector<Tensor> inputs;   // as the model got them
  std::vector<Tensor> outputs;  // as the model gave them
  bool operator==(const PredictionRecord&) const = default;
};

// The bytes of a record as they stand in a segment, and back: docs/formats/prediction-log.md.
// decode throws kDataLoss.
std::string encode(const PredictionRecord& record);
PredictionRecord decode_prediction(std::string_view bytes, bool with_payload = true);

}  // namespace slipway::serving
