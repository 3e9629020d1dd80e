// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/percent.h"
#include "http/access.h"

namespace slipway::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions, kOther };
std::string_view method_name(Method method);

using Header = std::pair<std::string, std::string>;

// Reads a request's body piece by piece, for routes that stream. Blocking; only on the pool thread
// that runs the handler.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Up to `size` bytes into `buffer`; 0 at the end. Throws kUnavailable when the client went away
  // or was too slow, kResourceExhausted when the body is longer than the route allows.
  virtual std::size_t read(char* buffer, std::size_t size) = 0;
};

// One request, decoded. Strings belong to it. It lives until its handler has returned and the last
// copy of its Responder is gone.
struct Request {
  Method method = Method::kGet;
  std::string target;  // as sent: path and query, still escaped
  std::string
      path;  // percent-decoded once, leading '/', without the query; repeated slashes are one
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order; '+' is a blank
  std::vector<Header> headers;                             // in order; names as sent
  std::vector<std::pair<std::string, std::string>>
      path_parameters;  // of the route: {name}, decoded
  std::string body;     // whole, unless the route streams
  BodyReader* body_reader =
      nullptr;       // only where the route streams; null after the handler returned
  std::string peer;  // address of the other side, "127.0.0.1"
  bool peer_is_loopback = false;
  Caller caller;  // set by ServerHooks::admit, or else by ServerHooks::verify
  // Set by ServerHooks::admit: who asks, or whether they may, is only known after
  // ServerHooks::verify.
  bool unverified = false;

  std::optional<std::string_view> header(
      std::string_view name) const;  // first of that name, any case
  std::optional<std::string_view> query_value(std::string_view name) const;  // first of that name
  const std::string& path_parameter(std::string_view name) const;  // REQUIRES: the route has it
};

// Produces a body piece by piece, on a pool thread: bytes appended to `out` (at most 1 MiB), false
// at the end. True with nothing appended means "nothing yet": it is asked again after kSourcePollMs
// and holds no thread meanwhile, so it need not wait for news itself. What it throws is logged and
// cuts the connection, so that the client sees that the body is incomplete. The next piece is asked
// for when the last one has been taken by the connection. Calls of one source never overlap.
using BodySource = std::function<bool(std::string& out)>;
inline constexpr int kSourcePollMs = 100;

struct Response {
  int status = 200;
  std::string content_type = "application/json";  // "" = no such header
  std::vector<Header> headers;
  std::string body;
  // Instead of `body`: a file to send from `file_offset`, `file_bytes` long. The descriptor is
  // closed afterwards.
  int file_fd = -1;
  std::uint64_t file_offset = 0;
  std::uint64_t file_bytes = 0;
  // Instead of both: chunked, until it returns false. With content type "text/event-stream" a
  // comment line is sent after ServerOptions::event_stream_silence_s without an event (a client
  // that vanished is noticed), and a stopping server ends the stream.
  BodySource source;
};

// Answers one request, once, from any thread. Dropping the last copy unanswered sends 500. After
// the client went away, or the server stopped, sending does nothing.
class Responder {
 public:
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void send(Response response) = 0;
  };
  explicit Responder(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}
  void send(Response response) const { sink_->send(std::move(response)); }

 private:
  std::shared_ptr<Sink> sink_;
};

// The HTTP status that stands for a code where an API has no table of its own: 400, 404, 409, 401,
// 403, 429, 503, 504, 501, 500.
int status_of(Code code);

// The reason phrase in title case: "Not Found".
std::string_view reason_phrase(int status);

using slipway::percent_decode;
using slipway::percent_encode;

}  // namespace slipway::http
