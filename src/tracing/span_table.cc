// SPDX-License-Identifier: Apache-2.0
#include "tracing/span_table.h"

#include <algorithm>

#include "tracing/trace_table.h"
#include "tracking/experiment_table.h"

namespace slipway::tracing {
namespace {

struct Stored {
  std::int64_t key = 0;
  bool made = false;  // just now
  std::int64_t start_ms = 0;
  std::optional<std::int64_t> duration_ms;
  std::string state;
  bool has_tokens = false;
  bool has_costs = false;
};

Stored make_trace(storage::Transaction& transaction, const tracking::Experiment& experiment,
                  const SpanBatch& batch) {
  const TraceState state = batch.root_state.value_or(TraceState::kInProgress);
  std::optional<std::int64_t> duration;
  if (batch.end_ms) duration = *batch.end_ms - batch.start_ms;
  auto row = transaction.query(
      "INSERT INTO trace (trace_id, experiment, request_time_ms, duration_ms, state) "
      "VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
      batch.trace_id, experiment.id, batch.start_ms, duration, state_name(state));
  row.step();
  Stored stored{row.int64(0), true, batch.start_ms, duration, std::string(state_name(state)),
                false,        false};
  row.reset();
  put_trace_tag(transaction, stored.key, kLocationTag,
                trace_artifact_uri(experiment.artifact_location, batch.trace_id));
  return stored;
}

std::optional<Stored> find_stored(storage::Session& session, std::string_view trace_id) {
  auto row = session.query(
      "SELECT id, request_time_ms, duration_ms, state, COALESCE(input_tokens, output_tokens, "
      "total_tokens, cache_read_input_tokens, cache_creation_input_tokens, "
      "cache_creation_input_tokens_above_1hr), COALESCE(input_cost, output_cost, total_cost) "
      "FROM trace WHERE trace_id = ?1",
      trace_id);
  if (!row.step()) return std::nullopt;
  return Stored{row.int64(0), false,           row.int64(1),   row.maybe_int64(2),
                row.text(3),  !row.is_null(4), !row.is_null(5)};
}

bool is_finalized(storage::Session& session, std::int64_t trace) {
  return session
      .query("SELECT 1 FROM trace_metadata WHERE trace = ?1 AND key = ?2", trace, kFinalizedKey)
      .step();
}

void put_span(storage::Transaction& transaction, std::int64_t trace, const Span& span) {
  auto statement = transaction.prepare(
      "INSERT INTO span (trace, span_id, parent_id, name, type, status, start_ns, end_ns, usage, "
      "model, provider, input_cost, output_cost, total_cost, content) VALUES (?1, ?2, ?3, ?4, ?5, "
      "?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT (trace, span_id) DO UPDATE SET "
      "parent_id = excluded.parent_id, name = excluded.name, type = excluded.type, "
      "status = excluded.status, start_ns = excluded.start_ns, end_ns = excluded.end_ns, "
      "usage = excluded.usage, model = excluded.model, provider = excluded.provider, "
      "input_cost = excluded.input_cost, output_cost = excluded.output_cost, "
      "total_cost = excluded.total_cost, content = excluded.content");
  std::optional<std::string> usage;
  if (span.usage) usage = write_tokens(*span.usage);
  std::optional<std::int64_t> end_ns;
  if (span.end_ns != 0) end_ns = span.end_ns;
  const Costs costs = span.cost.value_or(Costs{});
  statement.bind(1, trace)
      .bind(2, span.span_id)
      .bind(3, span.parent_id)
      .bind(4, span.name)
      .bind(5, span.type)
      .bind(6, span.status)
      .bind(7, span.start_ns)
      .bind(8, end_ns)
      .bind(9, usage)
      .bind(10, span.model)
      .bind(11, span.provider)
      .bind(12, costs[0])
      .bind(13, costs[1])
      .bind(14, costs[2])
      .bind(15, span.content);
  statement.step();
}

std::vector<UsageNode> stored_nodes(storage::Session& session, std::int64_t trace) {
  std::vector<UsageNode> nodes;
  auto rows = session.query(
      "SELECT span_id, parent_id, usage, input_cost, output_cost, total_cost FROM span "
      "WHERE trace = ?1",
      trace);
  while (rows.step()) {
    UsageNode node{rows.text(0), rows.text(1), std::nullopt, std::nullopt};
    if (!rows.is_null(2)) node.tokens = read_tokens(rows.text_view(2));
    Costs costs;
    bool any = false;
    for (int i = 0; i < 3; ++i) {
      if (rows.is_null(3 + i)) continue;
      costs[static_cast<std::size_t>(i)] = rows.real(3 + i);
      any = true;
    }
    if (any) node.costs = costs;
    nodes.push_back(std::move(node));
  }
  return nodes;
}

template <typename Sums, typename Keys>
void store_sums(storage::Transaction& transaction, std::int64_t trace,
                const std::optional<Sums>& sums, const Keys& keys) {
  if (!sums) return;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!(*sums)[i]) continue;
    transaction.execute("UPDATE trace SET " + std::string(keys[i]) + " = ?2 WHERE id = ?1", trace,
                        *(*sums)[i]);
  }
}

