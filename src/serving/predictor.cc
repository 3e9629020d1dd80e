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

// What comes before routing; see Predictor::predict.
void check_call(const PredictionCall& call, TimeUs now) {
  const Route& route = *call.route;
  if (!call.direct && !route.champion) {
    throw Error(Code::kUnavailable,
                "endpoint `" + route.endpoint.name + "` has nothing to serve: " + route.problem);
  }
  if (call.event_time && *call.event_time > now + kEventTimeAheadMaxUs) {
    throw Error(Code::kInvalidArgument, "event_time " + format_time(*call.event_time) +
                                            " is more than 5 minutes ahead of now");
  }
}

bool is_canary(const PredictionCall& call) {
  return !call.direct && call.route->challenger != nullptr;
}

TimeUs event_time_of(const PredictionCall& call, const PredictionLog& log, TimeUs now) {
  if (call.event_time) return *call.event_time;
  const EndpointRow& endpoint = call.route->endpoint;
  const TimeUs mark = endpoint.clock == EndpointClock::kEvent ? log.watermark(endpoint.name) : 0;
  return mark != 0 ? mark : now;
}

// A prediction that nothing is known of yet but who is to make it.
Prediction routed(const PredictionCall& call, PredictionLog& log, TimeUs now) {
  const Route& route = *call.route;
  Prediction prediction;
  prediction.id = log.next_id();
  if (is_canary(call)) {
    prediction.arm = choose_arm(route.seed, prediction.id, route.weight);
    prediction.rollout = route.rollout;
  }
  prediction.version = call.direct                          ? call.direct
                       : prediction.arm == Arm::kChallenger ? route.challenger
                                                            : route.champion;
  prediction.event_time = event_time_of(call, log, now);
  return prediction;
}

PredictionRecord record_of(const Prediction& prediction, const PredictionCall& call, TimeUs now) {
  PredictionRecord record;
  record.id = prediction.id;
  record.recorded_at = now;
  record.event_time = prediction.event_time;
  record.endpoint = call.route->endpoint.name;
  record.model = prediction.version->model;
  record.version = prediction.version->version;
  record.run_id = prediction.version->run_id;
  record.arm = prediction.arm;
  record.rollout = prediction.rollout;
  record.step = is_canary(call) ? call.route->step : 0;
  record.direct = call.direct != nullptr;
  record.client_id = call.client_id;
  return record;
}

std::vector<Tensor> chosen(const std::vector<Tensor>& outputs,
                           const std::vector<std::string>& wanted) {
  std::vector<Tensor> tensors;
  tensors.reserve(wanted.size());
  for (const std::string& name : wanted) {
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const Tensor& tensor) { return tensor.name == name; });
    if (found == outputs.end())
      throw Error(Code::kInvalidArgument, "the model has no output `" + name + "`");
    tensors.push_back(*found);
  }
  return tensors;
}

// Fills in what the version makes of the inputs. Throws what binding them or the engine throws.
void run(const PredictionCall& call, Prediction& prediction, PredictionRecord& record) {
  record.inputs = bind(call, *prediction.version);
  record.rows = rows_of(record.inputs);
  // The log keeps every output, so that explain can compare them all; the caller gets those asked
  // for.
  prediction.outputs = prediction.version->loaded->run(record.inputs);
  record.nan = std::any_of(prediction.outputs.begin(), prediction.outputs.end(),
                           [](const Tensor& tensor) { return has_non_finite(tensor); });
  record.outputs = prediction.outputs;
  if (!call.wanted.empty()) prediction.outputs = chosen(prediction.outputs, call.wanted);
}

void fail(Error error, Prediction& prediction, PredictionRecord& record) {
  prediction.outputs.clear();
  record.outputs.clear();
  record.nan = false;
  record.status = status_of(error);
  record.error = true;
  prediction.error = std::move(error);
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

Prediction Predictor::predict(const PredictionCall& call) {
  State& state = *state_;
  const TimeUs now = state.clock.now();
  check_call(call, now);
  Prediction prediction = routed(call, state.log, now);
  PredictionRecord record = record_of(prediction, call, now);

  const std::int64_t started_ns = state.clock.ticks_ns();
  try {
    run(call, prediction, record);
  } catch (const Error& error) {
    fail(error, prediction, record);
  } catch (const std::exception& fault) {  // no memory, for one: the arm's failure all the same
    fail(Error(Code::kInternal, "model " + record.model + "/" + std::to_string(record.version) +
                                    " failed: " + fault.what()),
         prediction, record);
  }
  record.latency_us = (state.clock.ticks_ns() - started_ns) / 1'000;
  const TimeUs limit_us = call.route->endpoint.latency_limit_us;
  record.slow = limit_us > 0 && record.latency_us > limit_us;
  if (!record.error)
    prediction.version->observe_cost(record.rows, static_cast<double>(record.latency_us));
  prediction.rows = record.rows;
  state.observe(record);
  state.log.append(std::move(record));
  return prediction;
}

}  // namespace slipway::serving
