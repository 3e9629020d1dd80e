// SPDX-License-Identifier: Apache-2.0
#include "http/parser.h"

namespace slipway::http {
namespace {

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

Method method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get: return Method::kGet;
    case beast::http::verb::head: return Method::kHead;
    case beast::http::verb::post: return Method::kPost;
    case beast::http::verb::put: return Method::kPut;
    case beast::http::verb::patch: return Method::kPatch;
    case beast::http::verb::delete_: return Method::kDelete;
    case beast::http::verb::options: return Method::kOptions;
    default: return Method::kOther;
  }
}

}  // namespace

Parser::Parser(Request& request, BodySink& sink, std::uint32_t header_bytes_max)
    : request_(request), sink_(sink) {
  header_limit(header_bytes_max);
  body_limit(boost::none);  // the route's limit is the connection's matter
}

void Parser::on_request_impl(beast::http::verb method, Text, Text target, int version, ErrorCode&) {
  request_.method = method_of(method);
  request_.target = view(target);
  request_.headers.reserve(12);
  version_ = version;
}

void Parser::on_field_impl(beast::http::field field, Text name, Text value, ErrorCode& error) {
  if (head_done_) return;  // trailers of a chunked body: nobody asks for them
  if (request_.headers.size() == kHeaderFieldsMax) {
    error = beast::http::error::header_limit;
    return;
  }
  switch (field) {
    case beast::http::field::host: ++hosts_; break;
    case beast::http::field::expect:
      expects_continue_ = beast::iequals(value, "100-continue");
      break;
    case beast::http::field::transfer_encoding:
      if (transfer_encoding_ || version_ == 10 || !beast::iequals(value, "chunked")) {
        error = beast::http::error::bad_transfer_encoding;
        return;
      }
      transfer_encoding_ = true;
      break;
    default: break;
  }
  request_.headers.emplace_back(view(name), view(value));
}

void Parser::on_header_impl(ErrorCode& error) {
  head_done_ = true;
  if (hosts_ > 1 || (hosts_ == 0 && version_ >= 11)) error = beast::http::error::bad_field;
}

std::size_t Parser::on_body_impl(Text body, ErrorCode&) {
  sink_.on_body(view(body));
  return body.size();
}

std::size_t Parser::on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) {
  sink_.on_body(view(body));
  return body.size();
}

HeadRefusal refusal_of(const boost::beast::error_code& error, std::string_view rest,
                       std::uint64_t header_bytes_max) {
  namespace codes = boost::beast::http;
  if (error == codes::error::header_limit) {
    return {431,
            Error(Code::kResourceExhausted,
                  "the request's head is longer than " + std::to_string(header_bytes_max) +
                      " bytes or has more than " + std::to_string(kHeaderFieldsMax) + " fields")};
  }
  // A line that ends in a bare LF is nonsense; one that ends in CRLF and names no version of ours
  // is another version.
  const std::size_t end = rest.find('\n');
  const bool ends_well = end != std::string_view::npos && end > 0 && rest[end - 1] == '\r';
  if (error == codes::error::bad_version && ends_well) {
    return {505, Error(Code::kUnimplemented, "this server speaks HTTP/1.0 and HTTP/1.1")};
  }
  return {400, Error(Code::kInvalidArgument, "malformed request: " + error.message())};
}

}  // namespace slipway::http