// `keeps` : start_trace has said when the trace was.
void update_time(storage::Transaction& transaction, const Stored& stored, const SpanBatch& batch,
                 bool keeps) {
  if (stored.made || keeps) return;
  const std::int64_t start = std::min(stored.start_ms, batch.start_ms);
  std::optional<std::int64_t> duration = stored.duration_ms;
  if (batch.end_ms) {
    const std::int64_t end = stored.duration_ms
                                 ? std::max(stored.start_ms + *stored.duration_ms, *batch.end_ms)
                                 : *batch.end_ms;
    duration = end - start;
  }
  transaction.execute("UPDATE trace SET request_time_ms = ?2, duration_ms = ?3 WHERE id = ?1",
                      stored.key, start, duration);
}

void update_facts(storage::Transaction& transaction, const Stored& stored, const SpanBatch& batch) {
  const bool open = stored.state == state_name(TraceState::kInProgress) ||
                    stored.state == state_name(TraceState::kUnspecified);
  if (open && batch.root_state) {
    transaction.execute("UPDATE trace SET state = ?2 WHERE id = ?1", stored.key,
                        state_name(*batch.root_state));
  }
  transaction.execute(
      "UPDATE trace SET request_preview = COALESCE(request_preview, ?2), "
      "response_preview = COALESCE(response_preview, ?3), name = COALESCE(?4, name), "
      "session = COALESCE(session, ?5) WHERE id = ?1",
      stored.key, batch.request_preview, batch.response_preview, batch.name, batch.session);
  if (batch.user) {
    transaction.execute(
        "INSERT INTO trace_metadata (trace, key, value) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (trace, key) DO NOTHING",
        stored.key, kUserKey, *batch.user);
  }
  put_trace_tag(transaction, stored.key, kSpansLocationTag, kSpansHere);
  for (const auto& [key, value] : batch.tags) put_trace_tag(transaction, stored.key, key, value);
}

void log_batch(storage::Transaction& transaction, const Stored& stored, const SpanBatch& batch) {
  for (const Span& span : batch.spans) put_span(transaction, stored.key, span);
  const auto any = [&](const auto& has) {
    return std::any_of(batch.spans.begin(), batch.spans.end(), has);
  };
  const bool tokens = any([](const Span& span) { return span.usage.has_value(); });
  const bool costs = any([](const Span& span) { return span.cost.has_value(); });
  // As MLflow has it, only spans that say tokens, costs or a session ask what start_trace said.
  const bool finalized = !stored.made && (tokens || costs || batch.session.has_value()) &&
                         is_finalized(transaction, stored.key);
  update_time(transaction, stored, batch, finalized);
  if (tokens || costs) {
    const std::vector<UsageNode> nodes = stored_nodes(transaction, stored.key);
    if (tokens && !(finalized && stored.has_tokens))
      store_sums(transaction, stored.key, sum_tokens(nodes), kTokenKeys);
    if (costs && !(finalized && stored.has_costs))
      store_sums(transaction, stored.key, sum_costs(nodes), kCostKeys);
  }
  update_facts(transaction, stored, batch);
}

}  // namespace

void log_spans(storage::Transaction& transaction, const std::string& experiment_id,
               const std::vector<SpanBatch>& batches) {
  std::optional<tracking::Experiment> experiment;
  for (const SpanBatch& batch : batches) {
    auto stored = find_stored(transaction, batch.trace_id);
    if (!stored) {
      // The header is looked at only where a trace has to be made, as at MLflow.
      if (!experiment) {
        experiment =
            tracking::get_experiment(transaction, tracking::parse_experiment_id(experiment_id));
      }
      stored = make_trace(transaction, *experiment, batch);
    }
    log_batch(transaction, *stored, batch);
  }
}

std::vector<std::string> load_contents(storage::Session& session, std::int64_t trace) {
  std::vector<std::string> contents;
  auto rows = session.query(
      "SELECT content FROM span WHERE trace = ?1 "
      "ORDER BY CASE WHEN parent_id IS NULL THEN 0 ELSE 1 END, start_ns, span_id",
      trace);
  while (rows.step()) contents.push_back(rows.text(0));
  return contents;
}

std::int64_t count_spans(storage::Session& session, std::int64_t trace) {
  auto row = session.query("SELECT COUNT(*) FROM span WHERE trace = ?1", trace);
  row.step();
  return row.int64(0);
}

}  // namespace slipway::tracing
