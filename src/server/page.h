// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "http/router.h"

namespace slipway::server {

// The embedded page: its files, and index.html for each of its views' addresses. Hashed files are
// kept by browsers for ever, index.html is asked for again each time (ETag). A strict content
// security policy: nothing from elsewhere, no inline scripts. A program built without the page
// answers "/" with a sentence that says so.
std::vector<http::Route> page_routes();

}  // namespace slipway::server
