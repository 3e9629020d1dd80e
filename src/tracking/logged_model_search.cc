// SPDX-License-Identifier: Apache-2.0
#include "tracking/logged_model_search.h"

#include <algorithm>

#include "base/error.h"
#include "tracking/search_key.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {
namespace {

constexpr Attribute kAttributes[] = {{"name", "m.name", false, true},
                                     {"model_id", "m.model_id", false, true},
                                     {"model_type", "m.model_type", false, true},
                                     {"status", "CAST(m.status AS TEXT)", false, true},
                                     {"source_run_id", "m.source_run_id", false, true},
                                     {"experiment_id", "CAST(m.experiment AS TEXT)", false, true},
                                     {"artifact_location", "m.artifact_uri", false, true},
                                     {"creation_timestamp", "m.created_at_ms", true},
                                     {"creation_timestamp_ms", "m.created_at_ms", true},
                                     {"creation_time", "m.created_at_ms", true},
                                     {"last_updated_timestamp", "m.updated_at_ms", true},
                                     {"last_updated_timestamp_ms", "m.updated_at_ms", true}};
constexpr SearchLanguage kLanguage{kAttributes, Dialect::kLoggedModels};

std::string dataset_condition(SearchSql& sql, const std::vector<DatasetFilter>& datasets) {
  std::string any;
  for (const DatasetFilter& dataset : datasets) {
    any += (any.empty() ? "" : " OR ") + ("(x.dataset_name = " + sql.bind(dataset.name));
    if (!dataset.digest.empty()) any += " AND x.dataset_digest = " + sql.bind(dataset.digest);
    any += ")";
  }
  return "(" + any + ")";
}

// `datasets`: dataset_condition, "" without any.
std::string condition(SearchSql& sql, const Comparison& c, const std::string& datasets) {
  if (c.entity == Entity::kAttribute) {
    return c.numeric ? sql.number_condition(c.key, c) : sql.text_condition(c.key, c);
  }
  if (c.entity == Entity::kMetric) {
    std::string row =
        "EXISTS (SELECT 1 FROM logged_model_metric x WHERE x.model = m.id AND x.nan = 0 AND x.key "
        "= " +
        sql.bind(c.key) + " AND " + sql.number_condition("x.value", c);
    if (!datasets.empty()) row += " AND " + datasets;
    return row + ")";
  }
  const std::string row = std::string("EXISTS (SELECT 1 FROM ") +
                          (c.entity == Entity::kParam ? "logged_model_param" : "logged_model_tag") +
                          " p WHERE p.model = m.id AND p.key = " + sql.bind(c.key);
  if (c.op == Operator::kIsNull) return "NOT " + row + ")";
  if (c.op == Operator::kIsNotNull) return row + ")";
  return row + " AND " + sql.text_condition("p.value", c) + ")";
}

std::string order_clause(SearchSql& sql, const std::vector<ModelOrder>& order) {
  std::string clause;
  for (const ModelOrder& term : order) {
    const std::string direction = term.ascending ? " ASC, " : " DESC, ";
    if (term.field_name.starts_with("metrics.")) {
      std::string value =
          "(SELECT x.value FROM logged_model_metric x WHERE x.model = m.id AND x.key = " +
          sql.bind(std::string_view{term.field_name}.substr(8));
      if (!term.dataset_name.empty())
        value += " AND x.dataset_name = " + sql.bind(term.dataset_name);
      if (!term.dataset_digest.empty())
        value += " AND x.dataset_digest = " + sql.bind(term.dataset_digest);
      value += " ORDER BY x.time_ms DESC, x.step DESC, x.run_id LIMIT 1)";
      clause += "(" + value + " IS NULL), " + value + direction;
      continue;
    }
    const auto* attribute =
        std::find_if(std::begin(kAttributes), std::end(kAttributes),
                     [&](const Attribute& a) { return a.name == term.field_name; });
    if (attribute == std::end(kAttributes)) {
      throw Error(Code::kInvalidArgument, "Invalid order by field name: " + term.field_name);
    }
    clause += std::string(attribute->canonical) + direction;
  }
  return clause + "m.created_at_ms DESC, m.model_id";
}

// What a token is for: everything but the place in the result.
std::string mark_of(const LoggedModelSearch& search) {
  std::vector<std::string> parts = {"logged-models", search.filter};
  for (const std::int64_t id : search.experiment_ids) parts.push_back(std::to_string(id));
  parts.emplace_back("datasets");
  for (const DatasetFilter& dataset : search.datasets)
    parts.insert(parts.end(), {dataset.name, dataset.digest});
  parts.emplace_back("order");
  for (const ModelOrder& term : search.order_by) {
    parts.insert(parts.end(), {term.field_name, term.ascending ? "ASC" : "DESC", term.dataset_name,
                               term.dataset_digest});
  }
  return search_mark(parts);
}

void check_sizes(const LoggedModelSearch& search) {
  check_experiment_count(search.experiment_ids.size());
  const auto check = [](const char* field, std::size_t count, std::size_t most) {
    if (count <= most) return;
    throw Error(Code::kInvalidArgument, "Invalid value for parameter '" + std::string(field) +
                                            "' supplied: " + std::to_string(count) +
                                            " entries, a search takes at most " +
                                            std::to_string(most));
  };
  check("datasets", search.datasets.size(), kDatasetFiltersMax);
  check("order_by", search.order_by.size(), kOrderTermsMax);
}

std::int64_t parse_token(const LoggedModelSearch& search) {
  if (search.page_token.empty()) return 0;
  const std::size_t colon = search.page_token.find(':');
  const std::int64_t offset =
      parse_offset_token(std::string_view{search.page_token}.substr(0, colon));
  if (colon == std::string::npos || search.page_token.substr(colon + 1) != mark_of(search)) {
    throw Error(
        Code::kInvalidArgument,
        "Invalid page token: it belongs to a search with another filter, order or experiments");
  }
  return offset;
}

}  // namespace

