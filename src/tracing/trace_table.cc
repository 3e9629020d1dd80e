// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_table.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "base/id.h"
#include "tracing/assessment_table.h"
#include "tracking/experiment_table.h"
#include "tracking/key_rules.h"
#include "tracking/search_sql.h"

namespace slipway::tracing {
namespace {

constexpr std::string_view kColumns =
    "id, trace_id, experiment, request_time_ms, duration_ms, state, name, session, "
    "client_request_id, request_preview, response_preview, input_tokens, output_tokens, "
    "total_tokens, cache_read_input_tokens, cache_creation_input_tokens, "
    "cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost";
constexpr int kFirstToken = 11;
constexpr int kFirstCost = kFirstToken + static_cast<int>(kTokenKeys.size());

// Metadata that columns hold.
bool is_promoted(std::string_view key) {
  return key == kSessionKey || key == kUsageKey || key == kCostKey;
}

bool is_locked(std::string_view key) {
  return key == kSpansLocationTag || key == kArchiveLocationTag || key == kArchivalFailureTag;
}

std::optional<std::string> maybe(const Pairs& pairs, std::string_view key) {
  const std::string* value = find_pair(pairs, key);
  if (value == nullptr) return std::nullopt;
  return *value;
}

void check_texts(const TraceInfo& given) {
  if (const std::string* name = find_pair(given.tags, kNameTag)) check_trace_name(*name);
  if (const std::string* session = find_pair(given.metadata, kSessionKey)) check_session(*session);
}

// The row of a trace, inserted or completed. Returns its key.
std::int64_t put_row(storage::Transaction& transaction, const TraceInfo& given) {
  auto statement = transaction.prepare(
      "INSERT INTO trace (trace_id, experiment, request_time_ms, duration_ms, state, name, "
      "session, client_request_id, request_preview, response_preview, input_tokens, "
      "output_tokens, total_tokens, cache_read_input_tokens, cache_creation_input_tokens, "
      "cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost) VALUES (?1, ?2, "
      "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) "
      "ON CONFLICT (trace_id) DO UPDATE SET experiment = excluded.experiment, "
      "request_time_ms = excluded.request_time_ms, duration_ms = excluded.duration_ms, "
      "state = excluded.state, name = COALESCE(excluded.name, trace.name), "
      "session = COALESCE(excluded.session, trace.session), "
      "client_request_id = excluded.client_request_id, "
      "request_preview = COALESCE(excluded.request_preview, trace.request_preview), "
      "response_preview = COALESCE(excluded.response_preview, trace.response_preview), "
      "input_tokens = COALESCE(excluded.input_tokens, trace.input_tokens), "
      "output_tokens = COALESCE(excluded.output_tokens, trace.output_tokens), "
      "total_tokens = COALESCE(excluded.total_tokens, trace.total_tokens), "
      "cache_read_input_tokens = "
      "COALESCE(excluded.cache_read_input_tokens, trace.cache_read_input_tokens), "
      "cache_creation_input_tokens = "
      "COALESCE(excluded.cache_creation_input_tokens, trace.cache_creation_input_tokens), "
      "cache_creation_input_tokens_above_1hr = COALESCE("
      "excluded.cache_creation_input_tokens_above_1hr, "
      "trace.cache_creation_input_tokens_above_1hr), "
      "input_cost = COALESCE(excluded.input_cost, trace.input_cost), "
      "output_cost = COALESCE(excluded.output_cost, trace.output_cost), "
      "total_cost = COALESCE(excluded.total_cost, trace.total_cost) RETURNING id");
  statement.bind(1, given.trace_id)
      .bind(2, given.experiment_id)
      .bind(3, given.request_time_ms)
      .bind(4, given.duration_ms)
      .bind(5, state_name(given.state))
      .bind(6, maybe(given.tags, kNameTag))
      .bind(7, maybe(given.metadata, kSessionKey))
      .bind(8, given.client_request_id)
      .bind(9, given.request_preview)
      .bind(10, given.response_preview);
  const Tokens tokens = read_tokens(maybe(given.metadata, kUsageKey).value_or(""));
  const Costs costs = read_costs(maybe(given.metadata, kCostKey).value_or(""));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    statement.bind(kFirstToken + static_cast<int>(i), tokens[i]);
  for (std::size_t i = 0; i < costs.size(); ++i)
    statement.bind(kFirstCost + static_cast<int>(i), costs[i]);
  statement.step();
  return statement.int64(0);
}

void put_pairs(storage::Transaction& transaction, std::int64_t trace, const Pairs& metadata,
               const Pairs& tags) {
  for (const auto& [key, value] : metadata) {
    if (!is_promoted(key)) put_trace_metadata(transaction, trace, key, value);
  }
  for (const auto& [key, value] : tags) {
    if (key != kNameTag) put_trace_tag(transaction, trace, key, value);
  }
}

TraceInfo read_row(const storage::Statement& row) {
  TraceInfo info;
  info.trace_id = row.text(1);
  info.experiment_id = row.int64(2);
  info.request_time_ms = row.int64(3);
  info.duration_ms = row.maybe_int64(4);
  info.state = parse_state(row.text_view(5)).value_or(TraceState::kUnspecified);
  if (!row.is_null(6)) info.tags.emplace_back(kNameTag, row.text(6));
  if (!row.is_null(7)) info.metadata.emplace_back(kSessionKey, row.text(7));
  info.client_request_id = row.maybe_text(8);
  info.request_preview = row.maybe_text(9);
  info.response_preview = row.maybe_text(10);
  Tokens tokens;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = row.maybe_int64(kFirstToken + static_cast<int>(i));
  Costs costs;
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const int column = kFirstCost + static_cast<int>(i);
    if (!row.is_null(column)) costs[i] = row.real(column);
  }
  std::string usage = write_tokens(tokens);
  if (!usage.empty()) info.metadata.emplace_back(kUsageKey, std::move(usage));
  std::string cost = write_costs(costs);
  if (!cost.empty()) info.metadata.emplace_back(kCostKey, std::move(cost));
  return info;
}

using ByKey = std::unordered_map<std::int64_t, TraceInfo>;

void add_pairs(storage::Session& session, const std::string& list, const tracking::BindBlock& bind,
               ByKey& infos, std::string_view table, Pairs TraceInfo::*pairs) {
  auto rows = session.prepare("SELECT trace, key, value FROM " + std::string(table) +
                              " WHERE trace IN " + list);
  bind(rows);
  while (rows.step()) (infos[rows.int64(0)].*pairs).emplace_back(rows.text(1), rows.text(2));
}

void delete_one(storage::Transaction& transaction, std::int64_t trace) {
  transaction.execute(
      "DELETE FROM trace_link WHERE trace_id IN (SELECT trace_id FROM trace WHERE id = ?1)", trace);
  for (const char* sql :
       {"DELETE FROM trace_tag WHERE trace = ?1", "DELETE FROM trace_metadata WHERE trace = ?1",
        "DELETE FROM span WHERE trace = ?1", "DELETE FROM assessment WHERE trace = ?1",
        "DELETE FROM trace WHERE id = ?1"}) {
    transaction.execute(sql, trace);
  }
}

[[noreturn]] void not_found(std::string_view trace_id) {
  throw Error(Code::kNotFound, "Trace with ID '" + std::string(trace_id) + "' not found.");
}

[[noreturn]] void no_tag(std::string_view trace_id, std::string_view key) {
  throw Error(Code::kNotFound, "No trace tag with key '" + std::string(key) +
                                   "' for trace with ID '" + std::string(trace_id) + "'");
}

void refuse_locked(std::string_view key, std::string_view action) {
  throw Error(Code::kInvalidArgument, "Tag '" + std::string(key) + "' is immutable and cannot be " +
                                          std::string(action) + " on a trace.");
}

}  // namespace

