// SPDX-License-Identifier: Apache-2.0
#include "api/inference/errors.h"

#include "json/value.h"

namespace slipway::api::inference {
namespace {

struct WireCode {
  int status;
  std::string_view scoring_name;
};

// One table for both protocols: they differ in the body alone.
WireCode wire_code(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return {400, "BAD_REQUEST"};
    case Code::kUnauthenticated: return {401, "UNAUTHENTICATED"};
    case Code::kPermissionDenied: return {403, "PERMISSION_DENIED"};
    case Code::kNotFound: return {404, "RESOURCE_DOES_NOT_EXIST"};
    case Code::kUnimplemented: return {501, "NOT_IMPLEMENTED"};
    case Code::kFailedPrecondition:
    case Code::kResourceExhausted:
    case Code::kUnavailable: return {503, "TEMPORARILY_UNAVAILABLE"};
    case Code::kDeadlineExceeded: return {504, "DEADLINE_EXCEEDED"};
    default: return {500, "INTERNAL_ERROR"};
  }
}

http::Response response_of(const json::Object& body, int status) {
  http::Response response;
  response.status = status;
  response.body = json::write(body);
  return response;
}

}  // namespace

http::Response error_response(const Error& error, int status) {
  return response_of(json::Object{{"error", error.what()}},
                     status != 0 ? status : wire_code(error.code()).status);
}

http::Response scoring_error_response(const Error& error, int status) {
  const WireCode code = wire_code(error.code());
  return response_of(json::Object{{"error_code", code.scoring_name}, {"message", error.what()}},
                     status != 0 ? status : code.status);
}

}  // namespace slipway::api::inference
