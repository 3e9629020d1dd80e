// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

#include "base/error.h"
#include "base/text.h"

namespace slipway::net {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw Error(Code::kInvalidArgument, "`" + std::string(text) + "` is not a usable URL: " + why);
}

std::uint16_t default_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

std::string_view take_scheme(std::string_view text, Url& url) {
  for (const std::string_view scheme : {"http", "https"}) {
    const std::string prefix = std::string(scheme) + "://";
    if (text.size() >= prefix.size() && ascii_lower(text.substr(0, prefix.size())) == prefix) {
      url.scheme = scheme;
      return text.substr(prefix.size());
    }
  }
  refuse(text, "it starts with neither http:// nor https://");
}

std::uint16_t parse_port(std::string_view text, std::string_view digits) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65'535) {
    refuse(text, "its port is not a number from 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Url parse_url(std::string_view text) {
  const bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f;
  });
  if (!clean) refuse(text, "it holds a blank or a control byte");
  Url url;
  std::string_view rest = take_scheme(text, url);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  std::string_view authority = rest.substr(0, end);
  url.target = rest.substr(end);
  if (url.target.empty() || url.target.front() != '/') url.target.insert(0, "/");
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end =
      bracketed ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) refuse(text, "its [ has no ]");
  url.host =
      ascii_lower(bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end));
  if (url.host.empty()) refuse(text, "it has no host");
  const std::string_view port = authority.substr(host_end + (bracketed ? 1 : 0));
  url.port = default_port(url.scheme);
  if (!port.empty() && port.front() != ':')
    refuse(text, "its port is not a number from 1 to 65535");
  if (port.size() > 1) url.port = parse_port(text, port.substr(1));
  return url;
}

std::string origin(const Url& url) {
  std::string text = url.scheme + "://";
  text += url.host.find(':') != std::string::npos ? "[" + url.host + "]" : url.host;
  if (url.port != default_port(url.scheme)) text += ":" + std::to_string(url.port);
  return text;
}

std::string compose_url(const Url& url) {
  std::string text = origin(url);
  if (!url.user_info.empty()) text.insert(url.scheme.size() + 3, url.user_info + "@");
  return text + url.target;
}

bool is_loopback(std::string_view host) {
  const std::string text(host);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  return text == "::1" || text == "localhost";
}

}  // namespace slipway::net
