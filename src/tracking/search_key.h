// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tracking/search_filter.h"

namespace slipway::tracking {

// What a result is ordered by, and the page tokens that say where in this order a page ended.

enum class ValueKind { kInteger, kReal, kText };

// One value of a sort key. The rank decides first and in both directions: values, then NaN, then
// missing ones. Texts are ordered by their bytes.
struct SortValue {
  enum Rank { kValue = 0, kNan = 1, kMissing = 2 };
  int rank = kValue;
  std::variant<std::int64_t, double, std::string> value;  // where rank is kValue
};
using SortKey = std::vector<SortValue>;  // one for each order term

// < 0: `a` comes first; > 0: `b` does. REQUIRES both of one kind.
int compare(const SortValue& a, const SortValue& b, bool ascending);
// REQUIRES as many values as terms, or more.
int compare(const SortKey& a, const SortKey& b, std::span<const OrderTerm> order);

// Where a page begins: behind a key, or (tokens of older servers) at an offset. Neither: at the
// first.
struct PagePlace {
  SortKey after;
  std::int64_t offset = 0;
};

// What a key may hold in one place.
struct KeyPart {
  ValueKind kind = ValueKind::kText;
  bool may_miss = false;  // and a real be NaN
};

// Tokens are base 64 of {"after": […], "query": "mark"}. The mark is that of the whole search
// (search_mark); a token of another search is kInvalidArgument "Invalid page token: it belongs to a
// search with …", anything that is no token "Invalid page token…". {"offset": N} is read too.
PagePlace parse_page_token(std::string_view token, std::string_view mark,
                           std::span<const KeyPart> parts);
std::string make_page_token(const SortKey& after, std::string_view mark);

// 16 hex characters that stand for these parts.
std::string search_mark(const std::vector<std::string>& parts);

}  // namespace slipway::tracking
