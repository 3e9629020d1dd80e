// SPDX-License-Identifier: Apache-2.0
#include "api/mlflow/span_json.h"

#include "base/id.h"
#include "tracing/python_json.h"

namespace slipway::api::mlflow {
namespace {

json::Value any_value(const json::Value& value);

// "value" is left out for null.
json::Object pair(std::string_view key, const json::Value& value) {
  json::Object object{{"key", key}};
  if (!value.is_null()) object.set("value", any_value(value));
  return object;
}

json::Array pairs(const json::Object& object) {
  json::Array list;
  list.reserve(object.size());
  for (const auto& [key, value] : object) list.emplace_back(pair(key, value));
  return list;
}

json::Object list_of(json::Array values) {
  json::Object list;
  if (!values.empty()) list.set("values", std::move(values));
  return list;
}

json::Value any_value(const json::Value& value) {
  switch (value.kind()) {
    case json::Value::Kind::kNull: return json::Object{};
    case json::Value::Kind::kBool: return json::Object{{"bool_value", value}};
    case json::Value::Kind::kInt: return json::Object{{"int_value", value}};
    case json::Value::Kind::kUint:
      return json::Object{{"string_value", std::to_string(value.as_uint())}};
    case json::Value::Kind::kDouble: return json::Object{{"double_value", value}};
    case json::Value::Kind::kString: return json::Object{{"string_value", value}};
    case json::Value::Kind::kArray: {
      json::Array values;
      values.reserve(value.as_array().size());
      for (const json::Value& item : value.as_array()) values.push_back(any_value(item));
      return json::Object{{"array_value", list_of(std::move(values))}};
    }
    case json::Value::Kind::kObject:
      return json::Object{{"kvlist_value", list_of(pairs(value.as_object()))}};
  }
  return {};
}

// Stored attributes are JSON texts.
json::Array attributes_of(const json::Value* attributes) {
  json::Array list;
  if (attributes == nullptr || !attributes->is_object()) return list;
  for (const auto& [key, text] : attributes->as_object()) {
    const auto value = text.is_string() ? tracing::read_json(text.as_string()) : std::nullopt;
    list.emplace_back(pair(key, value.value_or(text)));
  }
  return list;
}

void copy_filled(const json::Value& from, std::string_view name, json::Object& to) {
  const json::Value* value = from.find(name);
  if (value == nullptr || value->is_null()) return;
  if (value->is_string() && value->as_string().empty()) return;
  if (value->kind() == json::Value::Kind::kInt && value->as_int() == 0) return;
  to.set(name, *value);
}

void set_filled(json::Object& object, std::string_view name, json::Array list) {
  if (!list.empty()) object.set(name, std::move(list));
}

json::Array events_of(const json::Value& span) {
  json::Array list;
  const json::Value* events = span.find("events");
  if (events == nullptr || !events->is_array()) return list;
  for (const json::Value& event : events->as_array()) {
    json::Object object;
    copy_filled(event, "time_unix_nano", object);
    copy_filled(event, "name", object);
    const json::Value* attributes = event.find("attributes");
    if (attributes != nullptr && attributes->is_object())
      set_filled(object, "attributes", pairs(attributes->as_object()));
    list.emplace_back(std::move(object));
  }
  return list;
}

// "tr-0102…" and "0102…" as bytes in base 64.
std::string base64_of_hex(std::string_view hex) {
  if (hex.starts_with("tr-")) hex.remove_prefix(3);
  std::string bytes;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return base64_encode(bytes);
}

json::Array links_of(const json::Value& span) {
  json::Array list;
  const json::Value* links = span.find("links");
  if (links == nullptr || !links->is_array()) return list;
  for (const json::Value& link : links->as_array()) {
    json::Object object;
    for (const std::string_view name : {"trace_id", "span_id"}) {
      const json::Value* id = link.find(name);
      if (id != nullptr && id->is_string()) object.set(name, base64_of_hex(id->as_string()));
    }
    const json::Value* attributes = link.find("attributes");
    if (attributes != nullptr && attributes->is_object())
      set_filled(object, "attributes", pairs(attributes->as_object()));
    list.emplace_back(std::move(object));
  }
  return list;
}

json::Object status_of(const json::Value& span) {
  json::Object status;
  const json::Value* stored = span.find("status");
  if (stored == nullptr) return status;
  copy_filled(*stored, "message", status);
  const json::Value* code = stored->find("code");
  if (code != nullptr && code->is_string() && code->as_string() != "STATUS_CODE_UNSET")
    status.set("code", *code);
  return status;
}

}  // namespace

json::Value span_json(std::string_view content) {
  const json::Value span = tracing::read_json(content).value_or(json::Object{});
  json::Object object;
  for (const std::string_view name : {"trace_id", "span_id", "parent_span_id", "name",
                                      "start_time_unix_nano", "end_time_unix_nano"})
    copy_filled(span, name, object);
  set_filled(object, "attributes", attributes_of(span.find("attributes")));
  set_filled(object, "events", events_of(span));
  set_filled(object, "links", links_of(span));
  object.set("status", status_of(span));
  return object;
}

}  // namespace slipway::api::mlflow
