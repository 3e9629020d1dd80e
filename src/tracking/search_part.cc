// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_part.h"

#include <algorithm>

#include "base/error.h"
#include "tracking/search_message.h"

namespace slipway::tracking {
namespace {

[[noreturn]] void refuse(const std::string& message) {
  throw Error(Code::kInvalidArgument, message);
}

bool is_name(const Token& token) {
  return token.kind == TokenKind::kWord || token.kind == TokenKind::kQuotedName ||
         (token.kind == TokenKind::kText && token.doubly);
}

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
  if (token.kind == TokenKind::kOperator || is_word(token, "like") || is_word(token, "ilike") ||
      is_word(token, "rlike")) {
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

}  // namespace

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

FilterParts::FilterParts(std::string_view text)
    : tokens_(split_tokens(text)), parts_(split_parts(tokens_)) {}

std::size_t FilterParts::length_at(std::size_t i) const {
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

std::string_view FilterParts::raw_at(std::size_t i) const {
  return raw_of(tokens_, parts_[i].first,
                parts_[i + std::max<std::size_t>(length_at(i), 1) - 1].last);
}

bool FilterParts::has_other_statement() const {
  return std::any_of(parts_.begin(), parts_.end(), [&](const Part& part) {
    return part.raw == ";" && part.last + 1 < tokens_.size() - 1;
  });
}

std::vector<std::string_view> FilterParts::stray() const {
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
  return stray;
}

std::vector<std::string> FilterParts::read_list(const Part& value) const {
  std::vector<std::string> texts;
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
    printed += (texts.empty() ? "" : ", ") + (text ? python_text(token.text) : token.text);
    texts.push_back(token.text);
  }
  if (texts.empty()) refuse(begin + "a non-empty list of string values, but got empty list");
  if (!all_texts) {
    refuse(begin + "string value, punctuation, or whitespace, but got different type in list: (" +
           printed + (texts.size() == 1 ? ",)" : ")"));
  }
  return texts;
}

}  // namespace slipway::tracking
