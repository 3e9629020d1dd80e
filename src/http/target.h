// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slipway::http {

// More parameters in a query are refused.
inline constexpr std::size_t kQueryParametersMax = 10'000;

// A request's target (RFC 9112 §3.2, origin or absolute form) taken apart.
struct Target {
  std::string_view raw_path;  // into the text given; still escaped, never empty
  std::string path;           // decoded once, repeated slashes made one
  std::vector<std::pair<std::string, std::string>>
      query;  // decoded, in order; '+' is a blank; a name without '=' has value ""
};

// On success "" and `out` is set; else why not, in a few words ("a malformed % escape in the
// path"). Refused: what percent_decode refuses, a path that does not start with '/', a segment that
// decodes to "." or "..", a '#', a blank or a control byte, too many query parameters. `out` points
// into `target`.
std::string parse_target(std::string_view target, Target& out);

// The decoded segments of a raw path: "/a//b%20c/" gives {"a", "b c", ""}, "/" gives {""}. Empty
// segments are dropped but the last. nullopt when one does not decode.
std::optional<std::vector<std::string>> path_segments(std::string_view raw_path);

}  // namespace slipway::http
