// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/id.h"
#include "tracing/otlp.h"
#include "tracing/python_json.h"

namespace slipway::tracing {
namespace {

// OTLP's JSON is protobuf's JSON mapping, but that ids are hexadecimal: names in camelCase or as in
// the .proto file, int64 as numbers or texts, null for absent, unknown names ignored.
//   source  opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

[[noreturn]] void refuse(const std::string& why) {
  throw Error(Code::kInvalidArgument, "not an OTLP request: " + why);
}

const json::Value* member(const json::Value& object, std::string_view camel,
                          std::string_view snake) {
  const json::Value* value = object.find(camel);
  if (value == nullptr) value = object.find(snake);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::Array& list_in(const json::Value& object, std::string_view camel,
                           std::string_view snake) {
  static const json::Array none;
  const json::Value* value = member(object, camel, snake);
  if (value == nullptr) return none;
  if (!value->is_array()) refuse(std::string(camel) + " is no list");
  for (const json::Value& item : value->as_array())
    if (!item.is_object()) refuse(std::string(camel) + " holds something else than objects");
  return value->as_array();
}

std::string text_in(const json::Value& object, std::string_view camel, std::string_view snake) {
  const json::Value* value = member(object, camel, snake);
  if (value == nullptr) return "";
  if (!value->is_string()) refuse(std::string(camel) + " is no text");
  return value->as_string();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string id_in(const json::Value& object, std::string_view camel, std::string_view snake) {
  const std::string hex = text_in(object, camel, snake);
  if (hex.size() % 2 != 0) refuse(std::string(camel) + " has an odd number of digits");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]);
    const int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) refuse(std::string(camel) + " is not hexadecimal");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

template <typename Integer>
Integer integer_of(const json::Value& value, std::string_view name) {
  if (value.is_string()) {
    const std::string& text = value.as_string();
    Integer number = 0;
    const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc() || stop != text.data() + text.size())
      refuse(std::string(name) + " is no integer");
    return number;
  }
  if (value.kind() == json::Value::Kind::kInt) {
    if constexpr (std::is_unsigned_v<Integer>) {
      if (value.as_int() < 0) refuse(std::string(name) + " is negative");
    }
    return static_cast<Integer>(value.as_int());
  }
  if (value.kind() == json::Value::Kind::kUint && std::is_unsigned_v<Integer>)
    return static_cast<Integer>(value.as_uint());
  if (value.kind() == json::Value::Kind::kDouble) {
    const double number = value.as_double();
    if (number == std::floor(number) && std::abs(number) < 0x1p63 &&
        (number >= 0 || !std::is_unsigned_v<Integer>))
      return static_cast<Integer>(number);
  }
  refuse(std::string(name) + " is no integer");
}

std::uint64_t time_in(const json::Value& object, std::string_view camel, std::string_view snake) {
  const json::Value* value = member(object, camel, snake);
  return value == nullptr ? 0 : integer_of<std::uint64_t>(*value, camel);
}

double real_of(const json::Value& value) {
  if (value.is_number()) return value.as_double();
  const std::string text = value.is_string() ? value.as_string() : "";
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  double number = 0;
  const auto [stop, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || fault != std::errc() || stop != text.data() + text.size())
    refuse("doubleValue is no number");
  return number;
}

enum class BytesAs { kPython, kBase64 };

json::Value read_value(const json::Value& any, BytesAs bytes, int depth);

OtlpAttributes read_pairs(const json::Array& list, BytesAs bytes, int depth) {
  OtlpAttributes pairs;
  pairs.reserve(list.size());
  for (const json::Value& item : list) {
    const json::Value* value = member(item, "value", "value");
    pairs.emplace_back(text_in(item, "key", "key"),
                       value == nullptr ? json::Value() : read_value(*value, bytes, depth));
  }
  return pairs;
}

json::Value read_bytes(const json::Value& value, BytesAs as) {
  if (!value.is_string()) refuse("bytesValue is no text");
  std::string raw;
  if (!base64_decode(value.as_string(), raw)) refuse("bytesValue is not base 64");
  return as == BytesAs::kBase64 ? base64_encode(raw) : python_bytes(raw);
}

json::Value read_value(const json::Value& any, BytesAs bytes, int depth) {
  if (depth > kOtlpDepthMax) refuse("values are nested too deeply");
  if (!any.is_object()) refuse("a value is no object");
  if (const auto* value = member(any, "stringValue", "string_value")) {
    if (!value->is_string()) refuse("stringValue is no text");
    return *value;
  }
  if (const auto* value = member(any, "boolValue", "bool_value")) {
    if (!value->is_bool()) refuse("boolValue is neither true nor false");
    return *value;
  }
  if (const auto* value = member(any, "intValue", "int_value"))
    return integer_of<std::int64_t>(*value, "intValue");
  if (const auto* value = member(any, "doubleValue", "double_value")) return real_of(*value);
  if (const auto* value = member(any, "bytesValue", "bytes_value"))
    return read_bytes(*value, bytes);
  if (const auto* value = member(any, "arrayValue", "array_value")) {
    json::Array list;
    for (const json::Value& item : list_in(*value, "values", "values"))
      list.push_back(read_value(item, bytes, depth + 1));
    return list;
  }
  if (const auto* value = member(any, "kvlistValue", "kvlist_value"))
    return object_of(read_pairs(list_in(*value, "values", "values"), bytes, depth + 1));
  return {};
}

OtlpAttributes attributes_in(const json::Value& object, BytesAs bytes = BytesAs::kPython) {
  return read_pairs(list_in(object, "attributes", "attributes"), bytes, 0);
}

void read_status(const json::Value& object, OtlpSpan& span) {
  const json::Value* status = member(object, "status", "status");
  if (status == nullptr) return;
  if (!status->is_object()) refuse("status is no object");
  span.status_message = text_in(*status, "message", "message");
  const json::Value* code = member(*status, "code", "code");
  if (code == nullptr) return;
  if (!code->is_string()) {
    const auto number = integer_of<std::int64_t>(*code, "code");
    span.status_code = number == 1 || number == 2 ? static_cast<int>(number) : 0;
  } else if (code->as_string() == "STATUS_CODE_OK") {
    span.status_code = 1;
  } else if (code->as_string() == "STATUS_CODE_ERROR") {
    span.status_code = 2;
  }
}

OtlpSpan read_span(const json::Value& object) {
  OtlpSpan span;
  span.trace_id = id_in(object, "traceId", "trace_id");
  span.span_id = id_in(object, "spanId", "span_id");
  span.parent_id = id_in(object, "parentSpanId", "parent_span_id");
  span.name = text_in(object, "name", "name");
  span.start_ns = time_in(object, "startTimeUnixNano", "start_time_unix_nano");
  span.end_ns = time_in(object, "endTimeUnixNano", "end_time_unix_nano");
  span.attributes = attributes_in(object);
  for (const json::Value& event : list_in(object, "events", "events")) {
    span.events.push_back({text_in(event, "name", "name"),
                           time_in(event, "timeUnixNano", "time_unix_nano"), attributes_in(event)});
  }
  for (const json::Value& link : list_in(object, "links", "links")) {
    span.links.push_back({id_in(link, "traceId", "trace_id"), id_in(link, "spanId", "span_id"),
                          attributes_in(link, BytesAs::kBase64)});
  }
  read_status(object, span);
  return span;
}

}  // namespace

std::vector<OtlpResource> parse_otlp_json(std::string_view text) {
  const json::Value request = json::parse(
      text,
      {.bare_non_finite = true, .duplicate_keys_last = true, .depth_max = kJsonDepthMax + 28});
  if (!request.is_object()) refuse("the body is no object");
  std::vector<OtlpResource> resources;
  std::size_t spans = 0;
  for (const json::Value& item : list_in(request, "resourceSpans", "resource_spans")) {
    OtlpResource& resource = resources.emplace_back();
    if (const auto* about = member(item, "resource", "resource")) {
      if (!about->is_object()) refuse("resource is no object");
      resource.attributes = attributes_in(*about);
    }
    for (const json::Value& scope : list_in(item, "scopeSpans", "scope_spans")) {
      for (const json::Value& span : list_in(scope, "spans", "spans")) {
        if (++spans > kOtlpSpansMax) refuse("it has too many spans");
        resource.spans.push_back(read_span(span));
      }
    }
  }
  return resources;
}

}  // namespace slipway::tracing
