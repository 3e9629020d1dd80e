// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <memory>

#include "tracing/pattern.h"
#include "tracing/python_json.h"
#include "tracing/trace_link.h"
#include "tracing/trace_search.h"

namespace slipway::tracing {
namespace {

using tracking::Comparison;
using tracking::Operator;
using tracking::SearchSql;

// How assessments say that they are about a session: a key of their metadata.
constexpr std::string_view kSessionMark = "%\"mlflow.trace.session\":%";

bool is_null_test(const Comparison& comparison) {
  return comparison.op == Operator::kIsNull || comparison.op == Operator::kIsNotNull;
}

std::shared_ptr<const Pattern> compile(const TraceTerm& term) {
  return std::make_shared<const Pattern>(term.comparison.texts.front());
}

// Whether any row's first column, of a statement whose ?1 is the trace, has the pattern.
bool any_row_matches(storage::Session& session, const SearchSql& sql, std::int64_t trace,
                     const Pattern& pattern) {
  auto rows = sql.open(session);
  rows.bind(1, trace);
  while (rows.step()) {
    if (!rows.is_null(0) && pattern.found_in(rows.text_view(0))) return true;
  }
  return false;
}

std::string column_of_number(std::string_view key) {
  if (key == "end_time_ms") return "(t.request_time_ms + COALESCE(t.duration_ms, 0))";
  return "t." + std::string(key);
}

// An attribute of a span as text: what a JSON text says, anything else as JSON.
std::optional<std::string> span_value(const json::Value& content, std::string_view key) {
  const json::Value* attributes = content.find("attributes");
  const json::Value* stored = attributes == nullptr ? nullptr : attributes->find(key);
  if (stored == nullptr) return std::nullopt;
  if (!stored->is_string()) return python_json(*stored);
  const auto value = read_json(stored->as_string());
  return value && value->is_string() ? value->as_string() : stored->as_string();
}

// One question to a span that SQL does not answer.
struct SpanQuestion {
  int column = 0;   // of the statement in add_spans
  std::string key;  // an attribute's, where column is that of the content
  bool attribute = false;
  Comparison comparison;
  std::shared_ptr<const Pattern> pattern;  // null: the comparison counts

