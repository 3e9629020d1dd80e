// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_search.h"

#include "tracing/trace_table.h"

namespace slipway::tracing {
namespace {

using tracking::SearchSql;

std::string order_value(SearchSql& sql, const TraceOrder& term) {
  switch (term.kind) {
    case TermKind::kName: return "t.name";
    case TermKind::kSession: return "t.session";
    case TermKind::kTag:
      return "(SELECT p.value FROM trace_tag p WHERE p.trace = t.id AND p.key = " +
             sql.bind(std::string_view{term.key}) + ")";
    case TermKind::kMetadata:
      return "(SELECT p.value FROM trace_metadata p WHERE p.trace = t.id AND p.key = " +
             sql.bind(std::string_view{term.key}) + ")";
    default: break;
  }
  if (term.key == "end_time_ms") return "(t.request_time_ms + COALESCE(t.duration_ms, 0))";
  return "t." + term.key;
}

std::string order_clause(SearchSql& sql, const std::vector<TraceOrder>& order) {
  std::string clause;
  bool by_time = false;
  bool by_id = false;
  for (const TraceOrder& term : order) {
    const std::string value = order_value(sql, term);
    by_time = by_time || value == "t.request_time_ms";
    by_id = by_id || value == "t.trace_id";
    clause += "CASE WHEN " + value + " IS NULL THEN 1 ELSE 0 END, " + value +
              (term.ascending ? ", " : " DESC, ");
  }
  if (!by_time) clause += "t.request_time_ms DESC, ";
  if (!by_id) clause += "t.trace_id, ";
  clause.resize(clause.size() - 2);
  return clause;
}

// Traces that SQL found are asked one by one what it could not; those before the page are counted
// off.
std::vector<std::int64_t> take_page(storage::Session& session, const SearchSql& sql,
                                    const TraceConditions& conditions, std::int64_t offset,
                                    std::int64_t limit) {
  std::vector<std::int64_t> keys;
  auto rows = sql.open(session);
  while (static_cast<std::int64_t>(keys.size()) < limit && rows.step()) {
    const std::int64_t key = rows.int64(0);
    if (!conditions.holds(session, key)) continue;
    if (!conditions.all_in_sql() && offset > 0) {
      --offset;
      continue;
    }
    keys.push_back(key);
  }
  return keys;
}

}  // namespace

TracePage search_traces(storage::Session& session, const TraceSearch& search) {
  const std::vector<TraceOrder> order = parse_trace_order(search.order_by);
  const std::vector<TraceTerm> terms = parse_trace_filter(search.filter);
  const std::int64_t offset = tracking::parse_offset_token(search.page_token);
  if (search.experiment_ids.empty()) return {};
  SearchSql sql;
  const TraceConditions conditions(sql, search.experiment_ids, terms);
  sql.text = "SELECT t.id FROM trace t WHERE 1 = 1" + conditions.where() + " ORDER BY ";
  sql.text += order_clause(sql, order);
  if (conditions.all_in_sql())
    sql.text += " LIMIT " + sql.bind(search.limit) + " OFFSET " + sql.bind(offset);
  const std::vector<std::int64_t> keys = take_page(session, sql, conditions, offset, search.limit);
  TracePage page;
  page.traces = load_traces(session, keys);
  if (static_cast<std::int64_t>(keys.size()) == search.limit)
    page.next_page_token = tracking::make_offset_token(offset + search.limit);
  return page;
}

std::vector<std::int64_t> matching_traces(storage::Session& session,
                                          const std::vector<std::int64_t>& experiment_ids,
                                          const std::string& filter) {
  if (experiment_ids.empty()) return {};
  SearchSql sql;
  const TraceConditions conditions(sql, experiment_ids, parse_trace_filter(filter));
  sql.text = "SELECT t.id FROM trace t WHERE 1 = 1" + conditions.where();
  return take_page(session, sql, conditions, 0, INT64_MAX);
}

}  // namespace slipway::tracing
