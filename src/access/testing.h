// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.h"
#include "storage/database.h"

namespace slipway::access {

// A store in memory with a clock that stands still unless told.
struct Fixture {
  FakeClock clock{1'700'000'000'000'000};
  storage::Database database{{.path = ":memory:"}};
};

}  // namespace slipway::access
