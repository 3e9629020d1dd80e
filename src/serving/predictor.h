// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/metrics.h"
#include "serving/manager.h"
#include "serving/prediction_log.h"

namespace slipway::serving {

// A request for a prediction, free of any protocol.
struct PredictionCall {
  std::shared_ptr<const Route> route;
  std::shared_ptr<const ServedVersion>
      direct;  // the URL named this version: no routing, counts nowhere
  std::string client_id;
  std::optional<TimeUs> event_time;
  std::variant<std::vector<Tensor>, Frame, LooseTensors> inputs;
  std::vector<std::string> wanted;  // outputs; none = all
};

struct Prediction {
  PredictionId id;
  std::shared_ptr<const ServedVersion> version;
  Arm arm = Arm::kChampion;
  std::string rollout;
  TimeUs event_time = 0;
  std::int64_t rows = 0;
  std::vector<Tensor> outputs;
  std::optional<Error>
      error;  // then there are no outputs; the request was logged and counted all the same
};

inline constexpr TimeUs kEventTimeAheadMaxUs = 300 * kMicrosPerSecond;

// Takes a request through routing, engine, log and counters. Thread-safe.
class Predictor {
 public:
  Predictor(PredictionLog& log, const Clock& clock, metrics::Registry& metrics);
  ~Predictor();
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;

  // Throws, without logging or counting, only for what comes before routing: kUnavailable when the
  // endpoint has nothing to serve, kInvalidArgument for an event time more than
  // kEventTimeAheadMaxUs ahead. Everything later is in Prediction::error: a request that one
  // version refuses and the other takes is a loss of that arm.
  Prediction predict(const PredictionCall& call);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace slipway::serving
