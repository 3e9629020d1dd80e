// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/errors.h"

#include <string>
#include <utility>

#include "json/value.h"

namespace slipway::api::mlflow {
namespace {

std::string_view page_text(int status) {
  switch (status) {
    case 400: return "The browser (or proxy) sent a request that this server could not understand.";
    case 405: return "The method is not allowed for the requested URL.";
    default: break;
  }
  return "The requested URL was not found on the server. If you entered the URL manually please "
         "check your spelling and try again.";
}

}  // namespace

http::Response error_page(int status) {
  http::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  const std::string title = std::to_string(status) + " " + std::string(http::reason_phrase(status));
  response.body = "<!doctype html>\n<html lang=en>\n<title>" + title + "</title>\n<h1>" +
                  std::string(http::reason_phrase(status)) + "</h1>\n<p>" +
                  std::string(page_text(status)) + "</p>\n";
  return response;
}

http::Response unauthenticated_response() {
  http::Response response;
  response.status = 401;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("WWW-Authenticate", "Basic realm=\"mlflow\"");
  response.body =
      "You are not authenticated. Please see "
      "https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to "
      "authenticate.";
  return response;
}

http::Response forbidden_response() {
  http::Response response;
  response.status = 403;
  response.content_type = "text/html; charset=utf-8";
  response.body = "Permission denied";
  return response;
}

WireError wire_error(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kFailedPrecondition:
      return {"INVALID_PARAMETER_VALUE", 400, "KAM00", "INVALID_PARAMETER_VALUE"};
    case Code::kNotFound: return {"RESOURCE_DOES_NOT_EXIST", 404, "KAM00", "RESOURCE_NOT_FOUND"};
    case Code::kAlreadyExists:
      return {"RESOURCE_ALREADY_EXISTS", 400, "KAM00", "RESOURCE_ALREADY_EXISTS"};
    case Code::kConflict: return {"RESOURCE_CONFLICT", 409, "", ""};
    case Code::kUnauthenticated: return {"UNAUTHENTICATED", 401, "", ""};
    case Code::kPermissionDenied: return {"PERMISSION_DENIED", 403, "KAM00", "PERMISSION_DENIED"};
    // A full disk, as a rule. The client would repeat a 429 for minutes, and then hide the reason.
    case Code::kResourceExhausted: return {"RESOURCE_EXHAUSTED", 507, "", ""};
    case Code::kUnavailable:
      return {"TEMPORARILY_UNAVAILABLE", 503, "XXM00", "CLIENT_INTERNAL_ERROR"};
    case Code::kDeadlineExceeded: return {"DEADLINE_EXCEEDED", 504, "", ""};
    case Code::kUnimplemented: return {"NOT_IMPLEMENTED", 501, "", ""};
    case Code::kDataLoss: return {"DATA_LOSS", 500, "", ""};
    case Code::kInternal: return {"INTERNAL_ERROR", 500, "XXM00", "CLIENT_INTERNAL_ERROR"};
  }
  return {"INTERNAL_ERROR", 500, "XXM00", "CLIENT_INTERNAL_ERROR"};
}

http::Response error_response(const Error& error) {
  std::string message = error.what();
  if (!error.hint().empty()) message += " (" + error.hint() + ")";
  return error_response(wire_error(error.code()), std::move(message));
}

http::Response error_response(const WireError& wire, std::string message) {
  json::Object body{{"error_code", wire.error_code}, {"message", std::move(message)}};
  if (!wire.sqlstate.empty()) body.set("sqlstate", wire.sqlstate);
  if (!wire.error_class.empty()) body.set("error_class", wire.error_class);
  http::Response response;
  response.status = wire.status;
  response.body = json::write(json::Value(std::move(body)), {.python_separators = true});
  return response;
}

http::Response refuse(const http::Request&, const http::Route* route, const Error& error,
                      int status) {
  if (route == nullptr && (status == 404 || status == 405)) return error_page(status);
  http::Response response = error_response(error);
  // The server's own refusals (413, 503 …) know their status better than the code does.
  if (status >= 400 && route == nullptr) response.status = status;
  if (error.code() == Code::kResourceExhausted && status == 413) response.status = status;
  return response;
}

}  // namespace slipway::api::mlflow