bool is_logged_model_order(std::string_view field_name) {
  return std::any_of(std::begin(kAttributes), std::end(kAttributes),
                     [&](const Attribute& a) { return a.name == field_name; });
}

LoggedModelPage search_logged_models(storage::Session& session, const LoggedModelSearch& search) {
  check_sizes(search);
  const std::int64_t offset = parse_token(search);
  const std::vector<Comparison> filter = parse_filter(search.filter, kLanguage);
  for (const DatasetFilter& dataset : search.datasets) {
    if (dataset.name.empty()) {
      throw Error(Code::kInvalidArgument,
                  "`dataset_name` in the `datasets` clause must be specified.");
    }
  }
  SearchSql sql;
  std::string where = "m.deleted = 0 AND m.experiment IN " + sql.bind_list(search.experiment_ids);
  // Bound once, however many comparisons name it.
  const std::string datasets =
      search.datasets.empty() ? "" : dataset_condition(sql, search.datasets);
  bool has_metric = false;
  for (const Comparison& comparison : filter) {
    where += " AND " + condition(sql, comparison, datasets);
    has_metric = has_metric || comparison.entity == Entity::kMetric;
  }
  if (!search.datasets.empty() && !has_metric) {
    where += " AND EXISTS (SELECT 1 FROM logged_model_metric x WHERE x.model = m.id AND " +
             datasets + ")";
  }
  const std::string order = order_clause(sql, search.order_by);
  sql.text = "SELECT m.id FROM logged_model m WHERE " + where + " ORDER BY " + order + " LIMIT " +
             sql.bind(search.limit + 1) + " OFFSET " + sql.bind(offset);
  std::vector<std::int64_t> keys;
  {
    auto rows = sql.open(session);
    while (rows.step()) keys.push_back(rows.int64(0));
  }
  LoggedModelPage page;
  if (static_cast<std::int64_t>(keys.size()) > search.limit) {
    keys.pop_back();
    page.next_page_token = make_offset_token(offset + search.limit) + ":" + mark_of(search);
  }
  for (const std::int64_t key : keys) page.models.push_back(load_logged_model(session, key));
  return page;
}

}  // namespace slipway::tracking
