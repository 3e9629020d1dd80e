// SPDX-License-Identifier: Apache-2.0
#include "registry/search_table.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"

namespace slipway::registry {
namespace {

using tracking::Access;
using tracking::Comparison;
using tracking::Driver;
using tracking::Entity;
using tracking::Filter;
using tracking::Operator;
using tracking::OrderTerm;
using tracking::SearchSql;
using tracking::Seek;
using tracking::Segment;
using tracking::SortColumn;
using tracking::ValueKind;

enum Kind {
  kAll,      // everything, in the order of the term
  kName,     // a comparison of the name
  kRun,      // of the run id
  kSource,   // of the source
  kInteger,  // of a number or time
  kTag
};

struct TagTable {
  std::string_view name;
  std::string_view owner;  // its column
  std::string_view index;  // by name and head of the value
  std::string_view key;    // column of the main table
};
constexpr TagTable kModelTags{"registered_model_tag", "model", "registered_model_tag_by_value",
                              "m.key"};
constexpr TagTable kVersionTags{"model_version_tag", "version", "model_version_tag_by_value",
                                "v.key"};

bool has_prefix(const Comparison& c) {
  return c.op == Operator::kLike && c.texts.front().find_first_of("%_") != 0;
}

// What an index of a text's first characters can narrow.
bool narrows_text(const Comparison& c) {
  return c.op == Operator::kEqual || c.op == Operator::kIn || has_prefix(c);
}

std::string condition_on(SearchSql& sql, const TagTable& tags, const Comparison& c) {
  if (c.entity == Entity::kTag) {
    return "EXISTS (SELECT 1 FROM " + std::string(tags.name) + " t WHERE t." +
           std::string(tags.owner) + " = " + std::string(tags.key) +
           " AND t.name = " + sql.bind(c.key) + " AND " + sql.text_condition("t.value", c) + ")";
  }
  return c.numeric ? sql.number_condition(c.key, c) : sql.text_condition(c.key, c);
}

SortColumn column_of(const OrderTerm& term) {
  return {"", term.key, term.key == "m.name" ? ValueKind::kText : ValueKind::kInteger};
}

std::string without_prompts() {
  return "NOT EXISTS (SELECT 1 FROM registered_model_tag p WHERE p.model = m.key AND p.name = '" +
         std::string(kPromptTag) + "' AND p.value = 'true')";
}

// The rows of a tag, narrowed by its value; `d` is the tag's alias.
void enter_by_tag(SearchSql& sql, const TagTable& tags, const Comparison& c, Access& access) {
  access.from = std::string(tags.name) + " d" + SearchSql::by_index(tags.index);
  access.where = "d.name = " + sql.bind(c.key);
  const std::string head = SearchSql::head_column("d.value");
  if (c.op == Operator::kEqual) {
    SearchSql::append(access.where, head + " = " + sql.bind(tracking::head_of(c.texts.front())));
  } else if (c.op == Operator::kLike) {
    SearchSql::append(access.where, sql.prefix_condition(head, c.texts.front()));
  }
}

void narrow_text(SearchSql& sql, const std::string& column, const Comparison& c, std::size_t place,
                 Access& access) {
  if (c.op == Operator::kLike) {
    SearchSql::append(access.where, sql.prefix_condition(column, c.texts.front()));
    return;
  }
  SearchSql::append(access.where, sql.text_condition(column, c));
  access.met.push_back(place);
}

// Every range over a column; an equality alone, as SQLite would else take the range and sort.
void narrow_number(SearchSql& sql, const std::string& column, const Filter& filter,
                   Access& access) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i].key != column || filter[i].entity != Entity::kAttribute ||
        !tracking::is_range(filter[i].op))
      continue;
    if (filter[i].op == Operator::kEqual) {
      places = {i};
      break;
    }
    places.push_back(i);
  }
  for (const std::size_t i : places) {
    SearchSql::append(access.where, sql.number_condition(column, filter[i]));
    access.met.push_back(i);
  }
}

