// SPDX-License-Identifier: Apache-2.0
#include "serving/predictor.h"

#include <algorithm>

#include "base/mutex.h"

namespace slipway::serving {
namespace {

// The status that a failure counts and is logged under; the protocols' own answers may differ in
// the body alone.
int status_of(const Error& error) {
  switch (error.code()) {
    case Code::kInvalidArgument: return 400;
    case Code::kNotFound: return 404;
    case Code::kResourceExhausted:
    case Code::kUnavailable: return 503;
    case Code::kDeadlineExceeded: return 504;
    case Code::kUnimplemented: return 501;
    default: return 500;
  }
}

std::vector<Tensor> bind(const PredictionCall& call, const ServedVersion& version) {
  if (const auto* frame = std::get_if<Frame>(&call.inputs))
    return bind_frame(*frame, version.signature, version.loaded->inputs());
  if (const auto* loose = std::get_if<LooseTensors>(&call.inputs))
    return bind_loose(*loose, version.loaded->inputs());
  return std::get<std::vector<Tensor>>(call.inputs);
}

std::int64_t rows_of(const std::vector<Tensor>& inputs) {
  return inputs.empty() ? 0 : row_count(inputs.front());
}

}  // namespace

struct Predictor::State {
  PredictionLog& log;
  const Clock& clock;
  metrics::Registry& registry;
  Mutex mutex;
  // Looking an instrument up by its labels costs more than a prediction of a small model.
  std::map<std::string, metrics::Counter*, std::less<>> requests GUARDED_BY(mutex);
  std::map<std::string, metrics::Histogram*, std::less<>> durations GUARDED_BY(mutex);

  void observe(const PredictionRecord& record) {
    const std::string version = std::to_string(record.version);
    const std::string key = record.endpoint + "\n" + version + "\n" + std::to_string(record.status);
    metrics::Counter* counter = nullptr;
    metrics::Histogram* histogram = nullptr;
    {
      const MutexLock lock(mutex);
      metrics::Counter*& kept = requests[key];
      if (kept == nullptr) {
        kept = &registry.counter("slipway_inference_requests_total",
                                 "Predictions asked for, by answer.",
                                 {{"endpoint", record.endpoint},
                                  {"version", version},
                                  {"code", std::to_string(record.status)}});
        durations[key] = &registry.histogram(
            "slipway_inference_duration_seconds", "Time from routing to the answer.",
            metrics::latency_bounds_s(), {{"endpoint", record.endpoint}, {"version", version}});
      }
      counter = kept;
      histogram = durations[key];
    }
    counter->add();
    histogram->observe(static_cast<double>(record.latency_us) / 1e6);
  }
};

Predictor::Predictor(PredictionLog& log, const Clock& clock, metrics::Registry& metrics)
    : state_(new State{log, clock, metrics, {}, {}, {}}) {}

Predictor::~Predictor() = default;

Prediction Predictor::predict(PredictionCall call) {
  State& state = *state_;
  const Route& route = *call.route;
  const TimeUs now = state.clock.now();
  if (!call.direct && !route.champion) {
    throw Error(Code::kUnavailable,
                "endpoint `" + route.endpoint.name + "` has nothing to serve: " + route.problem);
  }
  if (call.event_time && *call.event_time > now + kEventTimeAheadMaxUs) {
    throw Error(Code::kInvalidArgument, "event_time " + format_time(*call.event_time) +
                                            " is more than 5 minutes ahead of now");
  }

  Prediction prediction;
  prediction.id = state.log.next_id();
  const bool canary = !call.direct && route.challenger != nullptr;
  if (canary) prediction.arm = choose_arm(route.seed, prediction.id, route.weight);
  prediction.version = call.direct                          ? call.direct
                       : prediction.arm == Arm::kChallenger ? route.challenger
                                                            : route.champion;
  if (canary) prediction.rollout = route.rollout;
  if (call.event_time) {
    prediction.event_time = *call.event_time;
  } else {
    const TimeUs mark = route.endpoint.clock == EndpointClock::kEvent
                            ? state.log.watermark(route.endpoint.name)
                            : 0;
    prediction.event_time = mark != 0 ? mark : now;
  }

  PredictionRecord record;
  record.id = prediction.id;
  record.recorded_at = now;
  record.event_time = prediction.event_time;
  record.endpoint = route.endpoint.name;
  record.model = prediction.version->model;
  record.version = prediction.version->version;
  record.run_id = prediction.version->run_id;
  record.arm = prediction.arm;
  record.rollout = prediction.rollout;
  record.step = canary ? route.step : 0;
  record.direct = call.direct != nullptr;
  record.client_id = call.client_id;

  const std::int64_t started_ns = state.clock.ticks_ns();
  try {
    record.inputs = bind(call, *prediction.version);
    record.rows = rows_of(record.inputs);
    // The log keeps every output, so that explain can compare them all; the caller gets those asked
    // for.
    prediction.outputs = prediction.version->loaded->run(record.inputs);
    record.nan = std::any_of(prediction.outputs.begin(), prediction.outputs.end(),
                             [](const Tensor& tensor) { return has_non_finite(tensor); });
    record.outputs = prediction.outputs;
    if (!call.wanted.empty()) {
      std::vector<Tensor> chosen;
      for (const std::string& name : call.wanted) {
        const auto found = std::find_if(prediction.outputs.begin(), prediction.outputs.end(),
                                        [&](const Tensor& tensor) { return tensor.name == name; });
        if (found == prediction.outputs.end())
          throw Error(Code::kInvalidArgument, "the model has no output `" + name + "`");
        chosen.push_back(*found);
      }
      prediction.outputs = std::move(chosen);
    }
  } catch (const Error& error) {
    prediction.error = error;
  } catch (const std::exception& fault) {  // no memory, for one: the arm's failure all the same
    prediction.error =
        Error(Code::kInternal, "model " + record.model + "/" + std::to_string(record.version) +
                                   " failed: " + fault.what());
  }
  if (prediction.error) {
    prediction.outputs.clear();
    record.outputs.clear();
    record.nan = false;
    record.status = status_of(*prediction.error);
    record.error = true;
  }
  record.latency_us = (state.clock.ticks_ns() - started_ns) / 1'000;
  record.slow =
      route.endpoint.latency_limit_us > 0 && record.latency_us > route.endpoint.latency_limit_us;
  if (!record.error)
    prediction.version->observe_cost(record.rows, static_cast<double>(record.latency_us));
  prediction.rows = record.rows;
  state.observe(record);
  state.log.append(std::move(record));
  return prediction;
}

}  // namespace slipway::serving
