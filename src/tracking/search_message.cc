// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_message.h"

#include <algorithm>

#include "base/error.h"

namespace slipway::tracking {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

const char* entity_word(Entity entity) {
  switch (entity) {
    case Entity::kAttribute: return "attribute";
    case Entity::kMetric: return "metric";
    case Entity::kParam: return "parameter";
    case Entity::kTag: return "tag";
    case Entity::kDataset: return "dataset";
  }
  return "";
}

bool in_registry(const SearchLanguage& language) {
  return language.dialect == Dialect::kModels || language.dialect == Dialect::kVersions;
}

const std::vector<std::string_view> kNumberOperators = {">", ">=", "!=", "=", "<", "<="};
const std::vector<std::string_view> kNullableOperators = {"!=",    "=",       "LIKE",
                                                          "ILIKE", "IS NULL", "IS NOT NULL"};
const std::vector<std::string_view> kListOperators = {"!=", "=", "LIKE", "ILIKE", "IN", "NOT IN"};

// "metrics.acc", "params.lr"
std::string path_of(const SearchKey& key) {
  return (key.entity == Entity::kParam ? "param" : std::string(entity_word(key.entity))) + "s." +
         key.name;
}

}  // namespace

std::string python_text(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + quote;
}

std::string python_set(const std::vector<std::string_view>& names) {
  std::string set;
  for (const std::string_view name : names)
    set += std::string(set.empty() ? "" : ", ") + python_text(name);
  return "{" + set + "}";
}

void refuse_clauses(const SearchLanguage& language, std::string_view filter,
                    const std::vector<std::string_view>& clauses) {
  if (language.dialect == Dialect::kLoggedModels) {
    refuse("Invalid filter string: " + python_text(filter) +
           ". Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND "
           "params.lr = 0.01').");
  }
  const std::string quote = language.dialect == Dialect::kRuns ? "'" : "";
  std::string list;
  for (const std::string_view clause : clauses)
    list += (list.empty() ? "" : ", ") + quote + std::string(clause) + quote;
  refuse("Invalid clause(s) in filter string: " + list);
}

void refuse_statement(const SearchLanguage& language, std::string_view filter, bool several) {
  if (language.dialect == Dialect::kLoggedModels) {
    refuse("Invalid filter string: " + python_text(filter) + ". Expected a single SQL expression.");
  }
  if (!several) refuse("Invalid filter '" + std::string(filter) + "'. Could not be parsed.");
  refuse("Search filter contained multiple expression " + python_text(filter) +
         ". Provide AND-ed expression list.");
}

void refuse_entity(const SearchLanguage& language, std::string_view word) {
  const std::string name(word);
  switch (language.dialect) {
    case Dialect::kRuns:
      refuse("Invalid entity type '" + name +
             "'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']");
    case Dialect::kLoggedModels:
      refuse("Invalid entity type: '" + name +
             "'. Expected one of ['attributes', 'metrics', 'params', 'tags'].");
    default: break;
  }
  refuse("Invalid entity type '" + name + "'. Valid entity types are ('attribute', 'tag', 'tags')");
}

void refuse_attribute(const SearchLanguage& language, std::string_view key, bool in_order) {
  if (in_order && language.dialect == Dialect::kModels) {
    refuse("Invalid order by key '" + std::string(key) +
           "' specified. Valid keys are '{'name', 'timestamp'}'");
  }
  std::vector<std::string_view> names;
  for (const Attribute& attribute : language.attributes)
    if (!in_order || attribute.sortable) names.push_back(attribute.name);
  refuse("Invalid attribute key '" + std::string(key) + "' specified. Valid keys are '" +
         python_set(names) + "'");
}

void refuse_value(const SearchLanguage& language, const SearchKey& key, std::string_view literal,
                  LiteralKind kind) {
  const std::string got(literal);
  if (key.entity == Entity::kMetric) refuse("Expected numeric value type for metric. Found " + got);
  if (key.numeric && language.dialect == Dialect::kVersions && kind == LiteralKind::kText)
    refuse("Invalid value for numeric attribute '" + key.name + "': " + got);
  if (key.numeric && !(in_registry(language) && kind == LiteralKind::kList)) {
    refuse("Expected numeric value type for numeric attribute: " + key.name + ". Found " + got);
  }
  if (kind == LiteralKind::kName) {
    refuse(
        "Parameter value is either not quoted or unidentified quote types used for string value " +
        got + ". Use either single or double quotes.");
  }
  if (key.entity == Entity::kAttribute && kind == LiteralKind::kList) {
    std::vector<std::string_view> names;
    for (const Attribute& attribute : language.attributes)
      if (attribute.lists) names.push_back(attribute.name);
    std::sort(names.begin(), names.end());
    std::string list = python_set(names);
    list.front() = '[';
    list.back() = ']';
    refuse("Only " + list + " attributes support comparison with a list of quoted string values.");
  }
  if (key.entity == Entity::kDataset)
    refuse("Expected a quoted string value for dataset attributes. Got value " + got);
  if (key.entity != Entity::kAttribute) {
    refuse(std::string("Expected a quoted string value for ") + entity_word(key.entity) +
           " (e.g. 'my-value'). Got value " + got);
  }
  if (language.dialect == Dialect::kVersions && kind == LiteralKind::kNumber) {
    refuse("Only the '" +
           python_set({"version_number", "creation_timestamp", "last_updated_timestamp"}) +
           "' attributes support comparison with numeric values.");
  }
  refuse(std::string("Expected a quoted string value ") +
         (in_registry(language) ? "or a list of quoted string values " : "") +
         "for attributes. Got value " + got);
}

void refuse_operator(const SearchLanguage& language, const SearchKey& key,
                     std::string_view spelled) {
  const std::string op(spelled);
  if (language.dialect == Dialect::kLoggedModels) {
    refuse("Invalid comparison operator for " + path_of(key) + ": '" + op + "'. Expected one of " +
           (key.numeric ? "('<', '<=', '>', '>=', '=', '!=')."
                        : "('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN')."));
  }
  if (in_registry(language)) {
    refuse(std::string("Invalid comparator for ") + entity_word(key.entity) +
           (key.numeric ? " " + key.name : "") + ": " + op);
  }
  const bool null = op.starts_with("IS ");
  if (null && language.dialect == Dialect::kRuns) {
    refuse(std::string("IS NULL / IS NOT NULL is only supported for tags and params, not for '") +
           entity_word(key.entity) + "' '" + key.name + "'");
  }
  if (null) {
    refuse("IS NULL / IS NOT NULL is only supported for tags, not for attribute '" + key.name +
           "'");
  }
  // Not every one of these sentences closes its quote, and numbers are told of the texts'
  // operators.
  const bool nullable = key.entity == Entity::kParam || key.entity == Entity::kTag;
  const bool closed =
      key.entity == Entity::kParam || (key.entity == Entity::kAttribute && !key.numeric);
  refuse("Invalid comparator '" + op + "' not one of '" +
         python_set(key.entity == Entity::kMetric ? kNumberOperators
                    : nullable                    ? kNullableOperators
                                                  : kListOperators) +
         (closed ? "'" : ""));
}

}  // namespace slipway::tracking
