// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "http/message.h"
#include "json/value.h"

// How every route of /api/slipway/v1 speaks: JSON objects without an envelope, errors as
// {"error":{"code","message","hint"}} with the HTTP status of the code. One table, used by the
// handlers and by the server's hook for thrown errors.
namespace slipway::api {

// 400 invalid_argument · 401 unauthenticated · 403 permission_denied · 404 not_found · 409
// already_exists, conflict · 412 failed_precondition · 507 resource_exhausted · 500 internal,
// data_loss · 501 unimplemented · 503 unavailable · 504 deadline_exceeded.
int http_status(Code code);

// The status of `error.code()`, or `status` where the server itself refuses (404 for an unknown
// path, 405, 413).
http::Response error_response(const Error& error, int status = 0);

http::Response json_response(const json::Value& value, int status = 200);

// "there is no monitor `lat`, did you mean `late`?": for a name that a list is filtered by, and
// that is not one of `known` (kNotFound).
Error unknown_name(std::string_view kind, const std::string& name,
                   const std::vector<std::string>& known, const std::string& hint = {});

// The request's body as a JSON object; an empty body is an empty object. Throws kInvalidArgument
// for other JSON and for no JSON.
json::Object body_object(const http::Request& request);

// A member of a request body. Throw kInvalidArgument naming the field when it has another type;
// `required_text` also when it is absent or empty.
std::string required_text(const json::Object& body, std::string_view field);
std::string optional_text(const json::Object& body, std::string_view field,
                          std::string_view otherwise = {});

// A query parameter as an integer within [min, max]; `otherwise` when absent. Throws
// kInvalidArgument naming the parameter.
std::int64_t query_integer(const http::Request& request, std::string_view name,
                           std::int64_t otherwise, std::int64_t min, std::int64_t max);
std::string query_text(const http::Request& request, std::string_view name);  // "" when absent

// A member that holds a time, as RFC 3339 text or integer microseconds; nullopt when absent or
// null.
std::optional<TimeUs> optional_time(const json::Object& body, std::string_view field);

}  // namespace slipway::api