void group_by(SearchSql& sql, const OrderTerm* term, const Seek* seek, Access& access) {
  if (term == nullptr) return;
  access.group = term->key;
  access.group_kind = column_of(*term).kind;
  if (seek == nullptr) return;
  const std::string op =
      std::string(term->ascending ? " >" : " <") + (seek->inclusive ? "= " : " ");
  const std::string bound =
      std::holds_alternative<std::string>(seek->value.value)
          ? sql.bind(std::string_view{std::get<std::string>(seek->value.value)})
          : sql.bind(std::get<std::int64_t>(seek->value.value));
  // First: of two bounds on one side SQLite begins at the one that it meets first, and those of the
  // filter lie before this one.
  std::string where = access.group + op + bound;
  SearchSql::append(where, access.where);
  access.where = std::move(where);
}

std::string_view version_index(std::string_view column, bool of_model) {
  if (column == "v.version")
    return of_model ? "sqlite_autoindex_model_version_1" : "model_version_by_number";
  if (column == "v.created_at")
    return of_model ? "model_version_of_model_by_creation" : "model_version_by_creation";
  return of_model ? "model_version_of_model_by_update" : "model_version_by_update";
}

std::unordered_map<std::int64_t, std::size_t> places_of(const std::vector<std::int64_t>& keys) {
  std::unordered_map<std::int64_t, std::size_t> places;
  for (std::size_t i = 0; i < keys.size(); ++i) places.emplace(keys[i], i);
  return places;
}

void check_loaded(std::size_t loaded, std::size_t wanted) {
  if (loaded != wanted)
    throw Error(Code::kDataLoss, "a model or version that a search found is missing");
}

}  // namespace

// --- models

std::string ModelTable::condition(SearchSql& sql, const Comparison& c) const {
  return condition_on(sql, kModelTags, c);
}

SortColumn ModelTable::sort_column(SearchSql&, std::string&, const OrderTerm& term,
                                   std::size_t) const {
  return column_of(term);
}

std::vector<Driver> ModelTable::drivers(const Filter& filter) const {
  std::vector<Driver> drivers;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i].entity == Entity::kTag) {
      drivers.push_back({kTag, i});
    } else if (filter[i].key == "m.name" && narrows_text(filter[i])) {
      drivers.push_back({kName, i});
    }
  }
  drivers.push_back({kAll, 0});
  return drivers;
}

std::vector<Driver> ModelTable::walks(const Filter&, const OrderTerm&) const { return {{kAll, 0}}; }

std::vector<Segment> ModelTable::segments(const OrderTerm&) const {
  return std::vector<Segment>(1);
}

std::size_t ModelTable::parts(const Driver&) const { return 1; }

Access ModelTable::access(SearchSql& sql, const Filter& filter, const Driver& driver,
                          const OrderTerm* term, std::size_t, const Seek* seek) const {
  Access access;
  if (driver.kind == kTag) {
    enter_by_tag(sql, kModelTags, filter[driver.comparison], access);
    access.join = " CROSS JOIN registered_model m";
    access.join_on = "m.key = d.model";
  } else {
    const std::string column = term == nullptr ? "m.name" : term->key;
    const char* index = column == "m.name"         ? "sqlite_autoindex_registered_model_1"
                        : column == "m.created_at" ? "registered_model_by_creation"
                                                   : "registered_model_by_update";
    access.from = "registered_model m" + SearchSql::by_index(index);
    if (column == "m.name") access.where = "m.name IS NOT NULL";
    if (driver.kind == kName)
      narrow_text(sql, "m.name", filter[driver.comparison], driver.comparison, access);
    if (column != "m.name") narrow_number(sql, column, filter, access);
  }
  group_by(sql, term, seek, access);
  return access;
}

std::string ModelTable::scope(SearchSql& sql, const Driver&) const {
  std::string scope = "m.name IS NOT NULL";
  if (!prompts_) SearchSql::append(scope, without_prompts());
  SearchSql::append(scope, seen_.condition(sql, "m.name"));
  return scope;
}

