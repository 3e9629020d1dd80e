// SPDX-License-Identifier: Apache-2.0
#include "stats/require.h"

#include <cmath>

#include "base/error.h"

namespace slipway::stats {

void require(bool holds, const char* name, const std::string& what) {
  if (!holds) throw Error(Code::kInvalidArgument, "`" + std::string(name) + "` must " + what);
}

void require_open_unit(double value, const char* name) {
  require(value > 0 && value < 1, name, "lie between 0 and 1, both excluded");
}

void require_finite(double value, const char* name) {
  require(std::isfinite(value), name, "be a finite number");
}

}  // namespace slipway::stats
