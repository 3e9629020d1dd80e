// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/percent.h"

namespace slipway::net {

using slipway::percent_decode;
using slipway::percent_encode;

// A URL of scheme http or https (RFC 3986), taken apart.
struct Url {
  std::string scheme = "http";  // "http" or "https"
  std::string user_info;        // "user:password" as written, or ""
  std::string host;             // lower case; an IPv6 address without its brackets
  std::uint16_t port = 80;      // the scheme's own where none is written
  std::string target = "/";  // path and query as written, still escaped; never empty, no fragment

  bool operator==(const Url&) const = default;
};

// Throws kInvalidArgument naming the text and what is wrong: another scheme, no host, a port that
// is not 1 to 65535, blanks or control bytes.
Url parse_url(std::string_view text);

// The text of a URL; the port stands in it unless it is the scheme's own.
std::string compose_url(const Url& url);

// "scheme://host:port" without user and password: what error messages and logs may show of a URL
// that holds a secret.
std::string origin(const Url& url);

// Whether the host can only be this machine: "localhost", 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);

}  // namespace slipway::net
