// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string_view>

#include "base/error.h"

namespace slipway::http {

// What a client may see of a fault. An Error is meant for it, as it is; but kInternal and every
// other exception tell of the server's inside (statements, paths, a library's words): these are
// logged under a new id, and what is returned is kInternal with "internal error ID: …" alone.
//   doing  what failed, for the log: "POST /x"
// Thread-safe.
Error outward(const std::exception& fault, std::string_view doing);

}  // namespace slipway::http
