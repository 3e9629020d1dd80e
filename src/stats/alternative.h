// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace slipway::stats {

// Which departures from the null hypothesis count as evidence. With x = a - b, kGreater asks
// whether a is above b.
enum class Alternative { kTwoSided, kGreater, kLess };

}  // namespace slipway::stats
