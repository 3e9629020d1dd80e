// SPDX-License-Identifier: Apache-2.0
// Any text: a value or an Error; a value that is written reads back the same, under each rule.
#include <cmath>
#include <string>

#include "fuzz.h"
#include "json/value.h"

namespace slipway {
namespace {

bool has_non_finite(const json::Value& value) {
  if (value.kind() == json::Value::Kind::kDouble) return !std::isfinite(value.as_double());
  if (value.is_array()) {
    for (const json::Value& item : value.as_array())
      if (has_non_finite(item)) return true;
  }
  if (value.is_object()) {
    for (const json::Member& member : value.as_object())
      if (has_non_finite(member.second)) return true;
  }
  return false;
}

void check(const json::Value& value, const json::WriteRules& writing) {
  const std::string text = json::write(value, writing);
  json::Value again;
  json::ParseRules reading;
  reading.bare_non_finite = true;
  fuzz::require(fuzz::accepts([&] { again = json::parse(text, reading); }),
                "what is written can be read");
  fuzz::require(has_non_finite(value) || again == value, "what is written reads back the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  for (int rules = 0; rules < 4; ++rules) {
    json::ParseRules reading;
    reading.bare_non_finite = (rules & 1) != 0;
    reading.duplicate_keys_last = (rules & 2) != 0;
    json::Value value;
    if (!fuzz::accepts([&] { value = json::parse(text, reading); })) continue;
    check(value, {.indent = -1, .bare_non_finite = reading.bare_non_finite});
    check(value, {.indent = 2, .bare_non_finite = true});
    check(value, {.indent = -1, .bare_non_finite = true, .python_separators = true});
  }
  return 0;
}

}  // namespace slipway