  bool holds(const storage::Statement& row) const {
    std::optional<std::string> value = row.maybe_text(column);
    if (attribute) {
      const auto content = read_json(value.value_or(""));
      value = content ? span_value(*content, key) : std::nullopt;
    }
    if (!value) return false;
    if (pattern != nullptr) return pattern->found_in(*value);
    const bool listed = std::find(comparison.texts.begin(), comparison.texts.end(), *value) !=
                        comparison.texts.end();
    const bool negated = comparison.op == Operator::kNotEqual || comparison.op == Operator::kNotIn;
    return listed != negated;
  }
};

constexpr std::string_view kSpanColumns[] = {"name", "type", "status", "content"};

}  // namespace

TraceConditions::TraceConditions(SearchSql& sql, const std::vector<std::int64_t>& experiment_ids,
                                 const std::vector<TraceTerm>& terms)
    : sql_(sql), experiments_(experiment_ids) {
  where_ = " AND t.experiment IN " + sql_.bind_list(experiments_);
  std::vector<TraceTerm> spans;
  for (const TraceTerm& term : terms) {
    if (term.kind == TermKind::kSpan || term.kind == TermKind::kSpanValue) {
      spans.push_back(term);
    } else {
      add(term);
    }
  }
  if (!spans.empty()) add_spans(spans);
}

bool TraceConditions::holds(storage::Session& session, std::int64_t trace) const {
  return std::all_of(questions_.begin(), questions_.end(),
                     [&](const Question& question) { return question(session, trace); });
}

void TraceConditions::add(const TraceTerm& term) {
  switch (term.kind) {
    case TermKind::kText: return add_value(term.key, term);
    case TermKind::kName: return add_value("name", term);
    case TermKind::kSession: return add_value("session", term);
    case TermKind::kNumber:
      where_ += " AND " + sql_.number_condition(column_of_number(term.key), term.comparison);
      return;
    case TermKind::kTag: return add_pair("trace_tag", term);
    case TermKind::kMetadata: return add_pair("trace_metadata", term);
    case TermKind::kUsage:
    case TermKind::kCost: return add_sums(term);
    case TermKind::kRun: return add_run(term);
    case TermKind::kPrompt:
      where_ +=
          " AND EXISTS (SELECT 1 FROM trace_link l WHERE l.trace_id = t.trace_id AND l.kind = " +
          sql_.bind(static_cast<std::int64_t>(LinkKind::kPrompt)) +
          " AND l.target = " + sql_.bind(std::string_view{term.comparison.texts.front()}) + ")";
      return;
    case TermKind::kFeedback:
    case TermKind::kExpectation: return add_assessment(term);
    case TermKind::kIssue:
      where_ +=
          " AND EXISTS (SELECT 1 FROM assessment a WHERE a.trace = t.id AND a.kind = 'issue' "
          "AND a.name = " +
          sql_.bind(std::string_view{term.comparison.texts.front()}) + ")";
      return;
    case TermKind::kSpan:
    case TermKind::kSpanValue: return;  // together, in add_spans
  }
}

void TraceConditions::add_value(std::string_view column, const TraceTerm& term) {
  const std::string name = "t." + std::string(column);
  if (term.comparison.op == Operator::kIsNull) {
    where_ += " AND " + name + " IS NULL";
  } else if (term.comparison.op == Operator::kIsNotNull) {
    where_ += " AND " + name + " IS NOT NULL";
  } else if (!term.pattern) {
    where_ += " AND " + sql_.text_condition(name, term.comparison);
  } else {
    where_ += " AND " + name + " IS NOT NULL";
    questions_.emplace_back(
        [sql = "SELECT " + std::string(column) + " FROM trace WHERE id = ?1",
         pattern = compile(term)](storage::Session& session, std::int64_t trace) {
          auto row = session.query(sql, trace);
          return row.step() && pattern->found_in(row.text_view(0));
        });
  }
}

void TraceConditions::add_pair(std::string_view table, const TraceTerm& term) {
  const std::string row =
      "EXISTS (SELECT 1 FROM " + std::string(table) +
      " p WHERE p.trace = t.id AND p.key = " + sql_.bind(std::string_view{term.key});
  if (term.comparison.op == Operator::kIsNull) {
    where_ += " AND NOT " + row + ")";
    return;
  }
  where_ += " AND " + row;
  if (term.comparison.op != Operator::kIsNotNull && !term.pattern)
    where_ += " AND " + sql_.text_condition("p.value", term.comparison);
  where_ += ")";
  if (!term.pattern) return;
  questions_.emplace_back(
      [sql = "SELECT value FROM " + std::string(table) + " WHERE trace = ?1 AND key = ?2",
       key = term.key, pattern = compile(term)](storage::Session& session, std::int64_t trace) {
        auto found = session.query(sql, trace, key);
        return found.step() && pattern->found_in(found.text_view(0));
      });
}

// The sums stand in columns; what is compared is the text that they print as.
void TraceConditions::add_sums(const TraceTerm& term) {
  const bool usage = term.kind == TermKind::kUsage;
  std::vector<std::string> columns;
  if (usage) {
    columns.assign(kTokenKeys.begin(), kTokenKeys.end());
  } else {
    columns.assign(kCostKeys.begin(), kCostKeys.end());
  }
  std::string any;
  for (const std::string& column : columns)
    any += (any.empty() ? "t." : " OR t.") + column + " IS NOT NULL";
  if (is_null_test(term.comparison)) {
    where_ +=
        std::string(term.comparison.op == Operator::kIsNull ? " AND NOT (" : " AND (") + any + ")";
    return;
  }
  const std::string& text = term.comparison.texts.front();
  const Tokens tokens = read_tokens(text);
  const Costs costs = read_costs(text);
  // What does not print as these sums is equal to none.
  const bool printed = !text.empty() && text == (usage ? write_tokens(tokens) : write_costs(costs));
  std::string all = printed ? "" : "1 = 0";
  for (std::size_t i = 0; printed && i < columns.size(); ++i) {
    const bool present = usage ? tokens[i].has_value() : costs[i].has_value();
    all += (all.empty() ? "t." : " AND t.") + columns[i];
    if (present) {
      all += " = " + (usage ? sql_.bind(*tokens[i]) : sql_.bind(*costs[i]));
    } else {
      all += " IS NULL";
    }
  }
  // In a comparison with NULL "false" is unknown: COALESCE makes it false again.
  where_ += term.comparison.op == Operator::kEqual
                ? " AND (" + all + ")"
                : " AND (" + any + ") AND NOT COALESCE((" + all + "), 1 = 0)";
}

void TraceConditions::add_run(const TraceTerm& term) {
  const std::string run = sql_.bind(std::string_view{term.comparison.texts.front()});
  where_ += " AND (EXISTS (SELECT 1 FROM trace_link l WHERE l.trace_id = t.trace_id AND l.kind = " +
            sql_.bind(static_cast<std::int64_t>(LinkKind::kRun)) + " AND l.target = " + run +
            ") OR EXISTS (SELECT 1 FROM trace_metadata m WHERE m.trace = t.id AND m.key = " +
            sql_.bind(kSourceRunKey) + " AND m.value = " + run + "))";
}

namespace {

// The condition on an assessment's value; "" where any will do. Values are JSON: a text compares
// with the text in quotes, and with true, 0.5 … as they are written.
std::string value_condition(SearchSql& sql, const TraceTerm& term) {
  const Comparison& comparison = term.comparison;
  if (is_null_test(comparison) || term.pattern) return "";
  if (comparison.numeric)
    return " AND a.numeric = 1 AND " + sql.number_condition("a.number", comparison);
  if (comparison.op != Operator::kEqual && comparison.op != Operator::kNotEqual)
    return " AND " + sql.text_condition("a.value", comparison);
  const std::string& text = comparison.texts.front();
  const std::string equal =
      "(a.value = " + sql.bind(std::string_view{text}) +
      " OR a.value = " + sql.bind(std::string_view(python_json(json::Value(text), Ascii::kYes))) +
      ")";
  return std::string(" AND ") + (comparison.op == Operator::kEqual ? "" : "NOT ") + equal;
}

// "a" is valid, of that kind and name.
std::string assessment_condition(SearchSql& sql, const TraceTerm& term) {
  return "a.valid = 1 AND a.kind = " +
         sql.bind(kind_word(term.kind == TermKind::kFeedback ? AssessmentKind::kFeedback
                                                             : AssessmentKind::kExpectation)) +
         " AND a.name = " + sql.bind(std::string_view{term.key});
}

}  // namespace

void TraceConditions::add_assessment(const TraceTerm& term) {
  const std::string about = assessment_condition(sql_, term) + value_condition(sql_, term);
  const std::string session =
      "EXISTS (SELECT 1 FROM trace u JOIN assessment a ON a.trace = u.id WHERE t.session IS NOT "
      "NULL AND u.session = t.session AND u.experiment IN " +
      sql_.bind_list(experiments_) + " AND a.metadata LIKE " + sql_.bind(kSessionMark) + " AND " +
      about + ")";
  const std::string either = "(EXISTS (SELECT 1 FROM assessment a WHERE a.trace = t.id AND " +
                             about + ") OR " + session + ")";
  where_ +=
      (term.comparison.op == Operator::kIsNull && !term.pattern ? " AND NOT " : " AND ") + either;
  if (!term.pattern) return;
  auto sql = std::make_shared<SearchSql>();
  sql->bind(std::int64_t{0});  // ?1: the trace
  sql->text =
      "SELECT a.value FROM assessment a JOIN trace u ON u.id = a.trace WHERE (u.id = ?1 OR "
      "(u.session = (SELECT session FROM trace WHERE id = ?1) AND u.experiment IN " +
      sql->bind_list(experiments_) + " AND a.metadata LIKE " + sql->bind(kSessionMark) + ")) AND ";
  sql->text += assessment_condition(*sql, term);
  questions_.emplace_back(
      [sql, pattern = compile(term)](storage::Session& session_of, std::int64_t trace) {
        return any_row_matches(session_of, *sql, trace, *pattern);
      });
}

void TraceConditions::add_spans(const std::vector<TraceTerm>& terms) {
  std::vector<SpanQuestion> asked;
  std::string in_where;  // the same conditions for both statements, each with values of its own
  auto sql = std::make_shared<SearchSql>();
  sql->bind(std::int64_t{0});  // ?1: the trace
  sql->text = "SELECT name, type, status, content FROM span s WHERE s.trace = ?1";
  for (const TraceTerm& term : terms) {
    const bool like =
        term.comparison.op == Operator::kLike || term.comparison.op == Operator::kIlike;
    const auto* column = std::find(std::begin(kSpanColumns), std::end(kSpanColumns), term.key);
    if (term.kind == TermKind::kSpan && !term.pattern) {
      in_where += " AND " + sql_.text_condition("s." + term.key, term.comparison);
      sql->text += " AND " + sql->text_condition("s." + term.key, term.comparison);
    } else if (term.kind == TermKind::kSpanValue && like && !term.pattern) {
      // MLflow looks for the value anywhere behind the key, in the JSON as it is stored.
      Comparison anywhere = term.comparison;
      anywhere.texts = {"%\"" + term.key + "\"" + term.comparison.texts.front() + "%"};
      in_where += " AND " + sql_.text_condition("s.content", anywhere);
      sql->text += " AND " + sql->text_condition("s.content", anywhere);
    } else {
      const bool attribute = term.kind == TermKind::kSpanValue;
      const int place = attribute ? 3 : static_cast<int>(column - std::begin(kSpanColumns));
      asked.push_back(
          {place, term.key, attribute, term.comparison, term.pattern ? compile(term) : nullptr});
    }
  }
  where_ += " AND EXISTS (SELECT 1 FROM span s WHERE s.trace = t.id" + in_where + ")";
  if (asked.empty()) return;
  questions_.emplace_back([sql, asked](storage::Session& session, std::int64_t trace) {
    auto rows = sql->open(session);
    rows.bind(1, trace);
    while (rows.step()) {
      if (std::all_of(asked.begin(), asked.end(),
                      [&](const SpanQuestion& question) { return question.holds(rows); }))
        return true;
    }
    return false;
  });
}

}  // namespace slipway::tracing
