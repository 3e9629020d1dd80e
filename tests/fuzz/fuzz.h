// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/error.h"

// What the fuzzers share. Each file here gives libFuzzer one function: bytes in, and either nothing
// happens or the program ends, which is a finding. The readers may refuse with slipway::Error and
// nothing else.
namespace slipway::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};  // NOLINT
}

// A property that does not hold is a finding.
inline void require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "property does not hold: %s\n", property);
  std::abort();
}

// Whether the writer of YAML lost a blank, as DVC's does and ours so too, byte for byte: where a
// long plain text is folded at two blanks, one of them ends up at the end of a line.
inline bool lost_a_blank(std::string_view yaml) {
  return yaml.find("  \n") != std::string_view::npos;
}

// Runs `work`; true unless it refused with an Error. Any other exception ends the program.
template <typename Work>
bool accepts(Work&& work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    require(error.what()[0] != '\0', "an error says something");
    require(error.code() != Code::kInternal, "bad input is no fault of ours");
    return false;
  }
}

}  // namespace slipway::fuzz
