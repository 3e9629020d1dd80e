// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace slipway::cli {

// A variable of the caller's environment; "" where it is not set, which no command tells from an
// empty one. Not thread-safe against setenv: nothing in this program sets variables.
std::string environment(const char* name);

}  // namespace slipway::cli
