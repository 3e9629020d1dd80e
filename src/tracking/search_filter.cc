// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_filter.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "base/error.h"
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

constexpr Attribute kDatasetAttributes[] = {{"name", "name", false, true},
                                            {"digest", "digest", false, true},
                                            {"context", "context", false, true}};

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

bool knows(const SearchLanguage& language, Entity entity) {
  switch (entity) {
    case Entity::kAttribute: return true;
    case Entity::kMetric: return language.metrics;
    case Entity::kParam: return language.params;
    case Entity::kTag: return language.tags;
    case Entity::kDataset: return language.datasets;
  }
  return false;
}

std::string names_of(std::span<const Attribute> attributes) {
  std::string names;
  for (const Attribute& attribute : attributes) {
    names += std::string(names.empty() ? "'" : ", '") + std::string(attribute.name) + "'";
  }
  return "{" + names + "}";
}

const Attribute& find_attribute(std::span<const Attribute> attributes, std::string_view name,
                                const char* kind) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(),
                   [&](const Attribute& attribute) { return attribute.name == name; });
  if (found == attributes.end()) {
    refuse(std::string("Invalid ") + kind + " key '" + std::string(name) +
           "' specified. Valid keys are '" + names_of(attributes) + "'");
  }
  return *found;
}

struct Identifier {
  Entity entity = Entity::kAttribute;
  std::string key;
  bool numeric = false;
  bool lists = false;
};

class Parser {
 public:
  Parser(std::string_view text, const SearchLanguage& language, std::string_view what)
      : text_(text), language_(language), tokens_(split_tokens(text, what)) {}

  const Token& next() const { return tokens_[position_]; }
  Token take() { return tokens_[position_ + 1 < tokens_.size() ? position_++ : position_]; }
  bool at_end() const { return next().kind == TokenKind::kEnd; }
  bool take_word(std::string_view word) {
    if (!is_word(next(), word)) return false;
    take();
    return true;
  }

  Identifier identifier() {
    const Token first = take();
    if (!is_name(first)) invalid_clause();
    if (next().kind != TokenKind::kDot) return attribute(first.text);
    if (first.kind != TokenKind::kWord) invalid_clause();
    take();
    const auto* entry = std::find_if(std::begin(kEntityNames), std::end(kEntityNames),
                                     [&](const EntityName& e) { return e.name == first.text; });
    if (entry == std::end(kEntityNames) || !knows(language_, entry->entity)) {
      refuse("Invalid entity type '" + first.text + "'. Valid values are " + entity_names());
    }
    return entity_key(entry->entity, dotted_key());
  }

  [[noreturn]] void invalid_clause() const {
    refuse("Invalid clause(s) in filter string: '" + std::string(text_) +
           "': expected \"identifier operator 'value'\" joined by AND, at '" +
           std::string(next().raw) + "'");
  }

  Comparison comparison() {
    const Identifier id = identifier();
    Comparison result;
    result.entity = id.entity;
    result.key = id.key;
    result.numeric = id.numeric;
    const std::string spelled = read_operator(result.op);
    check_operator(id, result.op, spelled);
    if (result.op == Operator::kIsNull || result.op == Operator::kIsNotNull) return result;
    if (result.op == Operator::kIn || result.op == Operator::kNotIn) {
      read_list(result);
    } else if (id.numeric) {
      read_number(id, result);
    } else {
      read_text(id, result);
    }
    return result;
  }

 private:
  static bool is_name(const Token& token) {
    return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName ||
           (token.kind == TokenKind::kText && token.doubly);
  }

  std::string entity_names() const {
    std::string names = "['attribute'";
    if (language_.metrics) names += ", 'metric'";
    if (language_.params) names += ", 'parameter'";
    if (language_.tags) names += ", 'tag'";
    if (language_.datasets) names += ", 'dataset'";
    return names + "]";
  }