void check_session(std::string_view session) {
  tracking::check_length(session, kSessionCharactersMax, "Session ID");
}
void check_trace_name(std::string_view name) {
  tracking::check_length(name, kNameCharactersMax, "Trace name");
}

std::string trace_artifact_uri(std::string_view experiment_location, std::string_view trace_id) {
  std::string uri(experiment_location);
  while (uri.ends_with('/')) uri.pop_back();
  return uri + "/traces/" + std::string(trace_id) + "/artifacts";
}

void put_trace_tag(storage::Transaction& transaction, std::int64_t trace, std::string_view key,
                   std::string_view value) {
  transaction.execute(
      "INSERT INTO trace_tag (trace, key, value) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value",
      trace, key, value);
}

void put_trace_metadata(storage::Transaction& transaction, std::int64_t trace, std::string_view key,
                        std::string_view value) {
  transaction.execute(
      "INSERT INTO trace_metadata (trace, key, value) VALUES (?1, ?2, ?3) "
      "ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value",
      trace, key, value);
}

TraceInfo start_trace(storage::Transaction& transaction, const TraceInfo& given,
                      std::int64_t now_ms) {
  check_texts(given);
  const tracking::Experiment experiment =
      tracking::get_active_experiment(transaction, given.experiment_id);
  const std::int64_t key = put_row(transaction, given);
  put_pairs(transaction, key, given.metadata, given.tags);
  put_trace_tag(transaction, key, kLocationTag,
                trace_artifact_uri(experiment.artifact_location, given.trace_id));
  put_trace_metadata(transaction, key, kFinalizedKey, "true");
  for (const Assessment& assessment : given.assessments)
    put_assessment(transaction, key, assessment, now_ms);
  return load_traces(transaction, {key}).front();
}

