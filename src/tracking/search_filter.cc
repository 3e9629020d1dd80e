// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_filter.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "tracking/search_message.h"
#include "tracking/search_part.h"

namespace slipway::tracking {
namespace {

struct EntityName {
  std::string_view name;
  Entity entity;
};
constexpr EntityName kEntityNames[] = {{"attribute", Entity::kAttribute},
                                       {"attributes", Entity::kAttribute},
                                       {"attr", Entity::kAttribute},
                                       {"run", Entity::kAttribute},
                                       {"metric", Entity::kMetric},
                                       {"metrics", Entity::kMetric},
                                       {"parameter", Entity::kParam},
                                       {"parameters", Entity::kParam},
                                       {"param", Entity::kParam},
                                       {"params", Entity::kParam},
                                       {"tag", Entity::kTag},
                                       {"tags", Entity::kTag},
                                       {"dataset", Entity::kDataset},
                                       {"datasets", Entity::kDataset}};
constexpr EntityName kFewEntityNames[] = {
    {"attribute", Entity::kAttribute}, {"tag", Entity::kTag}, {"tags", Entity::kTag}};
constexpr EntityName kModelEntityNames[] = {{"attributes", Entity::kAttribute},
                                            {"metrics", Entity::kMetric},
                                            {"params", Entity::kParam},
                                            {"tags", Entity::kTag}};

constexpr std::string_view kDatasetKeys[] = {"name", "digest", "context"};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

std::span<const EntityName> entity_names(const SearchLanguage& language) {
  switch (language.dialect) {
    case Dialect::kRuns: return kEntityNames;
    case Dialect::kLoggedModels: return kModelEntityNames;
    default: return kFewEntityNames;
  }
}

class Parser {
 public:
  Parser(std::string_view text, const SearchLanguage& language)
      : text_(text), language_(language), filter_(text), parts_(filter_.parts()) {}

  const std::vector<Part>& parts() const { return parts_; }

  std::vector<Comparison> filter() const {
    if (parts_.empty()) refuse_statement(language_, text_, false);
    if (filter_.has_other_statement()) refuse_statement(language_, text_, true);
    if (const auto stray = filter_.stray(); !stray.empty()) refuse_clauses(language_, text_, stray);
    std::vector<Comparison> comparisons;
    bool joined = true;
    for (std::size_t i = 0; i < parts_.size(); i += length_at(i)) {
      if (length_at(i) == 1) {  // AND
        if (joined) refuse_clauses(language_, text_, {parts_[i].raw});
        joined = true;
        continue;
      }
      if (!joined) refuse_clauses(language_, text_, {filter_.raw_at(i)});
      joined = false;
      comparisons.push_back(comparison(i));
      check_pattern(comparisons.back());
      if (comparisons.size() > kComparisonsMax) {
        refuse("Invalid filter: more than " + std::to_string(kComparisonsMax) + " comparisons");
      }
    }
    if (joined) refuse_clauses(language_, text_, {parts_.back().raw});
    return comparisons;
  }

  SearchKey identifier(const Part& part, bool in_order) const {
    const Token& first = filter_.token(part.first);
    if (part.first == part.last) return attribute(first.text, in_order);
    const auto names = entity_names(language_);
    const auto entry = std::find_if(names.begin(), names.end(),
                                    [&](const EntityName& e) { return e.name == first.text; });
    if (entry == names.end()) refuse_entity(language_, first.text);
    std::string key;  // it may hold dots without quotes: tags.mlflow.user
    for (std::size_t i = part.first + 2; i <= part.last; ++i) key += filter_.token(i).text;
    if (entry->entity == Entity::kAttribute) return attribute(key, in_order);
    if (entry->entity == Entity::kDataset) check_dataset_key(key);
    return {entry->entity, key, key, entry->entity == Entity::kMetric,
            entry->entity == Entity::kDataset || language_.dialect == Dialect::kLoggedModels};
  }

 private:
  static void check_pattern(const Comparison& c) {
    if (c.op != Operator::kLike && c.op != Operator::kIlike) return;
    const std::size_t bytes = c.texts.front().size();
    if (bytes <= kPatternBytesMax) return;
    refuse("Invalid filter: a pattern of " + std::to_string(bytes) + " bytes, at most " +
           std::to_string(kPatternBytesMax) + " are read");
  }

