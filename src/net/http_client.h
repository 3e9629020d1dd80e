// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway::net {

// Answers longer than this are refused unless the request says otherwise or gives a sink.
inline constexpr std::uint64_t kResponseBytesMax = 64ULL << 20;

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Instead of `body`: up to `size` bytes at a time, 0 at the end. With `body_bytes` sent by
  // length, else in chunks.
  std::function<std::size_t(char* buffer, std::size_t size)> body_source;
  std::optional<std::uint64_t> body_bytes;
  int timeout_ms = 30'000;  // of the whole exchange; 0 = none
  std::string address;      // connect to this IP address instead of asking for the host's; "" = ask
  std::uint64_t response_bytes_max = kResponseBytesMax;
  // Takes the body of a 2xx answer piece by piece instead of HttpResponse::body (which then stays
  // empty), without limit. What it throws ends the exchange and comes out of send().
  std::function<void(std::string_view)> sink;
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // in order, names as sent
  std::string body;

  std::optional<std::string_view> header(
      std::string_view name) const;  // first of that name, any case
};

// The network door: one HTTP exchange. Any status is an answer, redirects too: they are not
// followed.
//   throws  kInvalidArgument   the URL is none of ours, or a header field holds a line end
//           kUnavailable       no such host, nobody listens, the connection broke, TLS failed:
//           names the URL kDeadlineExceeded  `timeout_ms` passed kResourceExhausted the answer is
//           longer than `response_bytes_max`
// One client is for one thread at a time; it keeps its connections open for the next request.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual HttpResponse send(const HttpRequest& request) = 0;
};

// On libcurl, which is loaded when the first client is made (kUnavailable with the package's name
// when it is not installed): commands that talk to nobody do not pay for it. Certificates are
// checked. Proxies of the environment hold for other machines, never for this one.
class CurlHttpClient final : public HttpClient {
 public:
  CurlHttpClient();
  ~CurlHttpClient() override;
  CurlHttpClient(const CurlHttpClient&) = delete;
  CurlHttpClient& operator=(const CurlHttpClient&) = delete;

  HttpResponse send(const HttpRequest& request) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Answers from a function instead of the network; keeps what was asked, streamed bodies as `body`.
// Sinks and limits work.
class FakeHttpClient final : public HttpClient {
 public:
  std::function<HttpResponse(const HttpRequest&)> answer;  // must be set
  std::vector<HttpRequest> asked;
  HttpResponse send(const HttpRequest& request) override;
};

// Throws what `fault` returns, before or (with `after`) once the other client has done the
// exchange: a request whose answer got lost has happened.
class FaultyHttpClient final : public HttpClient {
 public:
  explicit FaultyHttpClient(HttpClient& inner) : inner_(inner) {}
  std::function<std::optional<Error>(const HttpRequest&)> fault;  // must be set
  bool after = false;
  HttpResponse send(const HttpRequest& request) override;

 private:
  HttpClient& inner_;
};

}  // namespace slipway::net
