// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/inference/inference_routes.h"
#include "http/message.h"

namespace slipway::api::inference {

// What both protocols have in common: from the request to an answer, on the right thread.

// The way a protocol reads requests and says things.
struct Protocol {
  // Reads body and headers into the call (route and direct are set already). Throws Error.
  std::function<void(const http::Request&, serving::PredictionCall&)> read;
  std::function<http::Response(const serving::Prediction&, const serving::PredictionCall&)> answer;
  std::function<http::Response(const Error&)> refuse;
};

// Answers a request for endpoint `name` (and the version or alias `version`, "" = routed), now or
// later, always exactly once. `deps` and `protocol` outlive the answer.
void handle(const Deps& deps, const Protocol& protocol, http::Request& request,
            const http::Responder& responder, const std::string& name, const std::string& version);

// The route of an endpoint. Throws kNotFound.
std::shared_ptr<const serving::Route> get_route(const Deps& deps, const std::string& name);

// The version of an endpoint's model by number or alias; loads it if need be (may block). Throws
// kNotFound, kFailedPrecondition.
std::shared_ptr<const serving::ServedVersion> get_version(const Deps& deps,
                                                          const serving::Route& route,
                                                          const std::string& version);

// The header X-Slipway-Event-Time. Throws kInvalidArgument when it is no time.
std::optional<TimeUs> event_time_header(const http::Request& request);
// RFC 3339, or µs since 1970 as digits. Throws kInvalidArgument naming `field`.
TimeUs read_event_time(std::string_view text, std::string_view field);

// The prediction's names as headers: X-Slipway-Prediction-Id, -Model-Version, -Run-Id.
void add_headers(http::Response& response, const serving::Prediction& prediction);

}  // namespace slipway::api::inference
