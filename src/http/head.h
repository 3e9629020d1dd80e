// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace slipway::http {

// How the end of a body is told to the client (RFC 9112 §6).
struct Framing {
  std::optional<std::uint64_t> content_length;  // nullopt: chunked, or the end of the connection
  bool chunked = false;
  bool close = false;           // the connection closes after this answer
  bool say_keep_alive = false;  // an HTTP/1.0 client asked for it
};

// Whether answers of this status have a body at all.
constexpr bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

// How this answer is framed for that client; `keep_alive` is what the client and the server's state
// allow.
Framing framing_of(const Response& response, bool http_1_0, bool keep_alive);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
std::string http_date(std::time_t seconds);

// Appends status line and header fields, the empty line included. Bytes that would end a field (CR,
// LF, NUL) become blanks.
void append_head(std::string& out, const Response& response, const Framing& framing,
                 std::string_view date, const std::vector<Header>& extra);

}  // namespace slipway::http