// --- versions

std::string VersionTable::condition(SearchSql& sql, const Comparison& c) const {
  return condition_on(sql, kVersionTags, c);
}

SortColumn VersionTable::sort_column(SearchSql&, std::string&, const OrderTerm& term,
                                     std::size_t) const {
  return column_of(term);
}

std::vector<Driver> VersionTable::drivers(const Filter& filter) const {
  std::vector<Driver> drivers;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const Comparison& c = filter[i];
    if (c.entity == Entity::kTag) {
      drivers.push_back({kTag, i});
    } else if (c.numeric) {
      if (tracking::is_range(c.op)) drivers.push_back({kInteger, i});
    } else if (narrows_text(c)) {
      drivers.push_back({c.key == "m.name" ? kName : c.key == "v.run_id" ? kRun : kSource, i});
    }
  }
  drivers.push_back({kAll, 0});
  return drivers;
}

std::vector<Driver> VersionTable::walks(const Filter& filter, const OrderTerm& term) const {
  std::vector<Driver> walks = {{kAll, 0}};
  if (term.key == "m.name") return walks;
  for (std::size_t i = 0; i < filter.size(); ++i) {
    if (filter[i].op != Operator::kEqual || filter[i].entity != Entity::kAttribute) continue;
    if (filter[i].key == "m.name") walks.push_back({kName, i});
    if (filter[i].key == "v.run_id" && term.key == "v.updated_at") walks.push_back({kRun, i});
  }
  return walks;
}

std::vector<Segment> VersionTable::segments(const OrderTerm&) const {
  return std::vector<Segment>(1);
}

std::size_t VersionTable::parts(const Driver&) const { return 1; }

Access VersionTable::access(SearchSql& sql, const Filter& filter, const Driver& driver,
                            const OrderTerm* term, std::size_t, const Seek* seek) const {
  Access access;
  const std::size_t place = driver.comparison;
  const std::string column = term == nullptr ? "v.updated_at" : term->key;
  const auto from_version = [&](std::string_view index) {
    access.from = "model_version v" + SearchSql::by_index(index);
    SearchSql::append(access.where, "v.deleted = 0");
    access.join = " CROSS JOIN registered_model m";
    access.join_on = "m.key = v.model";
  };
  const auto from_model = [&] {
    access.from = "registered_model m" +
                  SearchSql::by_index("sqlite_autoindex_registered_model_1") +
                  " CROSS JOIN model_version v" + SearchSql::by_index(version_index(column, true));
    access.where = "v.model = m.key AND v.deleted = 0 AND m.name IS NOT NULL";
  };
  switch (driver.kind) {
    case kTag:
      enter_by_tag(sql, kVersionTags, filter[place], access);
      access.join = " CROSS JOIN model_version v CROSS JOIN registered_model m";
      access.join_on = "v.key = d.version AND m.key = v.model";
      break;
    case kName:
      from_model();
      narrow_text(sql, "m.name", filter[place], place, access);
      if (term != nullptr) narrow_number(sql, column, filter, access);
      break;
    case kRun:
      from_version("model_version_by_run");
      narrow_text(sql, "v.run_id", filter[place], place, access);
      break;
    case kSource: {
      from_version("model_version_by_source");
      const Comparison& c = filter[place];
      const std::string head = SearchSql::head_column("v.source");
      SearchSql::append(access.where,
                        c.op == Operator::kEqual
                            ? head + " = " + sql.bind(tracking::head_of(c.texts.front()))
                            : sql.prefix_condition(head, c.texts.front()));
      break;
    }
    case kInteger:
      from_version(version_index(filter[place].key, false));
      narrow_number(sql, filter[place].key, filter, access);
      break;
    default:
      if (term != nullptr && column == "m.name") {
        from_model();
        for (std::size_t i = 0; i < filter.size(); ++i) {
          if (filter[i].entity == Entity::kAttribute && filter[i].key == "m.name" &&
              narrows_text(filter[i]) && filter[i].op != Operator::kIn)
            narrow_text(sql, "m.name", filter[i], i, access);
        }
      } else {
        from_version(version_index(column, false));
        if (term != nullptr) narrow_number(sql, column, filter, access);
      }
  }
  group_by(sql, term, seek, access);
  return access;
}

