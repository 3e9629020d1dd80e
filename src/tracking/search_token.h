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
  kEnd
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;      // without quotes
  std::string_view raw;  // as written
  bool doubly = false;   // kText in double quotes, which may also be a name
};

// The last token is kEnd. kInvalidArgument for an unclosed quote or a character that has no
// meaning; `what` begins the message.
//   REQUIRES text outlives the tokens
std::vector<Token> split_tokens(std::string_view text, std::string_view what);

// True if the token is this word, in any case.
bool is_word(const Token& token, std::string_view lower_case_word);

}  // namespace slipway::tracking
