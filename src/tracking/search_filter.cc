// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_filter.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/text.h"
#include "tracking/search_message.h"
#include "tracking/search_token.h"

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

bool is_name(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kText && token.doubly);
}

// What a filter is made of: a name with its dots, a literal, a list in parentheses, an operator, a
// word of the language, or something else.
enum class PartKind { kName, kText, kNumber, kList, kOperator, kAnd, kComma, kOther };
struct Part {
  PartKind kind = PartKind::kOther;
  std::string_view raw;
  std::size_t first = 0;  // its tokens
  std::size_t last = 0;
  Operator op = Operator::kEqual;
  bool operator_known = true;
};

std::string_view raw_of(const std::vector<Token>& tokens, std::size_t first, std::size_t last) {
  const char* begin = tokens[first].raw.data();
  const char* end = tokens[last].raw.data() + tokens[last].raw.size();
  return {begin, static_cast<std::size_t>(end - begin)};
}

bool is_keyword(const Token& token) {
  for (const std::string_view word : {"and", "or", "not", "in", "is", "null", "like", "ilike"}) {
    if (is_word(token, word)) return true;
  }
  return false;
}

// The last token of the name that begins at `first`. A dot may be the last: `tags.`
std::size_t name_end(const std::vector<Token>& tokens, std::size_t first) {
  std::size_t last = first;
  while (tokens[last + 1].kind == TokenKind::kDot) {
    ++last;
    const Token& next = tokens[last + 1];
    if (!is_name(next) && next.kind != TokenKind::kNumber) break;
    ++last;
  }
  return last;
}

// For each "(" the ")" that closes it; 0 where there is none. Found in one pass: a filter may be
// nothing but parentheses.
std::vector<std::size_t> closing_parentheses(const std::vector<Token>& tokens) {
  std::vector<std::size_t> closes(tokens.size(), 0);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind == TokenKind::kOpen) open.push_back(i);
    if (tokens[i].kind != TokenKind::kClose || open.empty()) continue;
    closes[open.back()] = i;
    open.pop_back();
  }
  return closes;
}

void read_comparator(const Token& token, Part& part) {
  part.kind = PartKind::kOperator;
  const std::string& s = token.text;
  if (is_word(token, "like")) {
    part.op = Operator::kLike;
  } else if (is_word(token, "ilike")) {
    part.op = Operator::kIlike;
  } else if (s == "=") {
    part.op = Operator::kEqual;
  } else if (s == "!=" || s == "<>") {
    part.op = Operator::kNotEqual;
  } else if (s == "<") {
    part.op = Operator::kLess;
  } else if (s == "<=") {
    part.op = Operator::kLessEqual;
  } else if (s == ">") {
    part.op = Operator::kGreater;
  } else if (s == ">=") {
    part.op = Operator::kGreaterEqual;
  } else {
    part.operator_known = false;
  }
}

// IN, NOT IN before a list; IS NULL, IS NOT NULL. False where the words at `i` are none of these.
bool read_word_operator(const std::vector<Token>& tokens, const std::vector<std::size_t>& closes,
                        std::size_t i, Part& part) {
  const bool is_not = is_word(tokens[i], "not") && is_word(tokens[i + 1], "in");
  if (is_not || is_word(tokens[i], "in")) {
    part.last = i + (is_not ? 1 : 0);
    const bool list = closes[part.last + 1] != 0;
    part.op = is_not ? Operator::kNotIn : Operator::kIn;
    if (!list) part.last = i;
    return list;
  }
  if (!is_word(tokens[i], "is")) return false;
  const bool negated = is_word(tokens[i + 1], "not");
  part.op = negated ? Operator::kIsNotNull : Operator::kIsNull;
  const std::size_t null = i + (negated ? 2 : 1);
  if (null >= tokens.size() || !is_word(tokens[null], "null")) return false;
  part.last = null;
  return true;
}

Part read_part(const std::vector<Token>& tokens, const std::vector<std::size_t>& closes,
               std::size_t i) {
  Part part;
  part.first = part.last = i;
  const Token& token = tokens[i];
  if (token.kind == TokenKind::kOperator || is_word(token, "like") || is_word(token, "ilike")) {
    read_comparator(token, part);
  } else if (read_word_operator(tokens, closes, i, part)) {
    part.kind = PartKind::kOperator;
  } else if (is_word(token, "and")) {
    part.kind = PartKind::kAnd;
  } else if (token.kind == TokenKind::kText && !token.doubly) {
    part.kind = PartKind::kText;
  } else if (token.kind == TokenKind::kNumber) {
    part.kind = PartKind::kNumber;
  } else if (token.kind == TokenKind::kComma) {
    part.kind = PartKind::kComma;
  } else if (token.kind == TokenKind::kOpen) {
    part.last = std::max(i, closes[i]);
    part.kind = part.last == i ? PartKind::kOther : PartKind::kList;
  } else if (is_name(token) && !is_keyword(token)) {
    part.kind = PartKind::kName;
    part.last = name_end(tokens, i);
  }
  part.raw = raw_of(tokens, part.first, part.last);
  return part;
}

std::vector<Part> split_parts(const std::vector<Token>& tokens) {
  const std::vector<std::size_t> closes = closing_parentheses(tokens);
  std::vector<Part> parts;
  for (std::size_t i = 0; tokens[i].kind != TokenKind::kEnd; i = parts.back().last + 1)
    parts.push_back(read_part(tokens, closes, i));
  return parts;
}

bool is_operand(const Part& part) {
  return part.kind == PartKind::kName || part.kind == PartKind::kText ||
         part.kind == PartKind::kNumber || part.kind == PartKind::kList;
}
bool is_null_test(const Part& part) {
  return part.kind == PartKind::kOperator && part.operator_known &&
         (part.op == Operator::kIsNull || part.op == Operator::kIsNotNull);
}
bool is_list_test(const Part& part) {
  return part.kind == PartKind::kOperator && part.operator_known &&
         (part.op == Operator::kIn || part.op == Operator::kNotIn);
}

