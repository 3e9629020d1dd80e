// SPDX-License-Identifier: Apache-2.0
#include "registry/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "json/value.h"
#include "tracking/search_filter.h"
#include "tracking/search_sql.h"

namespace slipway::registry {
namespace {

using tracking::Attribute;
using tracking::Comparison;
using tracking::Entity;
using tracking::Operator;
using Bound = std::variant<std::int64_t, std::string>;

// What one kind of thing is searched by. An attribute's canonical name is its SQL column.
struct Subject {
  tracking::SearchLanguage filter;
  tracking::SearchLanguage order;
  std::string_view tag_table;
  std::string_view tag_owner;  // column of tag_table
  std::string_view owner_key;  // column of the main table
};

constexpr std::array<Attribute, 1> kModelFilter{{{"name", "m.name", false, true, true}}};
constexpr std::array<Attribute, 3> kModelOrder{
    {{"name", "m.name", false, false, true},
     {"timestamp", "m.updated_at", true, false, true},
     {"last_updated_timestamp", "m.updated_at", true, false, true}}};
constexpr std::array<Attribute, 4> kVersionFilter{
    {{"name", "m.name", false, true, true},
     {"run_id", "v.run_id", false, true, true},
     {"source_path", "v.source", false, false, true},
     {"version_number", "v.version", true, false, true}}};
constexpr std::array<Attribute, 4> kVersionOrder{
    {{"name", "m.name", false, false, true},
     {"version_number", "v.version", true, false, true},
     {"creation_timestamp", "v.created_at", true, false, true},
     {"last_updated_timestamp", "v.updated_at", true, false, true}}};

Subject model_subject() {
  return {{kModelFilter, tracking::Dialect::kModels},
          {kModelOrder, tracking::Dialect::kModels},
          "registered_model_tag",
          "model",
          "m.key"};
}

Subject version_subject() {
  return {{kVersionFilter, tracking::Dialect::kVersions},
          {kVersionOrder, tracking::Dialect::kVersions},
          "model_version_tag",
          "version",
          "v.key"};
}

// The WHERE part with ?1, ?2 … and what is bound to them.
struct Clause {
  std::string sql;
  std::vector<Bound> bound;

