// SPDX-License-Identifier: Apache-2.0
#include "access/request_rules.h"

#include <algorithm>

#include "base/text.h"

namespace slipway::access {
namespace {

// "name:port" or "[v6]:port" without its port.
std::string without_port(const std::string& host) {
  if (!host.empty() && host.front() == '[') {
    // "[::1].example.org" is no address, whatever it begins with.
    const std::size_t end = host.find(']');
    const bool whole = end != std::string::npos && (end + 1 == host.size() || host[end + 1] == ':');
    return whole ? host.substr(0, end + 1) : host;
  }
  return host.substr(0, host.find(':'));
}

// 127.x.y.z written as digits and dots; a name that merely begins so resolves to wherever its owner
// likes.
bool is_loopback_name(const std::string& name) {
  if (name == "localhost" || name == "[::1]" || name.ends_with(".localhost")) return true;
  return name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string::npos;
}

bool host_allowed(const RequestRules& rules, const std::string& host) {
  const std::string name = without_port(host);
  if (is_loopback_name(name) || name == ascii_lower(rules.listen_host)) return true;
  return std::any_of(rules.hosts_allowed.begin(), rules.hosts_allowed.end(),
                     [&](const std::string& allowed) {
                       return ascii_lower(allowed) == host || ascii_lower(allowed) == name;
                     });
}

}  // namespace

bool is_loopback_host(std::string_view host) {
  return is_loopback_name(without_port(ascii_lower(host)));
}

std::optional<std::string> refuse_by_headers(const RequestRules& rules,
                                             std::optional<std::string_view> host,
                                             std::optional<std::string_view> origin,
                                             bool changes_state) {
  if (host && !host_allowed(rules, ascii_lower(*host))) {
    return "Invalid Host header '" + std::string(*host) + "': start the server with --allow-host " +
           without_port(ascii_lower(*host)) + " if this name is meant to reach it";
  }
  if (changes_state && origin && *origin != "null") {
    std::string site = ascii_lower(*origin);
    const std::size_t scheme = site.find("://");
    if (scheme != std::string::npos) site = site.substr(scheme + 3);
    if (!host || site != ascii_lower(*host)) {
      return "Cross-origin request from '" + std::string(*origin) +
             "' blocked: pages of other sites may not change anything here";
    }
  }
  if (changes_state && origin && *origin == "null") {
    return "Cross-origin request from an unnamed origin blocked: pages of other sites may not "
           "change anything here";
  }
  return std::nullopt;
}

bool is_form_content_type(std::optional<std::string_view> content_type) {
  if (!content_type) return false;
  const std::string type = ascii_lower(content_type->substr(0, content_type->find(';')));
  return type == "application/x-www-form-urlencoded" || type == "multipart/form-data" ||
         type == "text/plain";
}

}  // namespace slipway::access