  // A key may hold dots without quotes: tags.mlflow.user.
  std::string dotted_key() {
    const Token first = take();
    if (!is_name(first) && first.kind != TokenKind::kNumber) invalid_clause();
    std::string key = first.text;
    while (next().kind == TokenKind::kDot) {
      take();
      const Token part = take();
      if (!is_name(part) && part.kind != TokenKind::kNumber) invalid_clause();
      key += "." + part.text;
    }
    return key;
  }

  Identifier attribute(std::string_view name) const {
    const Attribute& found = find_attribute(language_.attributes, name, "attribute");
    return {Entity::kAttribute, std::string(found.canonical), found.numeric, found.lists};
  }

  Identifier entity_key(Entity entity, const std::string& key) const {
    if (entity == Entity::kAttribute) return attribute(key);
    if (entity == Entity::kDataset) {
      find_attribute(kDatasetAttributes, key, "dataset");
      return {entity, key, false, true};
    }
    return {entity, key, entity == Entity::kMetric, false};
  }

  std::string read_operator(Operator& op) {
    const Token token = take();
    if (token.kind == TokenKind::kOperator) {
      const std::string& s = token.text;
      op = s == "=" || s == "==" ? Operator::kEqual
           : s == "<"            ? Operator::kLess
           : s == "<="           ? Operator::kLessEqual
           : s == ">"            ? Operator::kGreater
           : s == ">="           ? Operator::kGreaterEqual
                                 : Operator::kNotEqual;
      return s;
    }
    if (is_word(token, "like")) return op = Operator::kLike, "LIKE";
    if (is_word(token, "ilike")) return op = Operator::kIlike, "ILIKE";
    if (is_word(token, "in")) return op = Operator::kIn, "IN";
    if (is_word(token, "not") && take_word("in")) return op = Operator::kNotIn, "NOT IN";
    if (is_word(token, "is")) {
      const bool negated = take_word("not");
      if (take_word("null")) {
        op = negated ? Operator::kIsNotNull : Operator::kIsNull;
        return negated ? "IS NOT NULL" : "IS NULL";
      }
    }
    if (token.kind == TokenKind::kWord) {
      refuse("Invalid comparator '" + token.text + "' in filter string '" + std::string(text_) +
             "'");
    }
    invalid_clause();
  }

  static void check_operator(const Identifier& id, Operator op, const std::string& spelled) {
    const bool order = op == Operator::kLess || op == Operator::kLessEqual ||
                       op == Operator::kGreater || op == Operator::kGreaterEqual;
    const bool pattern = op == Operator::kLike || op == Operator::kIlike;
    const bool list = op == Operator::kIn || op == Operator::kNotIn;
    const bool null = op == Operator::kIsNull || op == Operator::kIsNotNull;
    const bool nullable = id.entity == Entity::kParam || id.entity == Entity::kTag;
    if (null && !nullable) {
      const char* kind = id.entity == Entity::kMetric    ? "metric"
                         : id.entity == Entity::kDataset ? "dataset"
                                                         : "attribute";
      refuse(std::string("IS NULL / IS NOT NULL is only supported for tags and params, not for '") +
             kind + "' '" + id.key + "'");
    }
    if (id.numeric && (pattern || list)) {
      refuse("Invalid comparator '" + spelled + "' not one of '{'>', '>=', '!=', '=', '<', '<='}'");
    }
    if (!id.numeric && (order || (list && !id.lists))) {
      refuse("Invalid comparator '" + spelled + "' not one of '{'=', '!=', 'LIKE', 'ILIKE'" +
             (id.lists ? ", 'IN', 'NOT IN'" : "") + (nullable ? ", 'IS NULL', 'IS NOT NULL'" : "") +
             "}'");
    }
  }

  void read_number(const Identifier& id, Comparison& result) {
    const Token token = take();
    std::string_view digits = token.text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [stop, fault] =
        std::from_chars(digits.data(), digits.data() + digits.size(), result.number);
    const bool good = token.kind == TokenKind::kNumber && stop == digits.data() + digits.size() &&
                      (fault == std::errc() || fault == std::errc::result_out_of_range);
    // Too large or too small for a double: an infinity or zero, as Python reads it; from_chars
    // leaves the number as it was.
    if (good && fault != std::errc()) result.number = std::strtod(token.text.c_str(), nullptr);
    if (!good) {
      refuse(id.entity == Entity::kMetric
                 ? "Expected numeric value type for metric. Found " + std::string(token.raw)
                 : "Expected numeric value type for numeric attribute: " + id.key + ". Found " +
                       std::string(token.raw));
    }
  }

