// SPDX-License-Identifier: Apache-2.0
#include "tracking/key_rules.h"

#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "json/value.h"
#include "tracking/word_character.h"

namespace slipway::tracking {
namespace {

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// The code point that begins at `i`, which moves behind it. REQUIRES well-formed UTF-8, as JSON is.
char32_t next_character(std::string_view text, std::size_t& i) {
  const auto lead = static_cast<unsigned char>(text[i++]);
  if (lead < 0x80) return lead;
  const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  char32_t c = lead & (0x3FU >> more);
  for (int k = 0; k < more && i < text.size(); ++k)
    c = (c << 6) | (static_cast<unsigned char>(text[i++]) & 0x3FU);
  return c;
}

bool has_only_key_characters(std::string_view key) {
  for (std::size_t i = 0; i < key.size();) {
    const char32_t c = next_character(key, i);
    if (is_word_character(c)) continue;
    if (c != '/' && c != '.' && c != '-' && c != ' ' && c != ':') return false;
  }
  return true;
}

[[noreturn]] void refuse_value(std::string_view path, std::string_view value,
                               const std::string& why) {
  throw Error(Code::kInvalidArgument, "Invalid value " + quoted(value) + " for parameter '" +
                                          std::string(path) + "' supplied: " + why);
}

}  // namespace

std::string quoted(std::string_view text) {
  json::WriteRules rules;
  rules.python_separators = true;
  return json::write(json::Value(text), rules);
}

std::string normal_path(std::string_view path) {
  if (path.empty()) return ".";
  const bool absolute = path.front() == '/';
  // POSIX leaves two leading slashes alone, three are one.
  const bool two = path.size() >= 2 && path[1] == '/' && !(path.size() > 2 && path[2] == '/');
  std::vector<std::string_view> parts;
  for (std::size_t i = 0; i <= path.size();) {
    const std::size_t end = std::min(path.find('/', i), path.size());
    const std::string_view part = path.substr(i, end - i);
    i = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != ".." || (!absolute && parts.empty()) || (!parts.empty() && parts.back() == "..")) {
      parts.push_back(part);
    } else if (!parts.empty()) {
      parts.pop_back();
    }
  }
  std::string out = !absolute ? "" : two ? "//" : "/";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += '/';
    out += parts[i];
  }
  return out.empty() ? "." : out;
}

void check_key(std::string_view key, std::string_view path) {
  if (!has_only_key_characters(key)) {
    refuse_value(path, key,
                 "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), "
                 "spaces ( ), colon(:) and "
                 "slashes (/).");
  }
  const std::string normal = normal_path(key);
  if (normal != key || normal == "." || normal.starts_with("..") || normal.starts_with("/")) {
    refuse_value(path, key,
                 "Names may be treated as files in certain cases, and must not resolve to other "
                 "names when treated as such. "
                 "This name would resolve to '" +
                     normal + "'");
  }
}

void check_key_and_length(std::string_view key, std::string_view path, std::string_view what) {
  check_key(key, path);
  check_length(key, kKeyCharactersMax, what);
}

void check_length(std::string_view text, std::size_t characters_max, std::string_view what) {
  if (text.size() <= characters_max || count_characters(text) <= characters_max) return;
  throw Error(Code::kInvalidArgument, "'" + std::string(what) + "' exceeds the maximum length of " +
                                          std::to_string(characters_max) + " characters");
}

void check_text(std::string_view text, std::string_view path) {
  if (text.find('\0') == std::string_view::npos) return;
  throw Error(Code::kInvalidArgument, "Invalid value for parameter '" + std::string(path) +
                                          "' supplied: a text may hold any character but U+0000");
}

void check_experiment_name(std::string_view name) {
  if (name.empty()) throw Error(Code::kInvalidArgument, "Invalid experiment name: ''");
  check_length(name, kExperimentNameCharactersMax, "name");
}

void check_logged_model_name(std::string_view name) {
  if (name.find_first_of("/:.%\"'") == std::string_view::npos) return;
  throw Error(Code::kInvalidArgument, "Invalid model name ('" + std::string(name) +
                                          "') provided. Model name must be a non-empty string and "
                                          "cannot contain the following characters: "
                                          "('/', ':', '.', '%', '\"', \"'\")");
}

void check_metric_time(std::int64_t time_ms, std::string_view key, double value,
                       std::string_view path) {
  if (time_ms >= 0) return;
  std::string number;
  if (std::isfinite(value)) {
    json::append_number(number, value);
  } else {
    number = std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
  }
  throw Error(Code::kInvalidArgument,
              "Invalid value " + std::to_string(time_ms) + " for parameter '" + std::string(path) +
                  "' supplied: metric '" + std::string(key) + "' (value=" + number +
                  "). Timestamp must be a nonnegative long (64-bit integer) ");
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text)
    if (!is_continuation(c)) ++count;
  return count;
}

std::string_view cut_to_characters(std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max) return text;
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_continuation(text[i])) continue;
    if (count == characters_max) return text.substr(0, i);
    ++count;
  }
  return text;
}

std::string invent_name() {
  static constexpr std::array kAdjectives = {
      "able",  "agile",   "amber",  "bold",    "brave",  "breezy",  "bright", "brisk",
      "calm",  "candid",  "clever", "coastal", "crisp",  "curious", "deep",   "eager",
      "fair",  "fine",    "fleet",  "fresh",   "gentle", "golden",  "grand",  "happy",
      "hardy", "keen",    "kind",   "lively",  "lucky",  "merry",   "mild",   "nimble",
      "noble", "patient", "polite", "proud",   "quiet",  "rapid",   "ready",  "salty",
      "sharp", "silent",  "smart",  "steady",  "stout",  "sunny",   "swift",  "true"};
  static constexpr std::array kNouns = {
      "anchor",   "bay",    "beacon", "boat",    "bow",        "bridge", "buoy",    "cape",
      "canoe",    "cove",   "crane",  "current", "deck",       "dock",   "dolphin", "ferry",
      "fleet",    "galley", "gull",   "harbor",  "heron",      "hull",   "island",  "jetty",
      "kayak",    "keel",   "lagoon", "launch",  "lighthouse", "mast",   "marina",  "otter",
      "pelican",  "pier",   "pilot",  "port",    "quay",       "reef",   "rudder",  "sail",
      "schooner", "seal",   "shoal",  "sloop",   "tern",       "tide",   "wave",    "whale"};
  std::array<std::uint8_t, 4> random{};
  random_bytes(random);
  const unsigned number = static_cast<unsigned>(random[2] << 8 | random[3]) % 1'000;
  return std::string(kAdjectives[random[0] % kAdjectives.size()]) + "-" +
         kNouns[random[1] % kNouns.size()] + "-" + std::to_string(number);
}

}  // namespace slipway::tracking
