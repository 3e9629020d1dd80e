// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tracking/search_filter.h"

namespace slipway::tracing {

// MLflow's search language of traces, parsed (tracking/search_part.h has what it shares with the
// others). Faults throw kInvalidArgument with MLflow's words, looked for in MLflow's order: first
// each comparison's identifier and literal, then each one's operator.
//
//   [attribute(s).|trace.] name status request_id client_request_id run_id prompt timestamp(_ms)
//     execution_time(_ms) end_time(_ms) text
//   tag(s).KEY  metadata.KEY  request_metadata.KEY  span.name|type|status|content|attributes.KEY
//   feedback.NAME  expectation.NAME  issue.id
//   source  MLflow 3.17.2 utils/search_utils.py, as asked (tests/differential)

enum class TermKind {
  kText,         // a column of the trace
  kNumber,       // likewise; "end_time_ms" is computed
  kName,         // the trace's name
  kSession,      // its session
  kTag,          // key
  kMetadata,     // key
  kUsage,        // the tokens' JSON: = and != against its exact text
  kCost,         // likewise
  kRun,          // a trace of this run, by metadata or link
  kPrompt,       // linked to "name/version"
  kSpan,         // key is a column: name, type, status, content
  kSpanValue,    // key is an attribute of a span
  kFeedback,     // key is a name
  kExpectation,  // likewise
  kIssue         // the issue's id
};

struct TraceTerm {
  TermKind kind = TermKind::kText;
  std::string key;                  // see TermKind
  tracking::Comparison comparison;  // operator and value
  bool pattern = false;             // RLIKE: the operator does not count then
  bool operator==(const TraceTerm&) const = default;
};

std::vector<TraceTerm> parse_trace_filter(std::string_view text);

struct TraceOrder {
  TermKind kind = TermKind::kText;  // kText and kNumber (key is a column), kName, kSession, kTag,
                                    // kMetadata
  std::string key;
  bool ascending = true;
  bool operator==(const TraceOrder&) const = default;
};

// "<identifier> [ASC|DESC]" each. A key that comes twice is refused.
std::vector<TraceOrder> parse_trace_order(const std::vector<std::string>& terms);

}  // namespace slipway::tracing
