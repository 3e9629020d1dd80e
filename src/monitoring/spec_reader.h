// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/value.h"

namespace slipway::monitoring {

// Reads the spec of one object (Monitor, Webhook, Gate) key by key. Everything throws
// kInvalidArgument that names kind and key: "Monitor spec: `budget` must be a number between 2 and
// 1000000, not 1".
class SpecReader {
 public:
  // `kind` begins the messages; `known` are all keys that may be there. Throws at once for an
  // unknown key, with the nearest known one.
  SpecReader(std::string kind, const json::Value& spec, const std::vector<std::string_view>& known);

  std::string required_text(std::string_view key) const;  // not empty
  std::string text(std::string_view key, std::string_view fallback) const;
  std::string choice(std::string_view key, std::string_view fallback,
                     const std::vector<std::string_view>& choices) const;
  std::optional<double> maybe_number(std::string_view key, double least, double most) const;
  double number(std::string_view key, double fallback, double least, double most) const;
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t least,
                       std::int64_t most) const;
  TimeUs duration(std::string_view key, TimeUs fallback, TimeUs least, TimeUs most) const;  // "14d"

  [[noreturn]] void refuse(std::string_view key, const std::string& why) const;

 private:
  const json::Value* find(std::string_view key) const;  // null when absent or JSON null

  std::string kind_;
  json::Value spec_;
};

// A duration in its largest whole unit: "14d", "36h", "90s", "20us".
std::string duration_text(TimeUs duration);

}  // namespace slipway::monitoring
