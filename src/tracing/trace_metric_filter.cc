// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_metric_filter.h"

#include <algorithm>

#include "base/error.h"
#include "tracing/trace_search.h"
#include "tracking/search_message.h"
#include "tracking/search_part.h"

namespace slipway::tracing {
namespace {

using tracking::FilterParts;
using tracking::Part;
using tracking::PartKind;
using tracking::SearchSql;

struct EntityName {
  std::string_view view;
  std::string_view entity;
  bool keyed;
  std::string_view column;  // where a column holds it
};
constexpr EntityName kEntities[] = {
    {"trace", "status", false, "state"},     {"trace", "tag", true, ""},
    {"trace", "metadata", true, ""},         {"span", "name", false, "s.name"},
    {"span", "status", false, "s.status"},   {"span", "type", false, "s.type"},
    {"assessment", "name", false, "a.name"}, {"assessment", "type", false, "a.kind"}};

struct MetricFilter {
  const EntityName* entity = nullptr;
  std::string key;
  std::string value;
};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

std::string unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == text.back() &&
      (text.front() == '`' || text.front() == '"'))
    text = text.substr(1, text.size() - 2);
  return std::string(text);
}

const EntityName& find_entity(const std::string& view, const std::string& entity) {
  std::vector<std::string_view> known;
  for (const EntityName& name : kEntities) {
    if (name.view != view) continue;
    if (name.entity == entity) return name;
    known.push_back(name.entity);
  }
  if (known.empty()) {
    refuse("Invalid view type '" + view +
           "'. Valid values are dict_keys(['trace', 'span', 'assessment'])");
  }
  std::string list = tracking::python_set(known);
  list.front() = '[';
  list.back() = ']';
  refuse("Invalid entity '" + entity + "' specified for view type '" + view +
         "'. Valid entities are " + list);
}

void read_identifier(std::string_view raw, MetricFilter& filter) {
  const std::size_t first = raw.find('.');
  if (first == std::string_view::npos) {
    refuse("Invalid identifier " + tracking::python_text(raw) +
           ". Columns should be specified as 'trace.<key>', 'span.<key>', 'assessment.<key>'.");
  }
  const std::size_t second = raw.find('.', first + 1);
  const std::string view = unquoted(raw.substr(0, first));
  const std::string entity(raw.substr(
      first + 1, second == std::string_view::npos ? std::string_view::npos : second - first - 1));
  filter.entity = &find_entity(view, entity);
  const bool has_key = second != std::string_view::npos;
  const std::string path = view + "." + entity;
  if (filter.entity->keyed && !has_key)
    refuse("Filtering by " + entity + " requires a key, e.g. '" + path + ".<key> = <value>'");
  if (!filter.entity->keyed && has_key)
    refuse("Filtering by " + entity + " does not require a key, use '" + path + "' instead");
  if (has_key) filter.key = unquoted(raw.substr(second + 1));
}

// Everything but one comparison is one too many.
void check_form(const std::string& text, const FilterParts& parts) {
  std::vector<std::string_view> wrong = parts.stray();
  std::size_t comparisons = 0;
  for (std::size_t i = 0; i < parts.parts().size();
       i += std::max<std::size_t>(parts.length_at(i), 1)) {
    if (parts.length_at(i) > 1) ++comparisons;
    if (parts.length_at(i) == 1) wrong.push_back(parts.parts()[i].raw);
  }
  if (!wrong.empty()) {
    std::string list;
    for (const std::string_view part : wrong)
      list += (list.empty() ? "" : ", ") + std::string(part);
    refuse("Invalid clause(s) in filter string: " + list);
  }
  if (comparisons != 1) refuse("Invalid filter: '" + text + "'. Expected one filter clause.");
}

MetricFilter parse_filter(const std::string& text) {
  if (text.size() > tracking::kFilterBytesMax)
    refuse("Invalid filter: it has " + std::to_string(text.size()) + " bytes");
  const FilterParts parts(text);
  check_form(text, parts);
  const Part& left = parts.parts()[0];
  const Part& op = parts.parts()[1];
  if (left.kind != PartKind::kName) {
    refuse("Invalid comparison clause. Expected 'Identifier' found '" + std::string(left.raw) +
           "'");
  }
  MetricFilter filter;
  read_identifier(left.raw, filter);
  if (op.raw != "=") {
    refuse("Invalid comparator: '" + std::string(op.raw) + "', only '=' operator is supported");
  }
  const Part& value = parts.parts()[2];
  const tracking::Token& token = parts.token(value.first);
  if (value.first != value.last || token.kind != tracking::TokenKind::kText) {
    refuse("Expected a quoted string value for " + std::string(filter.entity->entity) +
           " value (e.g. 'my-value'). Got value " + std::string(value.raw));
  }
  filter.value = token.text;
  return filter;
}

TraceTerm trace_term(const MetricFilter& filter) {
  TraceTerm term;
  term.key = filter.key;
  term.comparison.op = tracking::Operator::kEqual;
  term.comparison.texts = {filter.value};
  if (filter.entity->entity == "status") {
    term.kind = TermKind::kText;
    term.key = filter.entity->column;
  } else if (filter.entity->entity == "tag") {
    term.kind = filter.key == kNameTag ? TermKind::kName : TermKind::kTag;
  } else {
    term.kind = filter.key == kSessionKey     ? TermKind::kSession
                : filter.key == kUsageKey     ? TermKind::kUsage
                : filter.key == kCostKey      ? TermKind::kCost
                : filter.key == kSourceRunKey ? TermKind::kRun
                                              : TermKind::kMetadata;
  }
  return term;
}

}  // namespace

std::string metric_conditions(SearchSql& sql, const MetricQuery& query) {
  std::vector<TraceTerm> terms;
  std::string own;
  if (query.filters.size() > tracking::kComparisonsMax) refuse("Invalid filters: more than 100");
  for (const std::string& text : query.filters) {
    const MetricFilter filter = parse_filter(text);
    if (filter.entity->view == "trace") {
      terms.push_back(trace_term(filter));
      continue;
    }
    const MetricView view =
        filter.entity->view == "span" ? MetricView::kSpans : MetricView::kAssessments;
    if (query.view != view) {
      refuse("Filtering by " + std::string(filter.entity->view) + " is only supported for " +
             std::string(view_word(view)) + " view type, got " +
             std::string(view_word(query.view)));
    }
    own += " AND " + std::string(filter.entity->column) + " = " +
           sql.bind(std::string_view{filter.value});
  }
  return TraceConditions(sql, query.experiment_ids, terms).where() + own;
}

}  // namespace slipway::tracing
