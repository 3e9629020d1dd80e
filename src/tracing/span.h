// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tracing/otlp.h"
#include "tracing/trace.h"

namespace slipway::tracing {

// A span as the store keeps it: what searches read in fields, all of it in `content`.
struct Span {
  std::string trace_id;                  // "tr-" and 32 hex digits
  std::string span_id;                   // 16 hex digits
  std::optional<std::string> parent_id;  // likewise; nullopt: a root
  std::string name;
  std::optional<std::string> type;
  std::string status;  // "OK", "ERROR", "UNSET"
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;  // 0: has not ended
  std::optional<std::string> model;
  std::optional<std::string> provider;
  std::optional<Tokens> usage;  // nullopt: it says nothing of tokens
  std::optional<Costs> cost;
  std::string content;  // JSON on one line, as MLflow stores it
};

// The spans of one trace that came together, and what they say about the trace. Everything that is
// work is done here, before the writer thread gets it.
struct SpanBatch {
  std::string trace_id;
  std::vector<Span> spans;
  std::int64_t start_ms = 0;             // of the first
  std::optional<std::int64_t> end_ms;    // of the last
  std::optional<TraceState> root_state;  // nullopt: no root among them
  std::optional<std::string> session;
  std::optional<std::string> user;
  std::optional<std::string> request_preview;
  std::optional<std::string> response_preview;
  std::optional<std::string> name;
  Pairs tags;  // of the resource, then of the root span, which wins
};

// A span that cannot be kept: no ids, ids longer than 16 and 8 bytes, times beyond int64.
class SpanError : public Error {
 public:
  explicit SpanError(const std::string& why) : Error(Code::kInvalidArgument, why) {}
};

// One batch for each trace, in the order in which they first appear. Throws SpanError; also
// kInvalidArgument for a session longer than kSessionCharactersMax, or a name of the trace longer
// than kNameCharactersMax.
std::vector<SpanBatch> make_batches(const std::vector<OtlpResource>& resources);

// Keys of span attributes that mean something to this server. Values of attributes are JSON texts.
inline constexpr std::string_view kSpanTraceKey = "mlflow.traceRequestId";
inline constexpr std::string_view kSpanInputsKey = "mlflow.spanInputs";
inline constexpr std::string_view kSpanOutputsKey = "mlflow.spanOutputs";
inline constexpr std::string_view kSpanTypeKey = "mlflow.spanType";
inline constexpr std::string_view kSpanUsageKey = "mlflow.chat.tokenUsage";
inline constexpr std::string_view kSpanCostKey = "mlflow.llm.cost";
inline constexpr std::string_view kSpanModelKey = "mlflow.llm.model";
inline constexpr std::string_view kSpanProviderKey = "mlflow.llm.provider";
inline constexpr std::string_view kSpanToolsKey = "mlflow.chat.tools";
inline constexpr std::string_view kSpanFormatKey = "mlflow.message.format";
inline constexpr std::string_view kTraceTagPrefix = "mlflow.traceTag.";
inline constexpr std::size_t kModelCharactersMax = 500;

}  // namespace slipway::tracing
