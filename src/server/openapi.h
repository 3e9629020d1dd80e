// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/router.h"
#include "json/value.h"

namespace slipway::server {

// The routes of our own API (/api/slipway/v1) as an OpenAPI 3.1 document: paths, methods,
// summaries, path parameters, and whether a token is needed. Made from the route table, so that it
// cannot be out of date; docs/formats/openapi.json is a copy that a test compares.
json::Value openapi_document(const http::Router& router);

}  // namespace slipway::server
