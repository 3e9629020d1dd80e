// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tracing/span_table.h"
#include "tracing/trace_table.h"
#include "tracking/testing.h"

namespace slipway::tracing {

// A store in memory with the whole schema, and short ways to traces.
class TracingTest : public tracking::TrackingTest {
 protected:
  static TraceInfo make_info(std::string_view id, std::int64_t time_ms = kNowMs) {
    TraceInfo info;
    info.trace_id = id;
    info.request_time_ms = time_ms;
    info.duration_ms = 1'000;
    info.state = TraceState::kOk;
    return info;
  }
  TraceInfo start(const TraceInfo& info) {
    return database_.write_returning<TraceInfo>(
        [&](storage::Transaction& transaction) { return start_trace(transaction, info, kNowMs); });
  }
  TraceInfo load_trace(std::string_view id) {
    return read<TraceInfo>([&](storage::Session& session) { return get_trace(session, id); });
  }
  void log(const std::vector<OtlpSpan>& spans, const OtlpAttributes& resource = {},
           const std::string& experiment = "0") {
    const auto batches = make_batches({{resource, spans}});
    write([&](storage::Transaction& transaction) { log_spans(transaction, experiment, batches); });
  }
  // A span of trace "tr-" + 32 × `trace`, from 1000 ms to 2000 ms after kNowMs.
  static OtlpSpan make_span(char trace, char id, char parent = 0, OtlpAttributes attributes = {}) {
    OtlpSpan span;
    const int digit = trace <= '9' ? trace - '0' : trace - 'a' + 10;
    span.trace_id = std::string(16, static_cast<char>(digit * 17));
    span.span_id = std::string(7, '\0') + id;
    if (parent != 0) span.parent_id = std::string(7, '\0') + parent;
    span.name = std::string("span ") + id;
    span.start_ns = static_cast<std::uint64_t>(kNowMs + 1'000) * 1'000'000;
    span.end_ns = static_cast<std::uint64_t>(kNowMs + 2'000) * 1'000'000;
    span.status_code = 1;
    span.attributes = std::move(attributes);
    return span;
  }
  static std::string trace_id(char digit) { return "tr-" + std::string(32, digit); }
};

}  // namespace slipway::tracing
