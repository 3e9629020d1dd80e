// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace slipway::stats {

// Throws kInvalidArgument "`name` must be WHAT" unless `holds`. Every function of this folder
// checks what its header says it checks through this, so that a caller's message always carries the
// argument's name in backticks.
void require(bool holds, const char* name, const std::string& what);

// The two checks that nearly all of them need: a share strictly between 0 and 1, and a finite
// number.
void require_open_unit(double value, const char* name);
void require_finite(double value, const char* name);

}  // namespace slipway::stats
