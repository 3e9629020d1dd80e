// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_search.h"

#include <algorithm>
#include <optional>

namespace slipway::tracking {
namespace {

constexpr Attribute kAttributes[] = {{"run_id", "run_id", false, true},
                                     {"run_name", "run_name"},
                                     {"run name", "run_name", false, false, false},
                                     {"Run name", "run_name", false, false, false},
                                     {"Run Name", "run_name", false, false, false},
                                     {"user_id", "user_id"},
                                     {"status", "status"},
                                     {"artifact_uri", "artifact_uri"},
                                     {"start_time", "start_time", true},
                                     {"created", "start_time", true},
                                     {"Created", "start_time", true},
                                     {"end_time", "end_time", true}};

std::string_view attribute_column(std::string_view key) {
  if (key == "run_id") return "r.uuid";
  if (key == "run_name") return "r.name";
  if (key == "user_id") return "r.user_id";
  if (key == "artifact_uri") return "r.artifact_uri";
  if (key == "start_time") return "r.start_time_ms";
  if (key == "end_time") return "r.end_time_ms";
  return "CASE r.status WHEN 1 THEN 'RUNNING' WHEN 2 THEN 'SCHEDULED' WHEN 3 THEN 'FINISHED' WHEN "
         "4 THEN 'FAILED' ELSE "
         "'KILLED' END";
}

std::string_view pair_table(Entity entity) { return entity == Entity::kParam ? "param" : "tag"; }

// One comparison as a condition on run `r`.
std::string condition(SearchSql& sql, const Comparison& c) {
  switch (c.entity) {
    case Entity::kAttribute:
      return c.numeric ? sql.number_condition(attribute_column(c.key), c)
                       : sql.text_condition(attribute_column(c.key), c);
    case Entity::kMetric: {
      const std::string row =
          "EXISTS (SELECT 1 FROM latest m WHERE m.run = r.id AND m.key = " + sql.bind(c.key) +
          " AND ";
      if (c.op == Operator::kNotEqual)
        return row + "(m.nan = 1 OR " + sql.number_condition("m.value", c) + "))";
      return row + "m.nan = 0 AND " + sql.number_condition("m.value", c) + ")";
    }
    case Entity::kParam:
    case Entity::kTag: {
      const std::string row = "EXISTS (SELECT 1 FROM " + std::string(pair_table(c.entity)) +
                              " p WHERE p.run = r.id AND p.key = " + sql.bind(c.key);
      if (c.op == Operator::kIsNull) return "NOT " + row + ")";
      if (c.op == Operator::kIsNotNull) return row + ")";
      return row + " AND " + sql.text_condition("p.value", c) + ")";
    }
    case Entity::kDataset: {
      if (c.key == "context") {
        return "EXISTS (SELECT 1 FROM dataset_input i JOIN dataset_input_tag t ON t.input = i.id "
               "AND t.key = "
               "'mlflow.data.context' WHERE i.run = r.id AND " +
               sql.text_condition("t.value", c) + ")";
      }
      return "EXISTS (SELECT 1 FROM dataset_input i JOIN dataset d ON d.id = i.dataset WHERE i.run "
             "= r.id AND " +
             sql.text_condition("d." + c.key, c) + ")";
    }
  }
  return "1 = 0";
}

// The first order term on a metric splits the result into classes that follow each other: runs with
// a number, with a NaN, without the metric. Within each class one index order holds, so a page need
// not sort what it does not show.
enum class MetricClass { kAny, kNumber, kNan, kMissing };

class RunQuery {
 public:
  RunQuery(const RunSearch& search, const std::vector<Comparison>& filter,
           const std::vector<OrderTerm>& order)
      : search_(search), filter_(filter), order_(order) {}

  // `count` instead of keys where asked for.
  SearchSql build(MetricClass metric_class, bool count, std::int64_t limit,
                  std::int64_t offset) const {
    SearchSql sql;
    std::string from = "run r";
    std::string where;
    const Comparison* driver = nullptr;
    if (metric_class == MetricClass::kNumber || metric_class == MetricClass::kNan) {
      // CROSS JOIN keeps SQLite from starting at the other end; elsewhere it is a plain join.
      from = "latest o CROSS JOIN run r";
      where = "o.experiment IN " + sql.bind_list(search_.experiment_ids) +
              " AND o.key = " + sql.bind(order_.front().key) +
              " AND o.nan = " + (metric_class == MetricClass::kNan ? "1" : "0") +
              range_on_order(sql) + " AND r.id = o.run";
    } else if (metric_class == MetricClass::kAny && (driver = driving_comparison()) != nullptr) {
      from = "latest d CROSS JOIN run r";
      where = "d.experiment IN " + sql.bind_list(search_.experiment_ids) +
              " AND d.key = " + sql.bind(driver->key) + " AND d.nan = 0 AND " +
              sql.number_condition("d.value", *driver) + " AND r.id = d.run";
    } else {
      where = "r.experiment IN " + sql.bind_list(search_.experiment_ids);
      if (metric_class == MetricClass::kMissing) {
        where += " AND NOT EXISTS (SELECT 1 FROM latest o WHERE o.run = r.id AND o.key = " +
                 sql.bind(order_.front().key) + ")";
      }
    }
    if (search_.view != ViewType::kAll) {
      where += search_.view == ViewType::kDeletedOnly ? " AND r.deleted = 1" : " AND r.deleted = 0";
    }
    for (const Comparison& comparison : filter_) {
      if (&comparison != driver) where += " AND " + condition(sql, comparison);
    }
    const std::string order = count ? "" : order_clause(sql, metric_class, from);
    sql.text = std::string("SELECT ") + (count ? "COUNT(*)" : "r.id") + " FROM " + from +
               " WHERE " + where;
    if (!count)
      sql.text +=
          " ORDER BY " + order + " LIMIT " + sql.bind(limit) + " OFFSET " + sql.bind(offset);
    return sql;
  }