  void read_text(const Identifier& id, Comparison& result) {
    const Token token = take();
    if (token.kind != TokenKind::kText) {
      const char* kind = id.entity == Entity::kParam     ? "parameter"
                         : id.entity == Entity::kTag     ? "tag"
                         : id.entity == Entity::kDataset ? "dataset attributes"
                                                         : "attributes";
      refuse(std::string("Expected a quoted string value for ") + kind +
             " (e.g. 'my-value'). Got value " + std::string(token.raw));
    }
    result.texts = {token.text};
  }

  void read_list(Comparison& result) {
    const std::string expected =
        "While parsing a list in the query, expected string value, punctuation, or whitespace";
    if (take().kind != TokenKind::kOpen) refuse(expected + " in parentheses: ('a', 'b')");
    do {
      const Token token = take();
      if (token.kind != TokenKind::kText) {
        refuse(expected + ", but got different type in list: " + std::string(token.raw));
      }
      result.texts.push_back(token.text);
    } while (next().kind == TokenKind::kComma && take().kind == TokenKind::kComma);
    if (take().kind != TokenKind::kClose) refuse(expected + ": the list is not closed");
  }

  std::string_view text_;
  const SearchLanguage& language_;
  std::vector<Token> tokens_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<Comparison> parse_filter(std::string_view text, const SearchLanguage& language) {
  if (text.size() > kFilterBytesMax) {
    refuse("Invalid filter: it has " + std::to_string(text.size()) + " bytes, at most " +
           std::to_string(kFilterBytesMax) + " are read");
  }
  std::vector<Comparison> comparisons;
  Parser parser(text, language, "filter");
  if (parser.at_end()) return comparisons;
  while (true) {
    comparisons.push_back(parser.comparison());
    if (comparisons.size() > kComparisonsMax) {
      refuse("Invalid filter: more than " + std::to_string(kComparisonsMax) + " comparisons");
    }
    if (parser.at_end()) return comparisons;
    if (!parser.take_word("and")) parser.invalid_clause();
  }
}

std::vector<OrderTerm> parse_order(const std::vector<std::string>& terms,
                                   const SearchLanguage& language) {
  std::vector<OrderTerm> order;
  if (terms.size() > kOrderTermsMax) {
    refuse("Invalid order_by: " + std::to_string(terms.size()) + " clauses, at most " +
           std::to_string(kOrderTermsMax));
  }
  for (const std::string& term : terms) {
    Parser parser(term, language, "order_by clause");
    if (parser.at_end()) refuse("Invalid order_by clause '" + term + "'. Could not be parsed.");
    const Identifier id = parser.identifier();
    OrderTerm parsed{id.entity, id.key, true};
    if (parser.take_word("desc")) {
      parsed.ascending = false;
    } else {
      parser.take_word("asc");
    }
    if (!parser.at_end()) refuse("Invalid ordering key in order_by clause '" + term + "'.");
    if (id.entity == Entity::kDataset) refuse("Invalid identifier type 'dataset'");
    const auto same = [&](const OrderTerm& other) {
      return other.entity == parsed.entity && other.key == parsed.key;
    };
    if (std::any_of(order.begin(), order.end(), same)) {
      refuse("`order_by` contains duplicate fields: '" + parsed.key + "'");
    }
    if (id.entity == Entity::kAttribute) {
      const auto by_name = [&](const Attribute& a) {
        return a.canonical == parsed.key && a.sortable;
      };
      if (std::none_of(language.attributes.begin(), language.attributes.end(), by_name)) {
        refuse("Invalid attribute key '" + parsed.key + "' specified in order_by clause '" + term +
               "'");
      }
    }
    order.push_back(std::move(parsed));
  }
  return order;
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
