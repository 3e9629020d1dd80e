// SPDX-License-Identifier: Apache-2.0
#include "api/slipway/errors.h"

#include <charconv>

#include "base/nearest.h"

namespace slipway::api {
namespace {

Error wrong_type(std::string_view field, std::string_view wanted, const json::Value& value) {
  return Error(Code::kInvalidArgument, "`" + std::string(field) + "` must be " +
                                           std::string(wanted) + ", not " +
                                           std::string(json::kind_name(value)));
}

// So much of a client's text as a message repeats; whole characters, since an answer is UTF-8.
std::string shown(const std::string& text) {
  constexpr std::size_t kShownBytesMax = 200;
  if (text.size() <= kShownBytesMax) return text;
  std::size_t end = kShownBytesMax;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

}  // namespace

int http_status(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return 400;
    case Code::kUnauthenticated: return 401;
    case Code::kPermissionDenied: return 403;
    case Code::kNotFound: return 404;
    case Code::kAlreadyExists:
    case Code::kConflict: return 409;
    case Code::kFailedPrecondition: return 412;
    // A full disk; the same as MLflow's routes answer, which must not be repeated.
    case Code::kResourceExhausted: return 507;
    case Code::kUnimplemented: return 501;
    case Code::kUnavailable: return 503;
    case Code::kDeadlineExceeded: return 504;
    case Code::kDataLoss:
    case Code::kInternal: return 500;
  }
  return 500;
}

http::Response error_response(const Error& error, int status) {
  json::Object inner;
  inner.set("code", code_name(error.code()));
  inner.set("message", error.what());
  if (!error.hint().empty()) {
    inner.set("hint", error.hint());
  }
  json::Object outer;
  outer.set("error", std::move(inner));
  return json_response(std::move(outer), status != 0 ? status : http_status(error.code()));
}

http::Response json_response(const json::Value& value, int status) {
  http::Response response;
  response.status = status;
  response.body = json::write(value);
  return response;
}

Error unknown_name(std::string_view kind, const std::string& name,
                   const std::vector<std::string>& known, const std::string& hint) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest(name, views);
  std::string message = "there is no " + std::string(kind) + " `" + shown(name) + "`";
  if (!near.empty()) {
    message += ", did you mean `" + std::string(near) + "`?";
  }
  return Error(Code::kNotFound, message, hint);
}

json::Object body_object(const http::Request& request) {
  if (request.body.empty()) {
    return {};
  }
  json::Value value = json::parse(request.body);
  if (!value.is_object()) {
    throw Error(Code::kInvalidArgument, "the request's body must be a JSON object, not " +
                                            std::string(json::kind_name(value)));
  }
  return std::move(value.as_object());
}

std::string required_text(const json::Object& body, std::string_view field) {
  std::string text = optional_text(body, field);
  if (text.empty()) {
    throw Error(Code::kInvalidArgument,
                "`" + std::string(field) + "` is required and must not be empty");
  }
  return text;
}

std::string optional_text(const json::Object& body, std::string_view field,
                          std::string_view otherwise) {
  const json::Value* value = body.find(field);
  if (value == nullptr || value->is_null()) {
    return std::string(otherwise);
  }
  if (!value->is_string()) {
    throw wrong_type(field, "a text", *value);
  }
  return value->as_string();
}

std::int64_t query_integer(const http::Request& request, std::string_view name,
                           std::int64_t otherwise, std::int64_t min, std::int64_t max) {
  const std::optional<std::string_view> text = request.query_value(name);
  if (!text) {
    return otherwise;
  }
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [rest, fault] = std::from_chars(text->data(), end, value);
  if (fault != std::errc() || rest != end || value < min || value > max) {
    throw Error(Code::kInvalidArgument, "`" + std::string(name) + "` must be an integer from " +
                                            std::to_string(min) + " to " + std::to_string(max) +
                                            ", not `" + std::string(*text) + "`");
  }
  return value;
}

std::string query_text(const http::Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(std::string_view()));
}

std::optional<TimeUs> optional_time(const json::Object& body, std::string_view field) {
  const json::Value* value = body.find(field);
  if (value == nullptr || value->is_null()) {
    return std::nullopt;
  }
  if (value->kind() == json::Value::Kind::kInt) {
    return value->as_int();
  }
  if (!value->is_string()) {
    throw wrong_type(field, "a time such as 2013-03-01T00:00:00Z, or microseconds", *value);
  }
  const std::optional<TimeUs> time = parse_time(value->as_string());
  if (!time) {
    throw Error(Code::kInvalidArgument, "`" + std::string(field) +
                                            "` is not a time such as 2013-03-01T00:00:00Z: `" +
                                            value->as_string() + "`");
  }
  return time;
}

}  // namespace slipway::api