std::string VersionTable::scope(SearchSql& sql, const Driver&) const {
  std::string scope = "v.deleted = 0";
  if (const std::string seen = seen_.condition(sql, "n.name"); !seen.empty())
    SearchSql::append(scope,
                      "v.model IN (SELECT n.key FROM registered_model n WHERE " + seen + ")");
  if (prompts_) return scope;
  // One prompt version hides all versions of its name. Not correlated: read once a statement.
  SearchSql::append(scope, "v.model NOT IN (SELECT w.model FROM model_version_tag p" +
                               SearchSql::by_index(kVersionTags.index) +
                               " JOIN model_version w ON w.key = p.version WHERE p.name = '" +
                               std::string(kPromptTag) + "' AND p.value = 'true')");
  return scope;
}

// --- loading

std::vector<RegisteredModel> load_models(storage::Session& session,
                                         const std::vector<std::int64_t>& keys) {
  std::vector<RegisteredModel> models(keys.size());
  const auto places = places_of(keys);
  std::size_t loaded = 0;
  tracking::each_block(keys, [&](const std::string& list, const auto& bind) {
    {
      auto row = session.prepare(
          "SELECT key, name, description, created_at, updated_at FROM registered_model WHERE key "
          "IN " +
          list);
      for (bind(row); row.step(); ++loaded) {
        RegisteredModel& model = models[places.at(row.int64(0))];
        model.key = row.int64(0);
        model.name = row.text(1);
        model.description = row.maybe_text(2);
        model.created_at = row.int64(3);
        model.updated_at = row.int64(4);
      }
    }
    {
      auto row =
          session.prepare("SELECT model, name, value FROM registered_model_tag WHERE model IN " +
                          list + " ORDER BY model, name");
      for (bind(row); row.step();)
        models[places.at(row.int64(0))].tags.push_back({row.text(1), row.text(2)});
    }
    auto row = session.prepare("SELECT model, alias, version FROM model_alias WHERE model IN " +
                               list + " ORDER BY model, alias");
    for (bind(row); row.step();)
      models[places.at(row.int64(0))].aliases.push_back({row.text(1), row.int64(2)});
  });
  check_loaded(loaded, keys.size());
  return models;
}

std::vector<ModelVersion> load_versions(storage::Session& session,
                                        const std::vector<std::int64_t>& keys) {
  std::vector<ModelVersion> versions(keys.size());
  const auto places = places_of(keys);
  std::size_t loaded = 0;
  tracking::each_block(keys, [&](const std::string& list, const auto& bind) {
    {
      auto row = session.prepare("SELECT " + std::string(version_columns()) +
                                 " FROM model_version v JOIN registered_model m ON m.key = v.model "
                                 "WHERE v.key IN " +
                                 list);
      for (bind(row); row.step(); ++loaded)
        versions[places.at(row.int64(0))] = read_version_row(row);
    }
    {
      auto row =
          session.prepare("SELECT version, name, value FROM model_version_tag WHERE version IN " +
                          list + " ORDER BY version, name");
      for (bind(row); row.step();)
        versions[places.at(row.int64(0))].tags.push_back({row.text(1), row.text(2)});
    }
    auto row = session.prepare(
        "SELECT v.key, a.alias FROM model_version v JOIN model_alias a ON a.model = v.model AND "
        "a.version = v.version WHERE v.key IN " +
        list + " ORDER BY v.key, a.alias");
    for (bind(row); row.step();) versions[places.at(row.int64(0))].aliases.push_back(row.text(1));
  });
  check_loaded(loaded, keys.size());
  return versions;
}

}  // namespace slipway::registry
