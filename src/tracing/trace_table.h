// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracing/trace.h"
#include "tracking/session.h"

namespace slipway::tracing {

// Stores a trace under the id that the client gave it. One of that id which is there already, as
// its spans came first, is completed: what is given replaces, what is not given stays, tags,
// metadata and assessments are added. From then on spans do not change its time, duration, tokens
// and costs any more (kFinalizedKey). Returns what is stored then.
//   throws  kNotFound, kFailedPrecondition: no such experiment, or it is deleted; kInvalidArgument:
//   session or name too long
TraceInfo start_trace(storage::Transaction& transaction, const TraceInfo& given,
                      std::int64_t now_ms);

// API v2: the server gives the id; the trace runs until it is ended.
TraceInfo begin_trace(storage::Transaction& transaction, TraceInfo given);
// Adds tags and metadata; the duration is `end_ms` less its start.
TraceInfo end_trace(storage::Transaction& transaction, std::string_view trace_id,
                    std::int64_t end_ms, TraceState state, const Pairs& metadata,
                    const Pairs& tags);

std::optional<TraceInfo> find_trace(storage::Session& session, std::string_view trace_id);
// Throws kNotFound "Trace with ID 'x' not found.".
TraceInfo get_trace(storage::Session& session, std::string_view trace_id);
// Those that exist, ordered by the last place at which each id is named; only of these experiments
// if told.
std::vector<TraceInfo> find_traces(storage::Session& session, const std::vector<std::string>& ids,
                                   const std::optional<std::vector<std::int64_t>>& experiments);

// The internal key of a trace; its infos in the order of keys.
std::optional<std::int64_t> find_trace_key(storage::Session& session, std::string_view trace_id);
std::int64_t get_trace_key(storage::Session& session, std::string_view trace_id);
std::vector<TraceInfo> load_traces(storage::Session& session,
                                   const std::vector<std::int64_t>& keys);

// Tags that say where spans are kept are the server's own: kInvalidArgument. A value beyond
// kTraceTagValueCharactersMax is cut.
void set_trace_tag(storage::Transaction& transaction, std::string_view trace_id,
                   std::string_view key, std::string_view value);
// kNotFound when the trace has no such tag.
void delete_trace_tag(storage::Transaction& transaction, std::string_view trace_id,
                      std::string_view key);

// Writers of spans put what they know beside: insert or replace.
void put_trace_tag(storage::Transaction& transaction, std::int64_t trace, std::string_view key,
                   std::string_view value);
void put_trace_metadata(storage::Transaction& transaction, std::int64_t trace, std::string_view key,
                        std::string_view value);

// Traces of one experiment that are named, or began at that time or before: then at most so many,
// the oldest first. All that belongs to them goes too.
struct TraceDeletion {
  std::int64_t experiment_id = 0;
  std::vector<std::string> trace_ids;
  std::optional<std::int64_t> time_ms_max;
  std::optional<std::int64_t> traces_max;
};
// kInvalidArgument unless exactly one of ids and time is given; a number goes with a time alone,
// and is positive.
void check_deletion(const TraceDeletion& deletion);
std::int64_t delete_traces(storage::Transaction& transaction, const TraceDeletion& deletion);

// Where the files of a trace are: below its experiment.
std::string trace_artifact_uri(std::string_view experiment_location, std::string_view trace_id);

// "Session ID" and "Trace name" within their lengths, or kInvalidArgument.
void check_session(std::string_view session);
void check_trace_name(std::string_view name);

}  // namespace slipway::tracing
