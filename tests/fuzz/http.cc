// SPDX-License-Identifier: Apache-2.0
// A connection's bytes: head, chunks and target. The first byte chooses whether they come at once
// or one by one, which must make no difference.
#include <algorithm>
#include <string>
#include <vector>

#include "base/percent.h"
#include "fuzz.h"
#include "http/head.h"
#include "http/parser.h"
#include "http/router.h"
#include "http/target.h"

namespace slipway {
namespace {

constexpr std::uint32_t kHeadBytesMax = 8'192;
constexpr std::uint64_t kBodyBytesMax = 65'536;

struct Outcome {
  bool refused = false;
  bool done = false;
  http::Request request;
  std::string body;
};

class Body final : public http::BodySink {
 public:
  std::string bytes;
  void on_body(std::string_view more) override { bytes += more; }
};

Outcome read(std::string_view text, std::size_t step) {
  Outcome outcome;
  Body body;
  http::Parser parser(outcome.request, body, kHeadBytesMax);
  parser.body_limit(kBodyBytesMax);
  parser.eager(true);
  std::size_t taken = 0;
  for (std::size_t end = std::min(step, text.size()); !parser.is_done();) {
    boost::beast::error_code error;
    const std::string_view piece = text.substr(taken, end - taken);
    taken += parser.put(boost::asio::buffer(piece.data(), piece.size()), error);
    if (error == boost::beast::http::error::need_more) {
      if (end == text.size()) break;
      end = std::min(end + step, text.size());
    } else if (error) {
      outcome.refused = true;
      const auto refusal = http::refusal_of(error, text.substr(taken), kHeadBytesMax);
      fuzz::require(refusal.status >= 400 && refusal.status <= 505, "a refusal has its status");
      break;
    } else if (taken == end && end < text.size()) {
      end = std::min(end + step, text.size());
    } else if (taken == text.size() || piece.empty()) {
      break;
    }
  }
  outcome.done = parser.is_done();
  outcome.body = std::move(body.bytes);
  return outcome;
}

void check_target(std::string_view text) {
  http::Target target;
  if (!http::parse_target(text, target).empty()) return;
  fuzz::require(!target.path.empty() && target.path.front() == '/', "a path starts with '/'");
  fuzz::require(target.path.find('\0') == std::string::npos, "a path holds no NUL");
  fuzz::require(target.query.size() <= http::kQueryParametersMax, "the limit holds");
  const auto segments = http::path_segments(target.raw_path);
  fuzz::require(segments.has_value(), "a path that is taken has segments");
  for (const std::string& segment : *segments)
    fuzz::require(segment != "." && segment != "..", "no segment leads elsewhere");
  for (const auto& [name, value] : target.query) {
    const auto again = percent_decode(percent_encode(name) + percent_encode(value), true);
    fuzz::require(again && *again == name + value, "what is encoded decodes to itself");
  }
}

// What the request said must not be able to end a field of the answer.
void check_answer(const http::Request& request) {
  http::Response response;
  response.content_type = request.target;
  response.headers = request.headers;
  std::string head;
  http::append_head(head, response, http::framing_of(response, false, true), "today", {});
  const auto lines = std::count(head.begin(), head.end(), '\n');
  fuzz::require(head.ends_with("\r\n\r\n") && head.find("\r\n\r\n") == head.size() - 4,
                "a head ends once");
  fuzz::require(lines <= static_cast<std::ptrdiff_t>(request.headers.size()) + 8,
                "a field is one line");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  check_target(text);
  const Outcome whole = read(text, text.size());
  const Outcome pieces = read(text, 1 + data[0] % 7U);
  fuzz::require(whole.done == pieces.done, "pieces end where the whole ends");
  if (!whole.done) return 0;
  fuzz::require(whole.request.target == pieces.request.target &&
                    whole.request.headers == pieces.request.headers && whole.body == pieces.body,
                "pieces read as the whole");
  fuzz::require(whole.request.headers.size() <= http::kHeaderFieldsMax, "the limit holds");
  check_target(whole.request.target);
  check_answer(whole.request);
  return 0;
}

}  // namespace slipway
