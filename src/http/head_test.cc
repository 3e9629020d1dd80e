// SPDX-License-Identifier: Apache-2.0
#include "http/head.h"

#include <gtest/gtest.h>

namespace slipway::http {
namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

TEST(Framing, Table) {
  Response text;
  text.body = "abc";
  Response file;
  file.file_fd = 0;  // not used here
  file.file_bytes = 1'000;
  Response stream;
  stream.source = [](std::string&) { return false; };
  Response none;
  none.status = 204;
  struct Row {
    const Response& response;
    bool http_1_0;
    bool keep_alive;
    std::optional<std::uint64_t> content_length;
    bool chunked;
    bool close;
  };
  const Row table[] = {
      {text, false, true, 3, false, false},   {text, true, true, 3, false, false},
      {text, false, false, 3, false, true},   {file, false, true, 1'000, false, false},
      {stream, false, true, {}, true, false}, {stream, false, false, {}, true, true},
      {stream, true, true, {}, false, true},  {none, false, true, {}, false, false}};
  for (const Row& row : table) {
    const Framing framing = framing_of(row.response, row.http_1_0, row.keep_alive);
    EXPECT_EQ(framing.content_length, row.content_length);
    EXPECT_EQ(framing.chunked, row.chunked);
    EXPECT_EQ(framing.close, row.close);
    EXPECT_EQ(framing.say_keep_alive, row.http_1_0);
  }
}

TEST(HttpDate, IsTheFixedForm) {
  EXPECT_EQ(http_date(784'111'777), kDate);
  EXPECT_EQ(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Head, HasEverythingInOrder) {
  Response response;
  response.status = 404;
  response.content_type = "text/html";
  response.headers = {{"ETag", "\"1\""}};
  Framing framing;
  framing.content_length = 12;
  framing.close = true;
  std::string out;
  append_head(out, response, framing, kDate, {{"Vary", "Origin"}});
  EXPECT_EQ(out,
            "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 "
            "GMT\r\nX-Content-Type-Options: nosniff\r\n"
            "X-Frame-Options: SAMEORIGIN\r\nContent-Type: text/html\r\nContent-Length: "
            "12\r\nConnection: close\r\n"
            "Vary: Origin\r\nETag: \"1\"\r\n\r\n");
}

TEST(Head, ChunkedKeepAlive) {
  Response response;
  response.content_type = "";
  Framing framing;
  framing.chunked = true;
  framing.say_keep_alive = true;
  std::string out;
  append_head(out, response, framing, kDate, {});
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-Content-Type-Options: "
            "nosniff\r\n"
            "X-Frame-Options: SAMEORIGIN\r\nTransfer-Encoding: chunked\r\nConnection: "
            "keep-alive\r\n\r\n");
}

TEST(Head, AFieldCannotEndItsLine) {
  Response response;
  response.content_type = "a\r\nb";
  response.headers = {{"X\n", std::string("1\0002", 3)}};
  std::string out;
  append_head(out, response, {}, kDate, {});
  EXPECT_NE(out.find("\r\nContent-Type: a  b\r\n"), std::string::npos);
  EXPECT_NE(out.find("\r\nX : 1 2\r\n"), std::string::npos);
}

}  // namespace
}  // namespace slipway::http
