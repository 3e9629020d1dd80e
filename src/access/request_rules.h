// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace slipway::access {

// What keeps web pages of other sites out of a server that listens on this machine: DNS rebinding
// is stopped by the Host rule, forged form posts by the Origin and content-type rules. Pure
// functions of header values; thread-safe.
struct RequestRules {
  std::vector<std::string> hosts_allowed;  // besides loopback names and the address listened on:
                                           // "ml.example.org", "ml.example.org:8443"
  std::string listen_host;
  std::uint16_t listen_port = 0;
};

// nullopt when the request may go on; else a sentence that says why not and which flag would allow
// it.
//   host, origin     header values; nullopt when absent
//   changes_state    POST, PUT, PATCH, DELETE
// A missing Host is let through (HTTP/1.0); every browser sends one.
std::optional<std::string> refuse_by_headers(const RequestRules& rules,
                                             std::optional<std::string_view> host,
                                             std::optional<std::string_view> origin,
                                             bool changes_state);

// "localhost", "[::1]", names below ".localhost", 127.x.y.z; with or without a port, any case.
bool is_loopback_host(std::string_view host);

// True for content types that a plain HTML form can send without asking the server first. Routes
// under /api/slipway refuse them.
bool is_form_content_type(std::optional<std::string_view> content_type);

}  // namespace slipway::access
