// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <cassert>

#include "base/text.h"

namespace slipway::net {

std::optional<std::string_view> HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

HttpResponse FakeHttpClient::send(const HttpRequest& request) {
  assert(answer && "FakeHttpClient::answer must be set");
  HttpRequest kept = request;
  if (request.body_source) {
    char piece[4'096];
    while (const std::size_t got = request.body_source(piece, sizeof piece))
      kept.body.append(piece, got);
  }
  asked.push_back(kept);
  HttpResponse response = answer(kept);
  if (request.sink && response.status >= 200 && response.status <= 299) {
    request.sink(std::exchange(response.body, {}));
  } else if (response.body.size() > request.response_bytes_max) {
    throw Error(Code::kResourceExhausted, "the answer of " + request.url + " is longer than " +
                                              std::to_string(request.response_bytes_max) +
                                              " bytes");
  }
  return response;
}

HttpResponse FaultyHttpClient::send(const HttpRequest& request) {
  assert(fault && "FaultyHttpClient::fault must be set");
  if (!after) {
    if (const auto error = fault(request)) throw Error(*error);
    return inner_.send(request);
  }
  HttpResponse response = inner_.send(request);
  if (const auto error = fault(request)) throw Error(*error);
  return response;
}

}  // namespace slipway::net
