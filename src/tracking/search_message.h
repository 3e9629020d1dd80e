// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tracking/search_filter.h"

namespace slipway::tracking {

// What MLflow's server says about a filter or an order that it cannot read. It has a parser for
// each kind of search, and clients' tests look for the words of each; the parser here is one, so
// that the words are picked by SearchLanguage::dialect. Everything throws kInvalidArgument.
//   source  MLflow 3.17.2 as asked (tests/differential); its sets print in no order of their own

// 'a' as Python prints a text: in single quotes, or in double ones if there are only single ones
// in it.
std::string python_text(std::string_view text);
// "{'a', 'b'}"
std::string python_set(const std::vector<std::string_view>& names);

// Parts that are no comparison, as written.
[[noreturn]] void refuse_clauses(const SearchLanguage& language, std::string_view filter,
                                 const std::vector<std::string_view>& clauses);
// Nothing, or more than one statement.
[[noreturn]] void refuse_statement(const SearchLanguage& language, std::string_view filter,
                                   bool several);
// `foo` of foo.bar.
[[noreturn]] void refuse_entity(const SearchLanguage& language, std::string_view word);
[[noreturn]] void refuse_attribute(const SearchLanguage& language, std::string_view key,
                                   bool in_order);
// The literal of a comparison does not fit its key.
[[noreturn]] void refuse_value(const SearchLanguage& language, const SearchKey& key,
                               std::string_view literal, LiteralKind kind);
// The operator does not fit its key.
[[noreturn]] void refuse_operator(const SearchLanguage& language, const SearchKey& key,
                                  std::string_view spelled);

}  // namespace slipway::tracking
