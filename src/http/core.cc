// SPDX-License-Identifier: Apache-2.0
#include "http/core.h"

#include <string>

#include "base/log.h"
#include "http/outward.h"
#include "http/target.h"

namespace slipway::http {
namespace {

// The Allow field of a 405: what a GET route answers includes HEAD.
std::string allow_text(const std::vector<Method>& methods) {
  std::string text;
  bool get = false;
  for (const Method method : methods) {
    if (method == Method::kHead && get) continue;
    get = get || method == Method::kGet;
    if (!text.empty()) text += ", ";
    text += method == Method::kGet ? "GET, HEAD" : method_name(method);
  }
  return text;
}

}  // namespace

std::optional<Response> Core::route(Exchange& exchange) const {
  Request& request = exchange.request;
  Target target;
  if (const std::string problem = parse_target(request.target, target); !problem.empty()) {
    return refusal(exchange, Error(Code::kInvalidArgument, "malformed request target: " + problem),
                   400);
  }
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  Router::Match match = router.match(request.method, target.raw_path);
  if (match.route == nullptr && match.allowed.empty()) {
    return refusal(exchange, Error(Code::kNotFound, "no such path: " + request.path), 404);
  }
  if (match.route == nullptr) {
    const std::string allowed = allow_text(match.allowed);
    Response response = refusal(
        exchange,
        Error(Code::kUnimplemented, request.path + " is not for this method but for " + allowed),
        405);
    response.headers.emplace_back("Allow", allowed);
    return response;
  }
  exchange.route = match.route;
  request.path_parameters = std::move(match.parameters);
  if (!hooks.admit) return std::nullopt;
  try {
    return hooks.admit(request, *match.route);
  } catch (const std::exception& exception) {
    return failure(exchange, exception);
  }
}

Response Core::refusal(const Exchange& exchange, const Error& error, int status) const {
  if (hooks.refuse) {
    try {
      return hooks.refuse(exchange.request, exchange.route, error, status);
    } catch (const std::exception& exception) {
      log::error("the hook that writes errors failed", {{"what", exception.what()}});
    }
  }
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::string(error.what()) + "\n";
  return response;
}

Response Core::failure(const Exchange& exchange, const std::exception& exception) const {
  const Request& request = exchange.request;
  const Error error =
      outward(exception, std::string(method_name(request.method)) + " " + request.path);
  const int body_status = exchange.body_status.load();
  const bool expected = error.code() != Code::kInternal;
  return refusal(exchange, error,
                 expected && body_status != 0 ? body_status : status_of(error.code()));
}

void Core::run(Exchange& exchange, const Responder& responder) const {
  try {
    if (exchange.request.unverified) {
      // No hook: nobody could find out, so nobody is let in.
      if (!hooks.verify) throw Error(Code::kUnauthenticated, "nobody here can check who asks");
      if (auto refused = hooks.verify(exchange.request, *exchange.route)) {
        responder.send(std::move(*refused));
        return;
      }
      exchange.request.unverified = false;
    }
    exchange.request.body_reader = exchange.queue.get();
    exchange.route->handler(exchange.request, responder);
  } catch (const std::exception& exception) {
    responder.send(failure(exchange, exception));
  }
  exchange.request.body_reader = nullptr;
}

}  // namespace slipway::http
