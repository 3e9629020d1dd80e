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

}  // namespace

std::vector<Token> split_tokens(std::string_view text) {
  std::vector<Token> tokens;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    Token token;
    const bool is_quote = c == '\'' || c == '"' || c == '`';
    if (is_quote && text.find(c, i + 1) != std::string_view::npos) {
      std::size_t end = text.find(c, i + 1);
      // A quote twice is part of the text.
      while (end + 1 < text.size() && text[end + 1] == c &&
             text.find(c, end + 2) != std::string_view::npos) {
        end = text.find(c, end + 2);
      }
      token.kind = c == '`' ? TokenKind::kQuotedName : TokenKind::kText;
      token.doubly = c == '"';
      token.text = text.substr(i + 1, end - i - 1);
      i = end + 1;
    } else if (const std::size_t length = operator_length(text.substr(i)); length > 0) {
      token.kind = TokenKind::kOperator;
      i += length;
      token.text = text.substr(begin, length);
    } else if (starts_number(text, i) && !continues_name(tokens, c)) {
      token.kind = TokenKind::kNumber;
      i = number_end(text, i);
      // A key may begin with a digit: 1st_try.
      if (i < text.size() && is_word_byte(text[i])) token.kind = TokenKind::kWord;
      while (i < text.size() && is_word_byte(text[i])) ++i;
      token.text = text.substr(begin, i - begin);
    } else if (c == '.' || c == ',' || c == '(' || c == ')') {
      token.kind = punctuation(c);
      token.text = c;
      ++i;
    } else if (is_word_byte(c)) {
      token.kind = TokenKind::kWord;
      while (i < text.size() && is_word_byte(text[i])) ++i;
      token.text = text.substr(begin, i - begin);
    } else {
      token.kind = TokenKind::kStray;
      ++i;
    }
    token.raw = text.substr(begin, i - begin);
    tokens.push_back(std::move(token));
  }
  tokens.push_back({TokenKind::kEnd, "", text.substr(text.size()), false});
  return tokens;
}

bool is_word(const Token& token, std::string_view lower_case_word) {
  return token.kind == TokenKind::kWord && same_ignoring_case(token.text, lower_case_word);
}

}  // namespace slipway::tracking
