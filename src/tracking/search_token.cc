// SPDX-License-Identifier: Apache-2.0
#include "tracking/search_token.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace slipway::tracking {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What a word may hold between quotes and operators: keys like system/gpu:0, f1-score, über.
bool is_word_byte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '/' ||
         c == ':' || static_cast<unsigned char>(c) >= 0x80;
}

std::size_t number_end(std::string_view text, std::size_t i) {
  const auto digits = [&] {
    while (i < text.size() && is_digit(text[i])) ++i;
  };
  if (text[i] == '-') ++i;
  digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    digits();
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    std::size_t k = i + 1;
    if (k < text.size() && (text[k] == '-' || text[k] == '+')) ++k;
    if (k < text.size() && is_digit(text[k])) {
      i = k;
      digits();
    }
  }
  return i;
}

bool starts_number(std::string_view text, std::size_t i) {
  if (text[i] == '-') ++i;
  if (i < text.size() && text[i] == '.') ++i;
  return i < text.size() && is_digit(text[i]);
}

TokenKind punctuation(char c) {
  return c == '.'   ? TokenKind::kDot
         : c == ',' ? TokenKind::kComma
         : c == '(' ? TokenKind::kOpen
                    : TokenKind::kClose;
}

// In `metrics.1st` neither the dot nor what follows it begins a number.
bool continues_name(const std::vector<Token>& tokens, char c) {
  if (tokens.empty()) return false;
  const TokenKind before = tokens.back().kind;
  return before == TokenKind::kDot || (c == '.' && before == TokenKind::kWord);
}

// Operators that nobody knows are operators too: the message then names them.
std::size_t operator_length(std::string_view rest) {
  const std::size_t end = rest.find_first_not_of("<>=!~");
  return end == std::string_view::npos ? rest.size() : end;
}

// Where the quote that opens at `begin` closes; npos: nowhere. A quote twice is part of the text.
std::size_t closing_quote(std::string_view text, std::size_t begin) {
  const char quote = text[begin];
  std::size_t end = text.find(quote, begin + 1);
  if (end == std::string_view::npos) return end;
  while (end + 1 < text.size() && text[end + 1] == quote &&
         text.find(quote, end + 2) != std::string_view::npos) {
    end = text.find(quote, end + 2);
  }
  return end;
}

std::size_t word_end(std::string_view text, std::size_t i) {
  while (i < text.size() && is_word_byte(text[i])) ++i;
  return i;
}

// The token that begins at `begin`, which is no blank.
Token token_at(std::string_view text, std::size_t begin, const std::vector<Token>& before) {
  const char c = text[begin];
  const auto token = [&](TokenKind kind, std::size_t end) {
    const std::string_view raw = text.substr(begin, end - begin);
    return Token{kind, std::string(raw), raw, false};
  };
  if (c == '\'' || c == '"' || c == '`') {
    if (const std::size_t end = closing_quote(text, begin); end != std::string_view::npos) {
      Token quoted = token(c == '`' ? TokenKind::kQuotedName : TokenKind::kText, end + 1);
      quoted.text = text.substr(begin + 1, end - begin - 1);
      quoted.doubly = c == '"';
      return quoted;
    }
  }
  if (const std::size_t length = operator_length(text.substr(begin)); length > 0)
    return token(TokenKind::kOperator, begin + length);
  if (starts_number(text, begin) && !continues_name(before, c)) {
    const std::size_t end = number_end(text, begin);
    // A key may begin with a digit: 1st_try.
    const bool word = end < text.size() && is_word_byte(text[end]);
    return token(word ? TokenKind::kWord : TokenKind::kNumber, word_end(text, end));
  }
  if (c == '.' || c == ',' || c == '(' || c == ')') return token(punctuation(c), begin + 1);
  if (is_word_byte(c)) return token(TokenKind::kWord, word_end(text, begin));
  Token stray = token(TokenKind::kStray, begin + 1);
  stray.text.clear();
  return stray;
}

}  // namespace

std::vector<Token> split_tokens(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    if (std::isspace(static_cast<unsigned char>(text[i])) != 0) {
      ++i;
      continue;
    }
    tokens.push_back(token_at(text, i, tokens));
    i += tokens.back().raw.size();
  }
  tokens.push_back({TokenKind::kEnd, "", text.substr(text.size()), false});
  return tokens;
}

bool is_word(const Token& token, std::string_view lower_case_word) {
  return token.kind == TokenKind::kWord && same_ignoring_case(token.text, lower_case_word);
}

}  // namespace slipway::tracking
