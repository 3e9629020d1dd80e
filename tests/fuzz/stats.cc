// SPDX-License-Identifier: Apache-2.0
// `slipway stats NAME`: the first line is the name, the rest its input. The same input gives the
// same bytes, and a value or an Error whatever the input.
#include <algorithm>
#include <string>

#include "calc/calc.h"
#include "fuzz.h"
#include "json/value.h"

namespace slipway {
namespace {

// Work grows with these on purpose (resampling, exact tests): a slow input is not a finding here.
bool is_small(const json::Value& value) {
  if (value.is_number()) return !(value.as_double() > 2'000);
  if (value.is_array()) {
    return value.as_array().size() <= 64 &&
           std::all_of(value.as_array().begin(), value.as_array().end(), is_small);
  }
  if (!value.is_object()) return true;
  return std::all_of(value.as_object().begin(), value.as_object().end(),
                     [](const json::Member& member) { return is_small(member.second); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const std::size_t line = std::min(text.find('\n'), text.size());
  json::Value input;
  if (!fuzz::accepts([&] { input = json::parse(text.substr(std::min(line + 1, text.size()))); }))
    return 0;
  if (!is_small(input)) return 0;
  std::string first;
  if (!fuzz::accepts([&] { first = json::write(calc::run(text.substr(0, line), input)); }))
    return 0;
  fuzz::require(json::write(calc::run(text.substr(0, line), input)) == first,
                "the same input gives the same bytes");
  fuzz::require(fuzz::accepts([&] { (void)json::parse(first); }), "the answer is JSON");
  return 0;
}

}  // namespace slipway
