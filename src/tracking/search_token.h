// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway::tracking {

// The words of a filter or an order_by clause.
enum class TokenKind {
  kWord,
  kQuotedName,
  kText,
  kNumber,
  kOperator,
  kDot,
  kComma,
  kOpen,
  kClose,
  kStray,  // a quote that is not closed, or a character without meaning
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;      // without quotes
  std::string_view raw;  // as written
  bool doubly = false;   // kText in double quotes, which may also be a name
};

// The last token is kEnd. What cannot be a word of the language is kStray: an unclosed quote alone,
// and the text behind it goes on as words.
//   REQUIRES text outlives the tokens
std::vector<Token> split_tokens(std::string_view text);

// True if the token is this word, in any case.
bool is_word(const Token& token, std::string_view lower_case_word);

}  // namespace slipway::tracking
