// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "http/boost.h"
#include "http/message.h"

namespace slipway::http {

// More header fields are refused.
inline constexpr std::size_t kHeaderFieldsMax = 256;

// Where a parser puts the pieces of a body, in order.
class BodySink {
 public:
  virtual ~BodySink() = default;
  virtual void on_body(std::string_view bytes) = 0;
};

// Beast's HTTP/1 grammar, writing straight into a Request: no field container in between. On top of
// the grammar it refuses what could be read two ways by a proxy and by us: a Transfer-Encoding
// other than "chunked", one in HTTP/1.0, more than one Host or none in HTTP/1.1.
class Parser final : public boost::beast::http::basic_parser<true> {
 public:
  Parser(Request& request, BodySink& sink, std::uint32_t header_bytes_max);

  bool http_1_0() const { return version_ == 10; }
  bool expects_continue() const { return expects_continue_; }

 private:
  using ErrorCode = boost::beast::error_code;
  using Text = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb method, Text method_text, Text target, int version,
                       ErrorCode&) override;
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_field_impl(boost::beast::http::field field, Text name, Text value,
                     ErrorCode& error) override;
  void on_header_impl(ErrorCode& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>&, ErrorCode&) override {}
  std::size_t on_body_impl(Text body, ErrorCode&) override;
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, Text body, ErrorCode&) override;
  void on_finish_impl(ErrorCode&) override {}

  Request& request_;
  BodySink& sink_;
  int version_ = 11;
  int hosts_ = 0;
  bool head_done_ = false;
  bool expects_continue_ = false;
  bool transfer_encoding_ = false;
};

// What to answer to a head that put() refused with `error`; `rest` is what it has not taken.
struct HeadRefusal {
  int status;
  Error error;
};
HeadRefusal refusal_of(const boost::beast::error_code& error, std::string_view rest,
                       std::uint64_t header_bytes_max);

}  // namespace slipway::http
