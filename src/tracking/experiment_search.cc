// SPDX-License-Identifier: Apache-2.0
#include "tracking/experiment_search.h"

namespace slipway::tracking {
namespace {

constexpr Attribute kAttributes[] = {{"name", "name"},
                                     {"experiment_id", "experiment_id", false, true},
                                     {"creation_time", "creation_time", true},
                                     {"last_update_time", "last_update_time", true}};

std::string_view column(std::string_view key) {
  if (key == "name") return "e.name";
  if (key == "creation_time") return "e.created_at_ms";
  if (key == "last_update_time") return "e.updated_at_ms";
  return "e.id";
}

std::string condition(SearchSql& sql, const Comparison& c) {
  if (c.entity == Entity::kTag) {
    const std::string row =
        "EXISTS (SELECT 1 FROM experiment_tag t WHERE t.experiment = e.id AND t.key = " +
        sql.bind(c.key);
    if (c.op == Operator::kIsNull) return "NOT " + row + ")";
    if (c.op == Operator::kIsNotNull) return row + ")";
    return row + " AND " + sql.text_condition("t.value", c) + ")";
  }
  if (c.numeric) return sql.number_condition(column(c.key), c);
  // An id is compared as the text that clients know.
  return sql.text_condition(c.key == "experiment_id" ? "CAST(e.id AS TEXT)" : column(c.key), c);
}

}  // namespace

ExperimentPage search_experiments(storage::Session& session, const ExperimentSearch& search) {
  const SearchLanguage language{kAttributes, Dialect::kExperiments};
  const std::int64_t offset = parse_offset_token(search.page_token);
  SearchSql sql;
  std::string where = search.view == ViewType::kAll           ? "1 = 1"
                      : search.view == ViewType::kDeletedOnly ? "e.deleted = 1"
                                                              : "e.deleted = 0";
  for (const Comparison& comparison : parse_filter(search.filter, language))
    where += " AND " + condition(sql, comparison);
  if (const std::string seen = search.scope.condition(sql, "CAST(e.id AS TEXT)"); !seen.empty())
    where += " AND " + seen;
  std::string order;
  for (const OrderTerm& term : parse_order(search.order_by, language)) {
    order += std::string(column(term.key)) + (term.ascending ? " ASC, " : " DESC, ");
  }
  if (order.empty()) order = "e.created_at_ms DESC, ";
  sql.text = "SELECT e.id FROM experiment e WHERE " + where + " ORDER BY " + order + "e.id LIMIT " +
             sql.bind(search.limit + 1) + " OFFSET " + sql.bind(offset);
  std::vector<std::int64_t> ids;
  {
    auto rows = sql.open(session);
    while (rows.step()) ids.push_back(rows.int64(0));
  }
  ExperimentPage page;
  if (static_cast<std::int64_t>(ids.size()) > search.limit) {
    ids.pop_back();
    page.next_page_token = make_offset_token(offset + search.limit);
  }
  for (const std::int64_t id : ids) page.experiments.push_back(get_experiment(session, id));
  return page;
}

}  // namespace slipway::tracking
