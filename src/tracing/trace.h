// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tracing/assessment.h"
#include "tracking/run_table.h"

namespace slipway::tracing {

using tracking::Pairs;

// One request to an application, from its first span's start to its last span's end.
enum class TraceState { kUnspecified, kOk, kError, kInProgress };
std::string_view state_name(TraceState state);  // "STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"
std::optional<TraceState> parse_state(std::string_view name);

struct TraceInfo {
  std::string trace_id;  // "tr-" and 32 hex digits as a rule; of API v2: 32 hex digits
  std::int64_t experiment_id = 0;
  std::int64_t request_time_ms = 0;
  std::optional<std::int64_t> duration_ms;  // nullopt while it runs
  TraceState state = TraceState::kUnspecified;
  std::optional<std::string> client_request_id;
  std::optional<std::string> request_preview;
  std::optional<std::string> response_preview;
  Pairs metadata;                       // by key; set once, as a rule
  Pairs tags;                           // by key
  std::vector<Assessment> assessments;  // oldest first
  bool operator==(const TraceInfo&) const = default;
};

// Keys that mean something to this server.
inline constexpr std::string_view kNameTag = "mlflow.traceName";
inline constexpr std::string_view kLocationTag = "mlflow.artifactLocation";
inline constexpr std::string_view kSpansLocationTag = "mlflow.trace.spansLocation";
inline constexpr std::string_view kArchiveLocationTag = "mlflow.trace.archiveLocation";
inline constexpr std::string_view kArchivalFailureTag = "mlflow.trace.archivalFailure";
inline constexpr std::string_view kSessionKey = "mlflow.trace.session";
inline constexpr std::string_view kUsageKey = "mlflow.trace.tokenUsage";
inline constexpr std::string_view kCostKey = "mlflow.trace.cost";
inline constexpr std::string_view kFinalizedKey = "mlflow.trace.infoFinalized";
inline constexpr std::string_view kSizeStatsKey = "mlflow.trace.sizeStats";
inline constexpr std::string_view kUserKey = "mlflow.trace.user";
inline constexpr std::string_view kSourceRunKey = "mlflow.sourceRun";
inline constexpr std::string_view kSpansHere = "TRACKING_STORE";  // value of kSpansLocationTag

// Lengths in characters (MLflow 3.17.2, tracing/constant.py, utils/validation.py). Longer tags and
// metadata are kept whole where MLflow keeps them, and cut when they are given out.
inline constexpr std::size_t kSessionCharactersMax = 250;
inline constexpr std::size_t kNameCharactersMax = 4'096;
inline constexpr std::size_t kTraceTagValueCharactersMax = 8'000;  // longer ones are cut
inline constexpr std::size_t kMetadataCharactersShown = 250;       // of key and value
inline constexpr std::size_t kTagKeyCharactersShown = 250;
inline constexpr std::size_t kTagValueCharactersShown = 4'096;

// Sums over a trace: JSON objects in its metadata, columns in the store.
inline constexpr std::array<std::string_view, 6> kTokenKeys = {
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr"};
inline constexpr std::array<std::string_view, 3> kCostKeys = {"input_cost", "output_cost",
                                                              "total_cost"};
using Tokens = std::array<std::optional<std::int64_t>, kTokenKeys.size()>;
using Costs = std::array<std::optional<double>, kCostKeys.size()>;

// The numbers in the text of a JSON object, nullopt for what is absent or no number: tokens are
// whole (1.0 and "9" count), costs finite. A text that is no JSON object has none.
Tokens read_tokens(std::string_view text);
Costs read_costs(std::string_view text);

// `{"input_tokens": 3, "total_tokens": 7}`; "" when there is none.
std::string write_tokens(const Tokens& tokens);
std::string write_costs(const Costs& costs);

// A value of `pairs`, null if the key is not there; valid as long as the pairs.
const std::string* find_pair(const Pairs& pairs, std::string_view key);

}  // namespace slipway::tracing
