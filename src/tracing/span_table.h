// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracing/span.h"
#include "tracking/session.h"

namespace slipway::tracing {

// Stores spans; one that is there already is replaced. A trace that is not there is made in the
// experiment (which need not be named rightly otherwise: "" is 0). All or nothing.
//
// What spans say about their trace is only kept where start_trace has not said it: state while it
// runs, previews, session, user; its time grows to hold them, and tokens and costs are summed over
// all its spans, unless start_trace gave them (kFinalizedKey). A span that says its tokens speaks
// for the spans below it.
//   throws  kNotFound: no such experiment; kInvalidArgument: not an experiment's id
void log_spans(storage::Transaction& transaction, const std::string& experiment_id,
               const std::vector<SpanBatch>& batches);

// The contents of a trace's spans: roots first, then by start.
std::vector<std::string> load_contents(storage::Session& session, std::int64_t trace);
std::int64_t count_spans(storage::Session& session, std::int64_t trace);

// Sums over a tree of spans; nullopt when none says anything.
struct UsageNode {
  std::string span_id;
  std::string parent_id;  // "" = none
  std::optional<Tokens> tokens;
  std::optional<Costs> costs;
};
std::optional<Tokens> sum_tokens(const std::vector<UsageNode>& nodes);
std::optional<Costs> sum_costs(const std::vector<UsageNode>& nodes);

}  // namespace slipway::tracing