  std::size_t length_at(std::size_t i) const { return filter_.length_at(i); }

  Comparison comparison(std::size_t i) const {
    const Part& left = parts_[i];
    const Part& op = parts_[i + 1];
    if (left.kind != PartKind::kName) {
      refuse("Invalid comparison clause. Expected 'Identifier' found '" + std::string(left.raw) +
             "'");
    }
    if (is_null_test(op) && language_.dialect == Dialect::kLoggedModels) {
      refuse("Invalid comparison: " + std::string(left.raw) + upper(op.raw) +
             ". Expected a comparison with 3 tokens.");
    }
    const SearchKey key = identifier(left, false);
    Comparison result;
    result.entity = key.entity;
    result.key = key.canonical;
    result.numeric = key.numeric;
    result.op = op.op;
    // The parser of logged models looks at the operator first, all others at the literal.
    if (language_.dialect == Dialect::kLoggedModels) check_operator(key, op);
    if (!is_null_test(op)) read_value(key, parts_[i + 2], result);
    if (language_.dialect != Dialect::kLoggedModels) check_operator(key, op);
    return result;
  }

  static std::string upper(std::string_view text) {
    std::string out;
    for (const char c : text) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
  }

  SearchKey attribute(const std::string& name, bool in_order) const {
    const auto found = std::find_if(
        language_.attributes.begin(), language_.attributes.end(),
        [&](const Attribute& a) { return a.name == name && (!in_order || a.sortable); });
    if (found == language_.attributes.end()) refuse_attribute(language_, name, in_order);
    return {Entity::kAttribute, name, std::string(found->canonical), found->numeric, found->lists};
  }

  static void check_dataset_key(const std::string& key) {
    if (std::find(std::begin(kDatasetKeys), std::end(kDatasetKeys), key) != std::end(kDatasetKeys))
      return;
    refuse("Invalid dataset key '" + key + "' specified. Valid keys are '" +
           python_set({kDatasetKeys[0], kDatasetKeys[1], kDatasetKeys[2]}) + "'");
  }

  void check_operator(const SearchKey& key, const Part& op) const {
    const bool order = op.op == Operator::kLess || op.op == Operator::kLessEqual ||
                       op.op == Operator::kGreater || op.op == Operator::kGreaterEqual;
    const bool pattern = op.op == Operator::kLike || op.op == Operator::kIlike;
    const bool null = is_null_test(op);
    const bool list = is_list_test(op);
    const bool nullable = (key.entity == Entity::kParam || key.entity == Entity::kTag) &&
                          language_.dialect != Dialect::kModels &&
                          language_.dialect != Dialect::kVersions;
    const bool fits = op.operator_known && (!null || nullable) &&
                      (key.numeric ? !pattern && !list : !order && (!list || key.lists));
    if (!fits) refuse_operator(language_, key, upper(op.raw));
  }

  void read_value(const SearchKey& key, const Part& value, Comparison& result) const {
    const Token& token = filter_.token(value.first);
    // A name in double quotes is a text here.
    const bool doubly = value.first == value.last && token.kind == TokenKind::kText;
    if (value.kind == PartKind::kList) {
      const bool lists = key.lists && !key.numeric;
      if (!lists) refuse_value(language_, key, value.raw, LiteralKind::kList);
      result.texts = filter_.read_list(value);
    } else if (key.numeric) {
      read_number(key, value, doubly, result);
    } else if (doubly) {
      result.texts = {token.text};
    } else if (language_.dialect == Dialect::kLoggedModels) {
      result.texts = {std::string(value.raw)};  // compared as it is written
    } else {
      refuse_value(language_, key, value.raw,
                   value.kind == PartKind::kName ? LiteralKind::kName : LiteralKind::kNumber);
    }
  }

  // A version's number may stand in quotes.
  void read_number(const SearchKey& key, const Part& value, bool quoted, Comparison& result) const {
    const Token& token = filter_.token(value.first);
    const bool digits = quoted && language_.dialect == Dialect::kVersions && !token.text.empty() &&
                        token.text.find_first_not_of("0123456789") == std::string::npos;
    if (value.kind != PartKind::kNumber && !digits) {
      refuse_value(language_, key, value.raw, quoted ? LiteralKind::kText : LiteralKind::kName);
    }
    result.number = std::strtod(token.text.c_str(), nullptr);  // beyond its range: infinite, or 0
  }

