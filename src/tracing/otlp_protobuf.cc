// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/id.h"
#include "tracing/otlp.h"
#include "tracing/protobuf_reader.h"
#include "tracing/python_json.h"

namespace slipway::tracing {
namespace {

using Wire = ProtobufReader::Wire;

[[noreturn]] void refuse(const char* why) {
  throw Error(Code::kInvalidArgument, std::string("not an OTLP request: ") + why);
}

enum class BytesAs { kPython, kBase64 };

json::Value read_value(std::string_view message, BytesAs bytes, int depth);

std::pair<std::string, json::Value> read_pair(std::string_view message, BytesAs bytes, int depth) {
  std::pair<std::string, json::Value> pair;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) pair.first = field.text();
    if (field.is(2, Wire::kBytes)) pair.second = read_value(field.bytes(), bytes, depth);
  }
  return pair;
}

json::Value read_list(std::string_view message, BytesAs bytes, int depth) {
  json::Array list;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) list.push_back(read_value(field.bytes(), bytes, depth));
  }
  return list;
}

json::Value read_object(std::string_view message, BytesAs bytes, int depth) {
  OtlpAttributes pairs;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) pairs.push_back(read_pair(field.bytes(), bytes, depth));
  }
  return object_of(std::move(pairs));
}

// AnyValue: of several kinds the last counts; none is null.
json::Value read_value(std::string_view message, BytesAs bytes, int depth) {
  if (depth > kOtlpDepthMax) refuse("values are nested too deeply");
  json::Value value;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) value = field.text();
    if (field.is(2, Wire::kVarint)) value = field.integer() != 0;
    if (field.is(3, Wire::kVarint)) value = static_cast<std::int64_t>(field.integer());
    if (field.is(4, Wire::kFixed64)) value = field.real();
    if (field.is(5, Wire::kBytes)) value = read_list(field.bytes(), bytes, depth + 1);
    if (field.is(6, Wire::kBytes)) value = read_object(field.bytes(), bytes, depth + 1);
    if (field.is(7, Wire::kBytes)) {
      value =
          bytes == BytesAs::kBase64 ? base64_encode(field.bytes()) : python_bytes(field.bytes());
    }
  }
  return value;
}

void add_attribute(const ProtobufReader& field, OtlpAttributes& attributes,
                   BytesAs bytes = BytesAs::kPython) {
  attributes.push_back(read_pair(field.bytes(), bytes, 0));
}

OtlpEvent read_event(std::string_view message) {
  OtlpEvent event;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kFixed64)) event.time_ns = field.integer();
    if (field.is(2, Wire::kBytes)) event.name = field.text();
    if (field.is(3, Wire::kBytes)) add_attribute(field, event.attributes);
  }
  return event;
}

OtlpLink read_link(std::string_view message) {
  OtlpLink link;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) link.trace_id = field.bytes();
    if (field.is(2, Wire::kBytes)) link.span_id = field.bytes();
    if (field.is(4, Wire::kBytes)) add_attribute(field, link.attributes, BytesAs::kBase64);
  }
  return link;
}

void read_status(std::string_view message, OtlpSpan& span) {
  for (ProtobufReader field(message); field.next();) {
    if (field.is(2, Wire::kBytes)) span.status_message = field.text();
    if (field.is(3, Wire::kVarint)) span.status_code = static_cast<int>(field.integer() & 0xFFU);
  }
}

OtlpSpan read_span(std::string_view message) {
  OtlpSpan span;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) span.trace_id = field.bytes();
    if (field.is(2, Wire::kBytes)) span.span_id = field.bytes();
    if (field.is(4, Wire::kBytes)) span.parent_id = field.bytes();
    if (field.is(5, Wire::kBytes)) span.name = field.text();
    if (field.is(7, Wire::kFixed64)) span.start_ns = field.integer();
    if (field.is(8, Wire::kFixed64)) span.end_ns = field.integer();
    if (field.is(9, Wire::kBytes)) add_attribute(field, span.attributes);
    if (field.is(11, Wire::kBytes)) span.events.push_back(read_event(field.bytes()));
    if (field.is(13, Wire::kBytes)) span.links.push_back(read_link(field.bytes()));
    if (field.is(15, Wire::kBytes)) read_status(field.bytes(), span);
  }
  return span;
}

OtlpResource read_resource_spans(std::string_view message, std::size_t& spans) {
  OtlpResource resource;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) {
      for (ProtobufReader inner(field.bytes()); inner.next();) {
        if (inner.is(1, Wire::kBytes)) add_attribute(inner, resource.attributes);
      }
    }
    if (!field.is(2, Wire::kBytes)) continue;
    for (ProtobufReader scope(field.bytes()); scope.next();) {
      if (!scope.is(2, Wire::kBytes)) continue;
      if (++spans > kOtlpSpansMax) refuse("it has too many spans");
      resource.spans.push_back(read_span(scope.bytes()));
    }
  }
  return resource;
}

}  // namespace

std::vector<OtlpResource> parse_otlp_protobuf(std::string_view message) {
  std::vector<OtlpResource> resources;
  std::size_t spans = 0;
  for (ProtobufReader field(message); field.next();) {
    if (field.is(1, Wire::kBytes)) resources.push_back(read_resource_spans(field.bytes(), spans));
  }
  return resources;
}

}  // namespace slipway::tracing
