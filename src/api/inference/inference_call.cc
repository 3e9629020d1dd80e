// SPDX-License-Identifier: Apache-2.0
#include "api/inference/inference_call.h"

#include <algorithm>
#include <charconv>

#include "registry/alias.h"

namespace slipway::api::inference {
namespace {

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || fault != std::errc{} || end != text.data() + text.size() || number < 1)
    return std::nullopt;
  return number;
}

std::int64_t rows_of(const serving::PredictionCall& call) {
  if (const auto* frame = std::get_if<serving::Frame>(&call.inputs))
    return static_cast<std::int64_t>(frame->rows.size());
  const auto* loose = std::get_if<serving::LooseTensors>(&call.inputs);
  const auto& tensors =
      loose != nullptr ? loose->tensors : std::get<std::vector<serving::Tensor>>(call.inputs);
  return tensors.empty() ? 0 : serving::row_count(tensors.front());
}

// Whether whoever may answer this does so quickly enough for the connection's thread. One that was
// never measured does not.
bool is_quick(const serving::PredictionCall& call) {
  const auto quick =
      [rows = rows_of(call)](const std::shared_ptr<const serving::ServedVersion>& version) {
        if (!version) return true;
        const double cost_us = version->cost_us(rows);
        return cost_us > 0 && cost_us < kInlineCostUsMax;
      };
  if (call.direct) return quick(call.direct);
  return quick(call.route->champion) && quick(call.route->challenger);
}

// One request on its way. Lives until it is answered.
class Call : public std::enable_shared_from_this<Call> {
 public:
  Call(const Deps& deps, const Protocol& protocol, http::Request& request,
       const http::Responder& responder, std::string name, std::string version)
      : deps_(deps),
        protocol_(protocol),
        request_(request),
        responder_(responder),
        name_(std::move(name)),
        version_(std::move(version)) {}

  void start() {
    guarded([this] {
      call_.route = get_route(deps_, name_);
      const bool may_load = !version_.empty() && !find_direct();
      if (may_load || request_.body.size() > kInlineBodyBytesMax) return post();
      read_and_run(true);
    });
  }

 private:
  // Only a number can be found without asking the database.
  bool find_direct() {
    const std::optional<std::int64_t> number = digits(version_);
    if (number)
      call_.direct = deps_.manager.version_in_memory(call_.route->endpoint.model, *number);
    return call_.direct != nullptr;
  }

  void post() {
    auto self = shared_from_this();
    const bool taken = deps_.pool.try_post([self] {
      self->guarded([&self] {
        if (!self->version_.empty() && !self->call_.direct)
          self->call_.direct = get_version(self->deps_, *self->call_.route, self->version_);
        self->read_and_run(false);
      });
    });
    if (!taken) throw Error(Code::kUnavailable, "too many predictions are waiting; try again");
  }

  void read_and_run(bool inline_thread) {
    if (!read_) {
      protocol_.read(request_, call_);
      read_ = true;
    }
    if (inline_thread && !is_quick(call_)) return post();
    const serving::Prediction prediction = deps_.predictor.predict(call_);
    if (!prediction.error) return responder_.send(protocol_.answer(prediction, call_));
    http::Response response = protocol_.refuse(*prediction.error);
    add_headers(response, prediction);
    responder_.send(std::move(response));
  }

  // The edge: whatever fails becomes the protocol's own answer.
  void guarded(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      refuse(error);
    } catch (const std::exception& fault) {
      refuse(Error(Code::kInternal, std::string("the prediction failed: ") + fault.what()));
    }
  }

  void refuse(const Error& error) {
    deps_.metrics
        .counter("slipway_inference_refused_total",
                 "Requests refused before they were routed to a version, by reason.",
                 {{"reason", std::string(code_name(error.code()))}})
        .add();
    responder_.send(protocol_.refuse(error));
  }

  const Deps& deps_;
  const Protocol& protocol_;
  http::Request& request_;
  const http::Responder responder_;
  const std::string name_;
  const std::string version_;
  serving::PredictionCall call_;
  bool read_ = false;
};

}  // namespace

void handle(const Deps& deps, const Protocol& protocol, http::Request& request,
            const http::Responder& responder, const std::string& name, const std::string& version) {
  std::make_shared<Call>(deps, protocol, request, responder, name, version)->start();
}

std::shared_ptr<const serving::Route> get_route(const Deps& deps, const std::string& name) {
  if (auto route = deps.manager.router().find(name)) return route;
  throw Error(Code::kNotFound, "there is no endpoint `" + name.substr(0, 200) + "`");
}

std::shared_ptr<const serving::ServedVersion> get_version(const Deps& deps,
                                                          const serving::Route& route,
                                                          const std::string& version) {
  const std::string& model = route.endpoint.model;
  std::optional<std::int64_t> number = digits(version);
  if (!number) {
    const auto target = deps.database.read_returning<std::optional<registry::AliasTarget>>(
        [&](storage::Session& session) { return registry::find_alias(session, model, version); });
    if (!target)
      throw Error(Code::kNotFound,
                  "model `" + model + "` has no version or alias `" + version.substr(0, 200) + "`");
    number = target->version;
  }
  return deps.manager.version(model, *number);
}

TimeUs read_event_time(std::string_view text, std::string_view field) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (!text.empty() && fault == std::errc{} && end == text.data() + text.size() && number > 0)
    return number;
  if (const auto time = parse_time(text)) return *time;
  throw Error(Code::kInvalidArgument,
              "`" + std::string(field) +
                  "` must be a time as in 2013-03-01T05:00:00Z, or microseconds since 1970, not `" +
                  std::string(text.substr(0, 60)) + "`");
}

std::optional<TimeUs> event_time_header(const http::Request& request) {
  const auto text = request.header("X-Slipway-Event-Time");
  if (!text) return std::nullopt;
  return read_event_time(*text, "X-Slipway-Event-Time");
}

void add_headers(http::Response& response, const serving::Prediction& prediction) {
  response.headers.emplace_back("X-Slipway-Prediction-Id", serving::to_text(prediction.id));
  response.headers.emplace_back("X-Slipway-Model-Version",
                                std::to_string(prediction.version->version));
  if (!prediction.version->run_id.empty())
    response.headers.emplace_back("X-Slipway-Run-Id", prediction.version->run_id);
}

}  // namespace slipway::api::inference