  std::string_view text_;
  const SearchLanguage& language_;
  FilterParts filter_;
  const std::vector<Part>& parts_;
};

OrderTerm parse_order_term(const std::string& term, const SearchLanguage& language,
                           std::string& written) {
  const Parser parser(term, language);
  const std::vector<Part>& parts = parser.parts();
  const bool direction = parts.size() == 2 && parts[1].kind == PartKind::kName;
  if (parts.empty() || parts[0].kind != PartKind::kName || !(parts.size() == 1 || direction)) {
    refuse("Invalid order_by clause '" + term + "'. Could not be parsed.");
  }
  const bool down = direction && same_ignoring_case(parts[1].raw, "desc");
  if (direction && !down && !same_ignoring_case(parts[1].raw, "asc"))
    refuse("Invalid ordering key in order_by clause '" + term + "'.");
  written = parts[0].raw;
  // Models are ordered by bare keys alone.
  if (language.dialect == Dialect::kModels && written.find('.') != std::string::npos)
    refuse_attribute(language, written, true);
  const SearchKey key = parser.identifier(parts[0], true);
  if (key.entity == Entity::kDataset) refuse("Invalid identifier type 'dataset'");
  if (key.entity == Entity::kTag && language.dialect == Dialect::kExperiments)
    refuse("Invalid order_by entity: tag");
  if (key.entity == Entity::kTag && language.dialect == Dialect::kVersions) {
    std::vector<std::string_view> names;
    for (const Attribute& attribute : language.attributes) names.push_back(attribute.name);
    refuse("Invalid order by key '" + key.name + "' specified. Valid keys are " +
           python_set(names));
  }
  return {key.entity, key.canonical, !down};
}

}  // namespace

std::vector<Comparison> parse_filter(std::string_view text, const SearchLanguage& language) {
  if (text.size() > kFilterBytesMax) {
    refuse("Invalid filter: it has " + std::to_string(text.size()) + " bytes, at most " +
           std::to_string(kFilterBytesMax) + " are read");
  }
  if (text.empty()) return {};
  return Parser(text, language).filter();
}

void check_experiment_count(std::size_t count) {
  if (count <= kSearchExperimentsMax) return;
  refuse("Invalid value for parameter 'experiment_ids' supplied: " + std::to_string(count) +
         " experiments, a search takes at most " + std::to_string(kSearchExperimentsMax));
}

std::vector<OrderTerm> parse_order(const std::vector<std::string>& terms,
                                   const SearchLanguage& language) {
  std::vector<OrderTerm> order;
  if (terms.size() > kOrderTermsMax) {
    refuse("Invalid order_by: " + std::to_string(terms.size()) + " clauses, at most " +
           std::to_string(kOrderTermsMax));
  }
  std::string written;
  bool repeated = false;
  for (const std::string& term : terms) {
    std::string key;
    const OrderTerm parsed = parse_order_term(term, language, key);
    const bool seen = std::any_of(order.begin(), order.end(), [&](const OrderTerm& other) {
      return other.entity == parsed.entity && other.key == parsed.key;
    });
    repeated = repeated || seen;
    written += (written.empty() ? "" : ", ") + python_text(key);
    if (!seen) order.push_back(parsed);
  }
  // Experiments are ordered by the first of them.
  if (repeated && language.dialect != Dialect::kExperiments)
    refuse("`order_by` contains duplicate fields: [" + written + "]");
  return order;
}

bool is_range(Operator op) {
  return op == Operator::kEqual || op == Operator::kLess || op == Operator::kLessEqual ||
         op == Operator::kGreater || op == Operator::kGreaterEqual;
}

std::string_view sql_operator(Operator op) {
  switch (op) {
    case Operator::kEqual: return "=";
    case Operator::kNotEqual: return "<>";
    case Operator::kLess: return "<";
    case Operator::kLessEqual: return "<=";
    case Operator::kGreater: return ">";
    case Operator::kGreaterEqual: return ">=";
    default: return "=";
  }
}

}  // namespace slipway::tracking
