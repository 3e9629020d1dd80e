// SPDX-License-Identifier: Apache-2.0
#include "http/head.h"

#include <charconv>

namespace slipway::http {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t start = out.size();
  out.append(name);
  out.append(": ");
  out.append(value);
  for (std::size_t i = start; i < out.size(); ++i) {
    if (out[i] == '\r' || out[i] == '\n' || out[i] == '\0') out[i] = ' ';
  }
  out.append("\r\n");
}

}  // namespace

Framing framing_of(const Response& response, bool http_1_0, bool keep_alive) {
  Framing framing;
  const bool body = has_body(response.status);
  const bool streamed = static_cast<bool>(response.source);
  framing.chunked = body && streamed && !http_1_0;
  framing.close = !keep_alive || (body && streamed &&
                                  http_1_0);  // the end of the connection is the end of the body
  framing.say_keep_alive = http_1_0;
  if (body && !streamed) {
    framing.content_length = response.file_fd >= 0 ? response.file_bytes : response.body.size();
  }
  return framing;
}

std::string http_date(std::time_t seconds) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  const auto two = [](int number) {
    std::string text = std::to_string(number);
    return text.size() < 2 ? "0" + text : text;
  };
  return std::string(kDays[parts.tm_wday]) + ", " + two(parts.tm_mday) + " " +
         kMonths[parts.tm_mon] + " " + std::to_string(parts.tm_year + 1900) + " " +
         two(parts.tm_hour) + ":" + two(parts.tm_min) + ":" + two(parts.tm_sec) + " GMT";
}

void append_head(std::string& out, const Response& response, const Framing& framing,
                 std::string_view date, const std::vector<Header>& extra) {
  // The usual status line is one append.
  if (response.status == 200) {
    out.append("HTTP/1.1 200 OK\r\nDate: ");
  } else {
    out.append("HTTP/1.1 ");
    append_number(out, static_cast<std::uint64_t>(response.status));
    out += ' ';
    out.append(reason_phrase(response.status));
    out.append("\r\nDate: ");
  }
  out.append(date);
  out.append("\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: SAMEORIGIN\r\n");
  if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
  if (framing.content_length) {
    out.append("Content-Length: ");
    append_number(out, *framing.content_length);
    out.append("\r\n");
  }
  if (framing.chunked) out.append("Transfer-Encoding: chunked\r\n");
  if (framing.close) {
    out.append("Connection: close\r\n");
  } else if (framing.say_keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  for (const auto& [name, value] : extra) append_field(out, name, value);
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  out.append("\r\n");
}

}  // namespace slipway::http