  std::string bind(Bound value) {
    bound.push_back(std::move(value));
    return "?" + std::to_string(bound.size());
  }
};

// "column LIKE ?3"; the column is never NULL.
std::string compare_text(Clause& clause, const std::string& column, const Comparison& term) {
  if (term.op == Operator::kIn || term.op == Operator::kNotIn) {
    std::string list;
    for (const std::string& text : term.texts)
      list += (list.empty() ? "" : ", ") + clause.bind(text);
    return column + (term.op == Operator::kIn ? " IN (" : " NOT IN (") + list + ")";
  }
  const std::string parameter = clause.bind(term.texts.front());
  switch (term.op) {
    case Operator::kEqual: return column + " = " + parameter;
    case Operator::kNotEqual: return column + " <> " + parameter;
    case Operator::kLike: return column + " LIKE " + parameter;
    case Operator::kIlike: return "LOWER(" + column + ") LIKE LOWER(" + parameter + ")";
    default: break;
  }
  throw Error(Code::kInvalidArgument,
              "Invalid comparator for " +
                  std::string(term.entity == Entity::kTag ? "tag" : "attribute") + " '" + term.key +
                  "': use =, !=, LIKE or ILIKE");
}

std::string compare_number(Clause& clause, const Comparison& term) {
  const double whole = std::trunc(term.number);
  if (whole != term.number || std::abs(whole) > 9e15) {
    std::string number;
    json::append_number(number, term.number);
    throw Error(Code::kInvalidArgument,
                "Invalid value for numeric attribute 'version_number': " + number);
  }
  return term.key + " " + std::string(tracking::sql_operator(term.op)) + " " +
         clause.bind(static_cast<std::int64_t>(whole));
}

std::string tag_term(Clause& clause, const Subject& subject, const Comparison& term) {
  std::string sql = "EXISTS (SELECT 1 FROM " + std::string(subject.tag_table) + " t WHERE t." +
                    std::string(subject.tag_owner) + " = " + std::string(subject.owner_key) +
                    " AND t.name = " + clause.bind(term.key);
  sql += " AND " + compare_text(clause, "t.value", term) + ")";
  return sql;
}

bool is_prompt_term(const Comparison& term) {
  return term.entity == Entity::kTag && term.key == kPromptTag && !term.texts.empty();
}

bool asks_for_prompts(const Comparison& term) {
  const bool is_true = term.texts.front() == "true";
  return (term.op == Operator::kEqual && is_true) || (term.op == Operator::kNotEqual && !is_true);
}

Clause where(const Subject& subject, const std::string& filter, std::string_view always) {
  Clause clause;
  clause.sql = always;
  bool prompts = false;
  for (const Comparison& term : tracking::parse_filter(filter, subject.filter)) {
    if (is_prompt_term(term)) {
      // Models that are no prompts lack the tag, so the other ways to name it mean "leave prompts
      // out", as by default.
      if (!asks_for_prompts(term)) continue;
      prompts = true;
    }
    clause.sql += " AND ";
    if (term.entity == Entity::kTag) {
      clause.sql += tag_term(clause, subject, term);
    } else {
      clause.sql +=
          term.numeric ? compare_number(clause, term) : compare_text(clause, term.key, term);
    }
  }
  if (!prompts && subject.filter.dialect == tracking::Dialect::kVersions) {
    // One prompt version hides all versions of its name. Not correlated: read once a search.
    clause.sql +=
        " AND v.model NOT IN (SELECT w.model FROM model_version_tag p JOIN model_version w ON "
        "w.key = p.version WHERE p.name = 'mlflow.prompt.is_prompt' AND p.value = 'true')";
  } else if (!prompts) {
    clause.sql += " AND NOT EXISTS (SELECT 1 FROM " + std::string(subject.tag_table) +
                  " p WHERE p." + std::string(subject.tag_owner) + " = " +
                  std::string(subject.owner_key) +
                  " AND p.name = 'mlflow.prompt.is_prompt' AND p.value = 'true')";
  }
  return clause;
}

std::string order_of(const Subject& subject, const std::vector<std::string>& order_by,
                     std::string_view fallback, std::string_view tie_break) {
  if (order_by.empty()) return std::string(fallback);
  std::string sql;
  for (const tracking::OrderTerm& term : tracking::parse_order(order_by, subject.order)) {
    sql += term.key + (term.ascending ? " ASC, " : " DESC, ");
  }
  return sql + std::string(tie_break);
}

// The keys that `sql` selects, page by page; the second is the token of the next page.
std::pair<std::vector<std::int64_t>, std::string> page_of(storage::Session& session,
                                                          const Search& search, Clause clause,
                                                          std::string_view select,
                                                          const std::string& order) {
  const std::int64_t offset = tracking::parse_offset_token(search.page_token);
  const std::string limit = clause.bind(search.max_results + 1);
  const std::string skip = clause.bind(offset);
  const std::string sql = std::string(select) + " WHERE " + clause.sql + " ORDER BY " + order +
                          " LIMIT " + limit + " OFFSET " + skip;
  storage::Statement row = session.prepare(sql);
  for (std::size_t i = 0; i < clause.bound.size(); ++i) {
    std::visit([&](const auto& value) { row.bind(static_cast<int>(i) + 1, value); },
               clause.bound[i]);
  }
  std::pair<std::vector<std::int64_t>, std::string> page;
  while (row.step()) page.first.push_back(row.int64(0));
  if (static_cast<std::int64_t>(page.first.size()) > search.max_results) {
    page.first.pop_back();
    page.second = tracking::make_offset_token(offset + search.max_results);
  }
  return page;
}

}  // namespace

ModelPage search_models(storage::Session& session, const Search& search) {
  const Subject subject = model_subject();
  const auto [keys, token] =
      page_of(session, search, where(subject, search.filter, "m.name IS NOT NULL"),
              "SELECT m.key FROM registered_model m",
              order_of(subject, search.order_by, "m.name", "m.name"));
  ModelPage page;
  page.next_page_token = token;
  for (const std::int64_t key : keys) {
    std::string name;
    {
      storage::Statement row =
          session.query("SELECT name FROM registered_model WHERE key = ?1", key);
      row.step();
      name = row.text(0);
    }
    page.models.push_back(get_model(session, name));
  }
  return page;
}

VersionPage search_versions(storage::Session& session, const Search& search) {
  const Subject subject = version_subject();
  const auto [keys, token] =
      page_of(session, search, where(subject, search.filter, "v.deleted = 0"),
              "SELECT v.key FROM model_version v JOIN registered_model m ON m.key = v.model",
              order_of(subject, search.order_by, "v.updated_at DESC, m.name, v.version DESC",
                       "m.name, v.version DESC"));
  VersionPage page;
  page.next_page_token = token;
  const std::string sql = "SELECT " + std::string(version_columns()) +
                          " FROM model_version v JOIN registered_model m ON m.key = v.model "
                          "WHERE v.key = ?1";
  for (const std::int64_t key : keys) {
    storage::Statement row = session.query(sql, key);
    row.step();
    page.versions.push_back(read_version_row(row));
  }
  for (ModelVersion& version : page.versions) load_version_lists(session, version);
  return page;
}

}  // namespace slipway::registry
