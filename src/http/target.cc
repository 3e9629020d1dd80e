// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <algorithm>

#include "http/message.h"

namespace slipway::http {
namespace {

std::string parse_query(std::string_view text, Target& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (field.empty()) continue;
    if (out.query.size() == kQueryParametersMax) {
      return "more than " + std::to_string(kQueryParametersMax) + " query parameters";
    }
    const std::size_t equals = std::min(field.find('='), field.size());
    auto name = percent_decode(field.substr(0, equals), true);
    auto value = percent_decode(field.substr(std::min(equals + 1, field.size())), true);
    if (!name || !value)
      return "a malformed % escape, a NUL or bytes that are not UTF-8 in the query";
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

// "http://host:port/path" is the absolute form that proxies send.
std::string_view without_authority(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    const std::size_t slash = target.find_first_of("/?", scheme.size());
    return slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  return target;
}

// Nothing to decode, merge or refuse: the usual case, told in one pass.
bool is_plain(std::string_view raw_path) {
  char before = '\0';
  for (const char c : raw_path) {
    if (c == '%' || static_cast<unsigned char>(c) >= 0x80) return false;
    if (before == '/' && (c == '/' || c == '.')) return false;
    before = c;
  }
  return true;
}

}  // namespace

std::optional<std::vector<std::string>> path_segments(std::string_view raw_path) {
  std::vector<std::string> segments;
  std::size_t at = 0;
  while (at < raw_path.size()) {
    ++at;  // over the slash
    const std::size_t end = std::min(raw_path.find('/', at), raw_path.size());
    if (end > at || end == raw_path.size()) {
      auto segment = percent_decode(raw_path.substr(at, end - at), false);
      if (!segment) return std::nullopt;
      segments.push_back(std::move(*segment));
    }
    at = end;
  }
  return segments;
}

std::string parse_target(std::string_view target, Target& out) {
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '#')
      return "a blank, a control byte or a '#' in the path";
  }
  target = without_authority(target);
  if (target.empty() || target.front() != '/') return "a path that does not start with '/'";
  const std::size_t question = std::min(target.find('?'), target.size());
  out.raw_path = target.substr(0, question);
  if (is_plain(out.raw_path)) {
    out.path = out.raw_path;
  } else {
    const auto segments = path_segments(out.raw_path);
    if (!segments) return "a malformed % escape, a NUL or bytes that are not UTF-8 in the path";
    out.path.clear();
    for (const std::string& segment : *segments) {
      if (segment == "." || segment == "..") return "a segment '" + segment + "' in the path";
      out.path += '/';
      out.path += segment;
    }
  }
  return question < target.size() ? parse_query(target.substr(question + 1), out) : std::string();
}

}  // namespace slipway::http
