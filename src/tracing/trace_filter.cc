// SPDX-License-Identifier: Apache-2.0
#include "tracing/trace_filter.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "tracing/trace.h"
#include "tracking/search_message.h"
#include "tracking/search_part.h"

namespace slipway::tracing {
namespace {

using tracking::FilterParts;
using tracking::Operator;
using tracking::Part;
using tracking::PartKind;
using tracking::python_set;
using tracking::Token;
using tracking::TokenKind;

// MLflow's types of keys, by the words of its messages.
enum class Entity { kAttribute, kTag, kMetadata, kSpan, kFeedback, kExpectation, kIssue };

struct EntityName {
  std::string_view name;
  Entity entity;
};
constexpr EntityName kEntityNames[] = {{"attribute", Entity::kAttribute},
                                       {"attributes", Entity::kAttribute},
                                       {"trace", Entity::kAttribute},
                                       {"tag", Entity::kTag},
                                       {"tags", Entity::kTag},
                                       {"request_metadata", Entity::kMetadata},
                                       {"metadata", Entity::kMetadata},
                                       {"span", Entity::kSpan},
                                       {"feedback", Entity::kFeedback},
                                       {"expectation", Entity::kExpectation},
                                       {"issue", Entity::kIssue}};

std::string_view entity_word(Entity entity) {
  switch (entity) {
    case Entity::kAttribute: return "attribute";
    case Entity::kTag: return "tag";
    case Entity::kMetadata: return "request_metadata";
    case Entity::kSpan: return "span";
    case Entity::kFeedback: return "feedback";
    case Entity::kExpectation: return "expectation";
    case Entity::kIssue: return "issue";
  }
  return "";
}

struct AttributeName {
  std::string_view name;
  TermKind kind;
  std::string_view key;  // a column
  bool in_filter;
  bool in_order;
  bool lists;  // MLflow reads a list behind it, if only to refuse the operator
};
constexpr AttributeName kAttributes[] = {
    {"request_id", TermKind::kText, "trace_id", true, true, true},
    {"status", TermKind::kText, "state", true, true, true},
    {"client_request_id", TermKind::kText, "client_request_id", true, false, true},
    {"experiment_id", TermKind::kNumber, "experiment", false, true, false},
    {"timestamp", TermKind::kNumber, "request_time_ms", true, true, false},
    {"timestamp_ms", TermKind::kNumber, "request_time_ms", true, true, false},
    {"execution_time", TermKind::kNumber, "duration_ms", true, true, false},
    {"execution_time_ms", TermKind::kNumber, "duration_ms", true, true, false},
    {"end_time", TermKind::kNumber, "end_time_ms", true, true, false},
    {"end_time_ms", TermKind::kNumber, "end_time_ms", true, true, false},
    {"name", TermKind::kName, kNameTag, true, true, true},
    {"run_id", TermKind::kRun, kSourceRunKey, true, true, true},
    {"prompt", TermKind::kPrompt, "", true, false, false},
    {"text", TermKind::kSpan, "content", true, false, false}};

const std::vector<std::string_view> kNullable = {"!=",    "=",       "LIKE",       "ILIKE",
                                                 "RLIKE", "IS NULL", "IS NOT NULL"};
const std::vector<std::string_view> kListed = {"!=", "=", "IN", "NOT IN", "LIKE", "ILIKE", "RLIKE"};
const std::vector<std::string_view> kNumeric = {">", ">=", "<", "<="};
const std::vector<std::string_view> kNumbers = {">", ">=", "!=", "=", "<", "<="};
const std::vector<std::string_view> kAssessed = {
    "!=", "=", ">", ">=", "<", "<=", "LIKE", "ILIKE", "RLIKE", "IS NULL", "IS NOT NULL"};
const std::vector<std::string_view> kContent = {"LIKE", "ILIKE"};
const std::vector<std::string_view> kIssues = {"="};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

bool is_one_of(const std::vector<std::string_view>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A comparison as far as it is read.
struct Read {
  Entity entity = Entity::kAttribute;
  const AttributeName* attribute = nullptr;
  std::string key;
  std::string op;  // upper case, one blank between words
  TraceTerm term;
};

std::string upper(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

const AttributeName& find_attribute(std::string_view name, bool in_order) {
  const auto known = [&](const AttributeName& a) { return in_order ? a.in_order : a.in_filter; };
  for (const AttributeName& attribute : kAttributes)
    if (attribute.name == name && known(attribute)) return attribute;
  std::vector<std::string_view> names;
  for (const AttributeName& attribute : kAttributes)
    if (known(attribute)) names.push_back(attribute.name);
  refuse("Invalid attribute key '" + std::string(name) + "' specified. Valid keys are '" +
         python_set(names) + "'");
}

void read_identifier(const FilterParts& filter, const Part& part, bool in_order, Read& read) {
  const Token& first = filter.token(part.first);
  read.key = first.text;
  if (part.first != part.last) {
    const auto* entry = std::find_if(std::begin(kEntityNames), std::end(kEntityNames),
                                     [&](const EntityName& e) { return e.name == first.text; });
    if (entry == std::end(kEntityNames)) {
      std::vector<std::string_view> names;
      for (const EntityName& e : kEntityNames) names.push_back(e.name);
      refuse("Invalid entity type '" + first.text + "'. Valid values are " + python_set(names));
    }
    read.entity = entry->entity;
    read.key.clear();
    for (std::size_t i = part.first + 2; i <= part.last; ++i) read.key += filter.token(i).text;
  }
  if (read.entity == Entity::kAttribute) read.attribute = &find_attribute(read.key, in_order);
}

std::vector<std::string_view> names_where(bool (*wanted)(const AttributeName&)) {
  std::vector<std::string_view> names;
  for (const AttributeName& attribute : kAttributes)
    if (attribute.in_filter && wanted(attribute)) names.push_back(attribute.name);
  return names;
}

void check_assessment_value(const Read& read, const Part& value, bool quoted) {
  if (read.entity != Entity::kFeedback && read.entity != Entity::kExpectation) return;
  const std::string word(entity_word(read.entity));
  const bool numeric = is_one_of(kNumeric, read.op);
  if (numeric && value.kind != PartKind::kNumber) {
    refuse("Expected a numeric value for " + word + " when using comparator '" + read.op +
           "'. Got value " + std::string(value.raw));
  }
  if (!numeric && !quoted && value.kind != PartKind::kName) {
    refuse("Expected a quoted string value for " + word + " (e.g. 'my-value'). Got value " +
           std::string(value.raw));
  }
}

[[noreturn]] void refuse_number(const Read& read, std::string_view raw) {
  if (read.entity == Entity::kAttribute) {
    refuse("Only the '" + python_set(names_where([](const AttributeName& a) {
             return a.kind == TermKind::kNumber;
           })) +
           "' attributes support comparison with numeric values.");
  }
  refuse("Expected a quoted string value for " + std::string(entity_word(read.entity)) +
         " (e.g. 'my-value'). Got value " + std::string(raw));
}

void read_list(const FilterParts& filter, const Part& value, Read& read) {
  if (read.entity == Entity::kAttribute && !read.attribute->lists) {
    refuse("Only attributes in " +
           python_set(names_where([](const AttributeName& a) { return a.lists; })) +
           " supports comparison with a list of quoted string values.");
  }
  if (read.entity == Entity::kMetadata || read.entity == Entity::kIssue)
    refuse_number(read, value.raw);
  read.term.comparison.texts = filter.read_list(value);
}

void read_value(const FilterParts& filter, const Part& value, Read& read) {
  const Token& token = filter.token(value.first);
  // A name in double quotes is a text here.
  const bool quoted = value.first == value.last && token.kind == TokenKind::kText;
  tracking::Comparison& comparison = read.term.comparison;
  check_assessment_value(read, value, quoted);
  if (value.kind == PartKind::kList) {
    read_list(filter, value, read);
  } else if (value.kind == PartKind::kNumber) {
    const bool fits = read.entity == Entity::kFeedback || read.entity == Entity::kExpectation ||
                      (read.attribute != nullptr && read.attribute->kind == TermKind::kNumber);
    if (!fits) refuse_number(read, value.raw);
    comparison.numeric = true;
    comparison.number = std::strtod(token.text.c_str(), nullptr);
  } else if (quoted) {
    comparison.texts = {token.text};
  } else {
    refuse(
        "Parameter value is either not quoted or unidentified quote types used for string value " +
        std::string(value.raw) + ". Use either single or double quotes.");
  }
}

void check_span_operator(const Read& read) {
  const auto check = [&](const std::vector<std::string_view>& allowed) {
    if (is_one_of(allowed, read.op)) return;
    refuse("span." + read.key + " comparator '" + read.op + "' not one of '" + python_set(allowed) +
           "'");
  };
  if (read.key.starts_with("attributes.")) {
    if (read.key == "attributes.")
      refuse("Span attribute name cannot be empty after 'attributes.'");
    check(kListed);
  } else if (read.key == "name" || read.key == "type" || read.key == "status") {
    check(kListed);
  } else if (read.key == "content") {
    check(kContent);
  } else {
    refuse("Invalid span attribute '" + read.key +
           "'. Supported attributes: name, status, type, attributes.<attribute_name>.");
  }
}

// `closed` : not every one of MLflow's sentences closes its quote.
void check_operator(const Read& read, const std::vector<std::string_view>& allowed,
                    const std::vector<std::string_view>& named, bool closed) {
  if (is_one_of(allowed, read.op)) return;
  refuse("Invalid comparator '" + read.op + "' not one of '" + python_set(named) +
         (closed ? "'" : ""));
}

void check_prompt(const Read& read) {
  check_operator(read, kNullable, kNullable, false);
  if (read.op != "=") {
    refuse("Invalid comparator '" + read.op +
           "' for prompts filter. Only '=' is supported with format: prompt = \"name/version\"");
  }
  const std::string& value = read.term.comparison.texts.front();
  if (std::count(value.begin(), value.end(), '/') != 1) {
    refuse("Invalid prompts filter value '" + value +
           "'. Expected format: prompt = \"name/version\"");
  }
}

void check_assessment_operator(const Read& read) {
  if (read.key.empty()) refuse("Assessment field name cannot be empty");
  if (is_one_of(kAssessed, read.op)) return;
  refuse("assessment." + read.key + " comparator '" + read.op + "' not one of '" +
         python_set(kAssessed) + "'");
}

void check_issue_operator(const Read& read) {
  if (read.key != "id")
    refuse("Invalid issue attribute '" + read.key + "'. Supported attributes: id");
  if (read.op == "=") return;
  refuse("issue." + read.key + " comparator '" + read.op + "' not one of '" + python_set(kIssues) +
         "'");
}

void set_attribute(Read& read) {
  read.term.kind = read.attribute->kind;
  read.term.key = read.attribute->key;
  switch (read.attribute->kind) {
    case TermKind::kNumber:
      check_operator(read, kNumbers, kListed, false);
      if (!read.term.comparison.numeric) {
        refuse("Expected a numeric value for attribute " + std::string(read.attribute->name) +
               ". Got value '" + read.term.comparison.texts.front() + "'");
      }
      return;
    case TermKind::kName: return check_operator(read, kNullable, kNullable, false);
    case TermKind::kPrompt: return check_prompt(read);
    case TermKind::kSpan: return;  // checked as a span's
    case TermKind::kRun:
      check_operator(read, kNullable, kNullable, true);
      // Only equality looks at links too.
      if (read.op != "=") read.term.kind = TermKind::kMetadata;
      return;
    default: check_operator(read, kListed, kListed, true);
  }
}

void set_metadata(Read& read) {
  check_operator(read, kNullable, kNullable, true);
  read.term.key = read.key;
  read.term.kind = read.key == kSessionKey                       ? TermKind::kSession
                   : read.key == kUsageKey                       ? TermKind::kUsage
                   : read.key == kCostKey                        ? TermKind::kCost
                   : read.key == kSourceRunKey && read.op == "=" ? TermKind::kRun
                                                                 : TermKind::kMetadata;
  const bool sums = read.term.kind == TermKind::kUsage || read.term.kind == TermKind::kCost;
  if (sums && read.op != "=" && read.op != "!=" && !read.op.starts_with("IS ")) {
    refuse("Comparator '" + read.op + "' is not supported for reserved metadata '" + read.key +
           "'. Only '=', '!=', 'IS NULL', and 'IS NOT NULL' are supported.");
  }
}

// What the comparison means, and whether its operator fits.
void set_term(Read& read) {
  read.term.pattern = read.op == "RLIKE";
  read.term.key = read.key;
  switch (read.entity) {
    case Entity::kAttribute: return set_attribute(read);
    case Entity::kTag:
      check_operator(read, kNullable, kNullable, false);
      read.term.kind = read.key == kNameTag ? TermKind::kName : TermKind::kTag;
      return;
    case Entity::kMetadata: return set_metadata(read);
    case Entity::kSpan:
      read.term.kind = TermKind::kSpan;
      if (!read.key.starts_with("attributes.")) return;
      read.term.kind = TermKind::kSpanValue;
      read.term.key = read.key.substr(std::string_view("attributes.").size());
      return;
    case Entity::kFeedback:
    case Entity::kExpectation:
      read.term.kind =
          read.entity == Entity::kFeedback ? TermKind::kFeedback : TermKind::kExpectation;
      return check_assessment_operator(read);
    case Entity::kIssue: read.term.kind = TermKind::kIssue; return check_issue_operator(read);
  }
}

Read read_comparison(const FilterParts& filter, std::size_t i) {
  const Part& left = filter.parts()[i];
  const Part& op = filter.parts()[i + 1];
  if (left.kind != PartKind::kName) {
    refuse("Invalid comparison clause. Expected 'Identifier' found '" + std::string(left.raw) +
           "'");
  }
  Read read;
  read.op = upper(op.raw);
  read.term.comparison.op = op.op;
  read_identifier(filter, left, false, read);
  if (!tracking::is_null_test(op)) read_value(filter, filter.parts()[i + 2], read);
  const bool content = read.attribute != nullptr && read.attribute->kind == TermKind::kSpan;
  if (content) read.key = read.attribute->key;
  if (content || read.entity == Entity::kSpan) check_span_operator(read);
  return read;
}

[[noreturn]] void refuse_clauses(const std::vector<std::string_view>& clauses) {
  std::string list;
  for (const std::string_view clause : clauses)
    list += (list.empty() ? "'" : ", '") + std::string(clause) + "'";
  refuse("Invalid clause(s) in filter string: " + list);
}

}  // namespace

std::vector<TraceTerm> parse_trace_filter(std::string_view text) {
  if (text.size() > tracking::kFilterBytesMax) {
    refuse("Invalid filter: it has " + std::to_string(text.size()) + " bytes, at most " +
           std::to_string(tracking::kFilterBytesMax) + " are read");
  }
  if (text.empty()) return {};
  const FilterParts filter(text);
  const std::vector<Part>& parts = filter.parts();
  if (parts.empty()) refuse("Invalid filter '" + std::string(text) + "'. Could not be parsed.");
  if (filter.has_other_statement()) {
    refuse("Search filter contained multiple expression " + tracking::python_text(text) +
           ". Provide AND-ed expression list.");
  }
  if (const auto stray = filter.stray(); !stray.empty()) refuse_clauses(stray);
  std::vector<Read> all;
  bool joined = true;
  for (std::size_t i = 0; i < parts.size(); i += filter.length_at(i)) {
    const bool is_and = filter.length_at(i) == 1;
    if (is_and == joined) refuse_clauses({is_and ? parts[i].raw : filter.raw_at(i)});
    joined = is_and;
    if (is_and) continue;
    all.push_back(read_comparison(filter, i));
    if (all.size() > tracking::kComparisonsMax) {
      refuse("Invalid filter: more than " + std::to_string(tracking::kComparisonsMax) +
             " comparisons");
    }
  }
  if (joined) refuse_clauses({parts.back().raw});
  std::vector<TraceTerm> terms;
  terms.reserve(all.size());
  for (Read& read : all) {
    set_term(read);
    terms.push_back(std::move(read.term));
  }
  return terms;
}

namespace {

TraceOrder parse_order_term(const std::string& text) {
  const FilterParts filter(text);
  const std::vector<Part>& parts = filter.parts();
  const bool direction = parts.size() == 2 && parts[1].kind == PartKind::kName;
  if (parts.empty() || parts[0].kind != PartKind::kName || !(parts.size() == 1 || direction))
    refuse("Invalid order_by clause '" + text + "'. Could not be parsed.");
  const bool down = direction && same_ignoring_case(parts[1].raw, "desc");
  if (direction && !down && !same_ignoring_case(parts[1].raw, "asc"))
    refuse("Invalid ordering key in order_by clause '" + text + "'.");
  Read read;
  read_identifier(filter, parts[0], true, read);
  switch (read.entity) {
    case Entity::kAttribute: {
      const TermKind kind = read.attribute->kind;
      return {kind == TermKind::kRun ? TermKind::kMetadata : kind, std::string(read.attribute->key),
              !down};
    }
    case Entity::kTag:
      return {read.key == kNameTag ? TermKind::kName : TermKind::kTag, read.key, !down};
    case Entity::kMetadata:
      if (read.key == kUsageKey || read.key == kCostKey) {
        refuse("Ordering by reserved metadata '" + read.key +
               "' is not supported because it is represented by multiple columns.");
      }
      return {read.key == kSessionKey ? TermKind::kSession : TermKind::kMetadata, read.key, !down};
    default: refuse("Invalid identifier type '" + std::string(entity_word(read.entity)) + "'");
  }
}

}  // namespace

std::vector<TraceOrder> parse_trace_order(const std::vector<std::string>& terms) {
  if (terms.size() > tracking::kOrderTermsMax) {
    refuse("Invalid order_by: " + std::to_string(terms.size()) + " clauses, at most " +
           std::to_string(tracking::kOrderTermsMax));
  }
  std::vector<TraceOrder> order;
  for (const std::string& term : terms) {
    const TraceOrder parsed = parse_order_term(term);
    const bool seen = std::any_of(order.begin(), order.end(), [&](const TraceOrder& other) {
      return other.kind == parsed.kind && other.key == parsed.key;
    });
    if (seen) {
      std::string printed;
      for (const std::string& t : terms)
        printed += (printed.empty() ? "" : ", ") + tracking::python_text(t);
      refuse("`order_by` contains duplicate fields: [" + printed + "]");
    }
    order.push_back(parsed);
  }
  return order;
}

}  // namespace slipway::tracing