class Parser {
 public:
  Parser(std::string_view text, const SearchLanguage& language)
      : text_(text),
        language_(language),
        tokens_(split_tokens(text)),
        parts_(split_parts(tokens_)) {}

  const std::vector<Part>& parts() const { return parts_; }

  std::vector<Comparison> filter() const {
    if (parts_.empty()) refuse_statement(language_, text_, false);
    refuse_other_statements();
    refuse_stray_parts();
    std::vector<Comparison> comparisons;
    bool joined = true;
    for (std::size_t i = 0; i < parts_.size(); i += length_at(i)) {
      if (length_at(i) == 1) {  // AND
        if (joined) refuse_clauses(language_, text_, {parts_[i].raw});
        joined = true;
        continue;
      }
      if (!joined) refuse_clauses(language_, text_, {raw_at(i)});
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
    const Token& first = tokens_[part.first];
    if (part.first == part.last) return attribute(first.text, in_order);
    const auto names = entity_names(language_);
    const auto entry = std::find_if(names.begin(), names.end(),
                                    [&](const EntityName& e) { return e.name == first.text; });
    if (entry == names.end()) refuse_entity(language_, first.text);
    std::string key;  // it may hold dots without quotes: tags.mlflow.user
    for (std::size_t i = part.first + 2; i <= part.last; ++i) key += tokens_[i].text;
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

  // How many parts the comparison at `i` has; 1 for AND; 0 for what is neither.
  std::size_t length_at(std::size_t i) const {
    const auto at = [&](std::size_t k) -> const Part* {
      return k < parts_.size() ? &parts_[k] : nullptr;
    };
    if (parts_[i].kind == PartKind::kAnd) return 1;
    const Part* op = at(i + 1);
    if (!is_operand(parts_[i]) || op == nullptr || op->kind != PartKind::kOperator) return 0;
    if (is_null_test(*op)) return parts_[i].kind == PartKind::kName ? 2 : 0;
    const Part* right = at(i + 2);
    if (right == nullptr || !is_operand(*right)) return 0;
    if (is_list_test(*op)) return parts_[i].kind == PartKind::kName ? 3 : 0;
    return 3;
  }

  std::string_view raw_at(std::size_t i) const {
    return raw_of(tokens_, parts_[i].first,
                  parts_[i + std::max<std::size_t>(length_at(i), 1) - 1].last);
  }

  void refuse_other_statements() const {
    for (const Part& part : parts_) {
      if (part.raw == ";" && part.last + 1 < tokens_.size() - 1)
        refuse_statement(language_, text_, true);
    }
  }

  // A list of things with commas between them is one stray part.
  void refuse_stray_parts() const {
    std::vector<std::string_view> stray;
    for (std::size_t i = 0; i < parts_.size();) {
      const std::size_t begin = i;
      bool good = length_at(i) > 0;
      i += std::max<std::size_t>(length_at(i), 1);
      while (i + 1 < parts_.size() && parts_[i].kind == PartKind::kComma &&
             (good || is_operand(parts_[i - 1]))) {
        good = false;
        ++i;
        i += std::max<std::size_t>(length_at(i), 1);
      }
      if (!good) stray.push_back(raw_of(tokens_, parts_[begin].first, parts_[i - 1].last));
    }
    if (!stray.empty()) refuse_clauses(language_, text_, stray);
  }

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
    const Token& token = tokens_[value.first];
    // A name in double quotes is a text here.
    const bool doubly = value.first == value.last && token.kind == TokenKind::kText;
    if (value.kind == PartKind::kList) {
      const bool lists = key.lists && !key.numeric;
      if (!lists) refuse_value(language_, key, value.raw, LiteralKind::kList);
      read_list(value, result);
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
    const Token& token = tokens_[value.first];
    const bool digits = quoted && language_.dialect == Dialect::kVersions && !token.text.empty() &&
                        token.text.find_first_not_of("0123456789") == std::string::npos;
    if (value.kind != PartKind::kNumber && !digits) {
      refuse_value(language_, key, value.raw, quoted ? LiteralKind::kText : LiteralKind::kName);
    }
    result.number = std::strtod(token.text.c_str(), nullptr);  // beyond its range: infinite, or 0
  }

  void read_list(const Part& value, Comparison& result) const {
    const std::string begin = "While parsing a list in the query, expected ";
    std::string printed;
    bool all_texts = true;
    bool wants_item = true;
    for (std::size_t i = value.first + 1; i < value.last; ++i) {
      const Token& token = tokens_[i];
      const bool literal = token.kind == TokenKind::kText || token.kind == TokenKind::kNumber;
      if (wants_item != literal || (!wants_item && token.kind != TokenKind::kComma))
        refuse(begin + "a non-empty list of string values, but got ill-formed list.");
      wants_item = !wants_item;
      if (!literal) continue;
      const bool text = token.kind == TokenKind::kText;
      all_texts = all_texts && text;
      printed += (result.texts.empty() ? "" : ", ") + (text ? python_text(token.text) : token.text);
      result.texts.push_back(token.text);
    }
    if (result.texts.empty())
      refuse(begin + "a non-empty list of string values, but got empty list");
    if (!all_texts) {
      refuse(begin + "string value, punctuation, or whitespace, but got different type in list: (" +
             printed + (result.texts.size() == 1 ? ",)" : ")"));
    }
  }

  std::string_view text_;
  const SearchLanguage& language_;
  std::vector<Token> tokens_;
  std::vector<Part> parts_;
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