TraceInfo begin_trace(storage::Transaction& transaction, TraceInfo given) {
  check_texts(given);
  const tracking::Experiment experiment =
      tracking::get_active_experiment(transaction, given.experiment_id);
  given.trace_id = random_hex32();
  given.state = TraceState::kInProgress;
  const std::int64_t key = put_row(transaction, given);
  put_pairs(transaction, key, given.metadata, given.tags);
  put_trace_tag(transaction, key, kLocationTag,
                trace_artifact_uri(experiment.artifact_location, given.trace_id));
  return load_traces(transaction, {key}).front();
}

TraceInfo end_trace(storage::Transaction& transaction, std::string_view trace_id,
                    std::int64_t end_ms, TraceState state, const Pairs& metadata,
                    const Pairs& tags) {
  TraceInfo ended = get_trace(transaction, trace_id);
  ended.duration_ms = end_ms - ended.request_time_ms;
  ended.state = state;
  // put_row keeps what is not given: only what is new goes in.
  ended.metadata = metadata;
  ended.tags = tags;
  check_texts(ended);
  const std::int64_t key = put_row(transaction, ended);
  put_pairs(transaction, key, metadata, tags);
  return load_traces(transaction, {key}).front();
}

std::optional<std::int64_t> find_trace_key(storage::Session& session, std::string_view trace_id) {
  auto row = session.query("SELECT id FROM trace WHERE trace_id = ?1", trace_id);
  if (!row.step()) return std::nullopt;
  return row.int64(0);
}

std::int64_t get_trace_key(storage::Session& session, std::string_view trace_id) {
  const auto key = find_trace_key(session, trace_id);
  if (!key) not_found(trace_id);
  return *key;
}

std::optional<TraceInfo> find_trace(storage::Session& session, std::string_view trace_id) {
  const auto key = find_trace_key(session, trace_id);
  if (!key) return std::nullopt;
  return load_traces(session, {*key}).front();
}

TraceInfo get_trace(storage::Session& session, std::string_view trace_id) {
  return load_traces(session, {get_trace_key(session, trace_id)}).front();
}

std::vector<TraceInfo> load_traces(storage::Session& session,
                                   const std::vector<std::int64_t>& keys) {
  ByKey infos;
  tracking::each_block(keys, [&](const std::string& list, const tracking::BindBlock& bind) {
    {
      auto rows =
          session.prepare("SELECT " + std::string(kColumns) + " FROM trace WHERE id IN " + list);
      bind(rows);
      while (rows.step()) infos[rows.int64(0)] = read_row(rows);
    }
    add_pairs(session, list, bind, infos, "trace_tag", &TraceInfo::tags);
    add_pairs(session, list, bind, infos, "trace_metadata", &TraceInfo::metadata);
  });
  std::vector<TraceInfo> traces;
  traces.reserve(keys.size());
  for (const std::int64_t key : keys) {
    TraceInfo& info = infos[key];
    std::sort(info.tags.begin(), info.tags.end());
    std::sort(info.metadata.begin(), info.metadata.end());
    info.assessments = load_assessments(session, key);
    traces.push_back(info);
  }
  return traces;
}

