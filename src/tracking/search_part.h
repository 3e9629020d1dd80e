// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tracking/search_filter.h"
#include "tracking/search_token.h"

namespace slipway::tracking {

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

bool is_operand(const Part& part);
bool is_null_test(const Part& part);  // IS NULL, IS NOT NULL
bool is_list_test(const Part& part);  // IN, NOT IN

// The parts of one filter, before anybody asks what they mean. REQUIRES: the text outlives it.
class FilterParts {
 public:
  explicit FilterParts(std::string_view text);

  const std::vector<Part>& parts() const { return parts_; }
  const Token& token(std::size_t i) const { return tokens_[i]; }

  // How many parts the comparison at `i` has; 1 for AND; 0 for what is neither.
  std::size_t length_at(std::size_t i) const;
  std::string_view raw_at(std::size_t i) const;  // that comparison as written

  // Something stands behind a semicolon.
  bool has_other_statement() const;

  // What is neither comparison nor AND, as written. A list of things with commas between them is
  // one stray part.
  std::vector<std::string_view> stray() const;

  // The texts of a list in parentheses. kInvalidArgument in MLflow's words when it is empty, or
  // holds anything else.
  std::vector<std::string> read_list(const Part& list) const;

 private:
  std::vector<Token> tokens_;
  std::vector<Part> parts_;
};

}  // namespace slipway::tracking