 private:
  // A comparison with a metric that can be walked in the index.
  const Comparison* driving_comparison() const {
    for (const Comparison& c : filter_) {
      if (c.entity == Entity::kMetric && c.op != Operator::kNotEqual) return &c;
    }
    return nullptr;
  }

  // Filters on the ordering metric narrow the walk itself; that they are checked once more costs
  // little.
  std::string range_on_order(SearchSql& sql) const {
    std::string range;
    for (const Comparison& c : filter_) {
      if (c.entity == Entity::kMetric && c.key == order_.front().key &&
          c.op != Operator::kNotEqual) {
        range += " AND " + sql.number_condition("o.value", c);
      }
    }
    return range;
  }

  std::string order_clause(SearchSql& sql, MetricClass metric_class, std::string& from) const {
    std::string clause;
    int number = 0;
    for (const OrderTerm& term : order_) {
      const std::string direction = term.ascending ? " ASC" : " DESC";
      ++number;
      if (number == 1 && metric_class == MetricClass::kNumber) {
        clause += "o.value" + direction + ", ";
        continue;
      }
      if (number == 1 && metric_class != MetricClass::kAny) continue;  // all the same in this class
      if (term.entity == Entity::kAttribute) {
        const std::string column(attribute_column(term.key));
        if (term.key == "end_time") clause += "(" + column + " IS NULL), ";
        clause += column + direction + ", ";
        continue;
      }
      const std::string alias = "s" + std::to_string(number);
      const std::string table(term.entity == Entity::kMetric ? "latest" : pair_table(term.entity));
      from += " LEFT JOIN " + table + " " + alias + " ON " + alias + ".run = r.id AND " + alias +
              ".key = " + sql.bind(term.key);
      if (term.entity == Entity::kMetric) {
        clause += "(CASE WHEN " + alias + ".run IS NULL THEN 2 ELSE " + alias + ".nan END), ";
      } else {
        clause += "(" + alias + ".value IS NULL), ";
      }
      clause += alias + ".value" + direction + ", ";
    }
    return clause + "r.start_time_ms DESC, r.uuid";
  }

  const RunSearch& search_;
  const std::vector<Comparison>& filter_;
  const std::vector<OrderTerm>& order_;
};

// Appends up to `room` keys of a class from its `offset`-th on.
void fetch(storage::Session& session, const SearchSql& sql, std::vector<std::int64_t>& keys) {
  auto rows = sql.open(session);
  while (rows.step()) keys.push_back(rows.int64(0));
}

std::int64_t count_rows(storage::Session& session, const SearchSql& sql) {
  auto row = sql.open(session);
  row.step();
  return row.int64(0);
}

}  // namespace

const SearchLanguage& run_language() {
  static const SearchLanguage language{kAttributes, Dialect::kRuns};
  return language;
}

RunKeys search_runs(storage::Session& session, const RunSearch& search) {
  const std::vector<Comparison> filter = parse_filter(search.filter, run_language());
  const std::vector<OrderTerm> order = parse_order(search.order_by, run_language());
  const std::int64_t offset = parse_offset_token(search.page_token);
  const std::int64_t wanted = search.limit + 1;  // one more tells whether there is a next page
  const RunQuery query(search, filter, order);

  std::vector<std::int64_t> keys;
  if (order.empty() || order.front().entity != Entity::kMetric) {
    fetch(session, query.build(MetricClass::kAny, false, wanted, offset), keys);
  } else {
    std::int64_t skip = offset;
    for (const MetricClass metric_class :
         {MetricClass::kNumber, MetricClass::kNan, MetricClass::kMissing}) {
      const auto have = static_cast<std::int64_t>(keys.size());
      if (have == wanted) break;
      fetch(session, query.build(metric_class, false, wanted - have, skip), keys);
      const std::int64_t got = static_cast<std::int64_t>(keys.size()) - have;
      if (got > 0) {
        skip = 0;
      } else if (skip > 0) {
        // The page begins behind this class; how far behind is its size.
        skip -= count_rows(session, query.build(metric_class, true, 0, 0));
      }
    }
  }
  RunKeys result;
  if (static_cast<std::int64_t>(keys.size()) > search.limit) {
    keys.resize(static_cast<std::size_t>(search.limit));
    result.next_page_token = make_offset_token(offset + search.limit);
  }
  result.keys = std::move(keys);
  return result;
}

}  // namespace slipway::tracking
