// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/value.h"

namespace slipway::tracing {

// Spans as OpenTelemetry's protocol sends them (OTLP 1.x, ExportTraceServiceRequest), before
// anybody asks what they mean. Ids are bytes. Values are JSON: bytes among them are the text that
// Python prints for them (b'\x00'), as MLflow stores it, or base 64 in links.
//   source  opentelemetry-proto 1.x: collector/trace/v1, trace/v1, common/v1

using OtlpAttributes =
    std::vector<std::pair<std::string, json::Value>>;  // in order; keys may repeat

struct OtlpEvent {
  std::string name;
  std::uint64_t time_ns = 0;
  OtlpAttributes attributes;
};

struct OtlpLink {
  std::string trace_id;
  std::string span_id;
  OtlpAttributes attributes;
};

struct OtlpSpan {
  std::string trace_id;
  std::string span_id;
  std::string parent_id;  // "" = a root
  std::string name;
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;
  OtlpAttributes attributes;
  std::vector<OtlpEvent> events;
  std::vector<OtlpLink> links;
  int status_code = 0;  // 0 unset, 1 ok, 2 error; any other is unset
  std::string status_message;
};

// The spans of one resource (a process, as a rule).
struct OtlpResource {
  OtlpAttributes attributes;
  std::vector<OtlpSpan> spans;
};

// Throw kInvalidArgument for what is no such message, and beyond the limits. An empty list says
// that there was not even a resource.
std::vector<OtlpResource> parse_otlp_protobuf(std::string_view message);
std::vector<OtlpResource> parse_otlp_json(std::string_view text);

inline constexpr int kOtlpDepthMax = 32;               // of values within values
inline constexpr std::size_t kOtlpSpansMax = 100'000;  // in one request
// Attributes, events or links of one span, or attributes of one resource. OpenTelemetry's own limit
// is 128 of each.
inline constexpr std::size_t kOtlpPartsMax = 1'000;

}  // namespace slipway::tracing