std::vector<TraceInfo> find_traces(storage::Session& session, const std::vector<std::string>& ids,
                                   const std::optional<std::vector<std::int64_t>>& experiments) {
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < ids.size(); ++i) places[ids[i]] = i;
  std::vector<std::pair<std::size_t, std::int64_t>> found;
  for (const auto& [id, place] : places) {
    auto row = session.query("SELECT id, experiment FROM trace WHERE trace_id = ?1", id);
    if (!row.step()) continue;
    const std::int64_t experiment = row.int64(1);
    if (experiments &&
        std::find(experiments->begin(), experiments->end(), experiment) == experiments->end())
      continue;
    found.emplace_back(place, row.int64(0));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::int64_t> keys;
  keys.reserve(found.size());
  for (const auto& [place, key] : found) keys.push_back(key);
  return load_traces(session, keys);
}

void set_trace_tag(storage::Transaction& transaction, std::string_view trace_id,
                   std::string_view key, std::string_view value) {
  if (is_locked(key)) refuse_locked(key, "set");
  tracking::check_key_and_length(key, "key", "key");
  const std::string_view kept = tracking::cut_to_characters(value, kTraceTagValueCharactersMax);
  if (key == kNameTag) check_trace_name(kept);
  const std::int64_t trace = get_trace_key(transaction, trace_id);
  if (key == kNameTag) {
    transaction.execute("UPDATE trace SET name = ?2 WHERE id = ?1", trace, kept);
  } else {
    put_trace_tag(transaction, trace, key, kept);
  }
}

void delete_trace_tag(storage::Transaction& transaction, std::string_view trace_id,
                      std::string_view key) {
  // Removing the mark of a failed archival is how one asks for another try.
  if (is_locked(key) && key != kArchivalFailureTag) refuse_locked(key, "deleted");
  const auto trace = find_trace_key(transaction, trace_id);
  if (!trace) no_tag(trace_id, key);
  const std::int64_t removed =
      key == kNameTag
          ? transaction.execute("UPDATE trace SET name = NULL WHERE id = ?1 AND name IS NOT NULL",
                                *trace)
          : transaction.execute("DELETE FROM trace_tag WHERE trace = ?1 AND key = ?2", *trace, key);
  if (removed == 0) no_tag(trace_id, key);
}

void check_deletion(const TraceDeletion& deletion) {
  const auto refuse = [](const std::string& message) {
    throw Error(Code::kInvalidArgument, message);
  };
  const bool named = !deletion.trace_ids.empty();
  if (!deletion.time_ms_max && !named)
    refuse("Either `max_timestamp_millis` or `trace_ids` must be specified.");
  if (deletion.time_ms_max && named)
    refuse("Only one of `max_timestamp_millis` and `trace_ids` can be specified.");
  if (named && deletion.traces_max)
    refuse("`max_traces` can't be specified if `trace_ids` is specified.");
  if (deletion.traces_max && *deletion.traces_max < 1) {
    refuse("`max_traces` must be a positive integer, received " +
           std::to_string(*deletion.traces_max) + ".");
  }
}

std::int64_t delete_traces(storage::Transaction& transaction, const TraceDeletion& deletion) {
  check_deletion(deletion);
  std::vector<std::int64_t> keys;
  for (const std::string& id : deletion.trace_ids) {
    auto row = transaction.query("SELECT id FROM trace WHERE trace_id = ?1 AND experiment = ?2", id,
                                 deletion.experiment_id);
    if (row.step()) keys.push_back(row.int64(0));
  }
  if (deletion.time_ms_max) {
    constexpr std::int64_t kAll = INT64_MAX;
    auto rows = transaction.query(
        "SELECT id FROM trace WHERE experiment = ?1 AND request_time_ms <= ?2 "
        "ORDER BY request_time_ms, trace_id LIMIT ?3",
        deletion.experiment_id, *deletion.time_ms_max, deletion.traces_max.value_or(kAll));
    while (rows.step()) keys.push_back(rows.int64(0));
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::int64_t key : keys) delete_one(transaction, key);
  return static_cast<std::int64_t>(keys.size());
}

}  // namespace slipway::tracing
