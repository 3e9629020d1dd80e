// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/search_filter.h"
#include "tracking/search_key.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

// How a page of a search is found, for every kind of thing that is searched.
//
// Two ways lead to a page. One *collects* all rows that one comparison's index leads to, keeps
// those that meet the rest, and sorts them: its cost is what that comparison matches. The other
// *walks* an index of the first order term, group of equal values by group, and stops when the page
// is full: its cost is the page, divided by the share of rows that pass. Neither is known before.
// So the walk gets a budget of rows; when it is used up, the rows that each comparison leads to are
// counted (on its index, up to the budget), the fewest are collected if that is less than what the
// walk seems to have left, else the walk goes on with four times the budget. The sum is at most a
// small multiple of the better way.
//
// A group too large to be sorted for one page (a parameter with three values, a status) is a search
// of its own: with "term = value" as one more comparison and the remaining order terms.

// A way into the rows. What it means beyond its comparison is the table's own.
struct Driver {
  int kind = 0;
  std::size_t comparison = 0;  // place in the filter, where one leads
};

// SQL of a way in. Rows come at most once each. `from` and `where` are enough to count.
struct Access {
  std::string from;              // "latest d"
  std::string where;             // "d.experiment = ?1 AND …"
  std::string join;              // " CROSS JOIN run r": what conditions and sort columns need
  std::string join_on;           // "r.id = d.run"; "" = nothing
  std::vector<std::size_t> met;  // comparisons (places in the filter) that every row meets
  std::string group;             // of a walk: what the rows come grouped by, in order
  ValueKind group_kind = ValueKind::kText;
  bool group_is_value = true;  // false: it is the first kHeadCharacters of the term's value
};

struct SortColumn {
  std::string rank;  // SQL of SortValue::rank; "" = always a value
  std::string value;
  ValueKind kind = ValueKind::kText;
};

// A walk is cut into segments, in order: rows from an index, or those that one comparison singles
// out.
struct Segment {
  std::optional<Comparison> only;  // nullopt: from the index
  SortValue value;                 // that they have in common, where `only` is set
};

struct Seek {
  SortValue value;
  bool inclusive = true;
};

using Filter = std::vector<Comparison>;

// What is searched: table, indexes and how comparisons become SQL. A comparison may be one that no
// filter can spell: "= NaN" (numeric with a NaN) means "is NaN", IS NULL works for every term.
class SearchTable {
 public:
  virtual ~SearchTable() = default;
  virtual std::string_view main() const = 0;  // FROM of one row: "run r"
  virtual std::string_view key() const = 0;   // "r.id"
  virtual std::string condition(SearchSql& sql, const Comparison& comparison) const = 0;
  // `number` tells its aliases from those of other terms; joins are appended to `joins`.
  virtual SortColumn sort_column(SearchSql& sql, std::string& joins, const OrderTerm& term,
                                 std::size_t number) const = 0;
  // Ways in for collecting. Never empty: one of them leads to everything.
  virtual std::vector<Driver> drivers(const Filter& filter) const = 0;
  // Ways in whose rows can be had in the order of the term: the general one first, then those that
  // a comparison narrows. Empty: none.
  virtual std::vector<Driver> walks(const Filter& filter, const OrderTerm& term) const = 0;
  virtual std::vector<Segment> segments(const OrderTerm& term) const = 0;
  // An index that begins with something else than the term is walked in so many parts, merged.
  virtual std::size_t parts(const Driver& driver) const = 0;
  // `term` null: for collecting, all parts. Else one part, grouped by the term, from `seek` on.
  virtual Access access(SearchSql& sql, const Filter& filter, const Driver& driver,
                        const OrderTerm* term, std::size_t part, const Seek* seek) const = 0;
  // What rows that came this way must meet besides the filter; "" = nothing. Not in `access`, which
  // must be enough to count.
  virtual std::string scope(SearchSql& sql, const Driver& driver) const = 0;
};

// Tests shrink the limits to reach every branch with few rows, and force ways that would not be
// chosen.
struct PlanOptions {
  enum class Force { kNone, kCollect, kWalk };
  std::int64_t rows_first = 2'000;  // budget before the first count
  std::int64_t group_rows_max = 1'000;
  std::size_t parts_max = 200;  // a walk over more is not tried
  Force force = Force::kNone;
  std::size_t choice = 0;                     // which driver or walk, modulo how many there are
  std::vector<std::string>* trace = nullptr;  // gets the text of every statement
};

// Keys of the rows that meet the filter, in order, behind `after` (empty: from the first), at most
// `limit`.
//   REQUIRES no two rows to be equal in all order terms
std::vector<std::int64_t> find_keys(storage::Session& session, const SearchTable& table,
                                    const Filter& filter, std::span<const OrderTerm> order,
                                    const SortKey& after, std::size_t limit,
                                    const PlanOptions& options = {});

// A page: find_keys with a token for what follows.
struct KeyPage {
  std::vector<std::int64_t> keys;
  std::string next_page_token;  // "" = that was all
};
KeyPage find_page(storage::Session& session, const SearchTable& table, const Filter& filter,
                  std::span<const OrderTerm> order, std::string_view token, std::string_view mark,
                  std::int64_t limit, const PlanOptions& options = {});

// The token of a page that ends with this row, for one that is cut short. kDataLoss: no such row.
std::string token_behind(storage::Session& session, const SearchTable& table,
                         std::span<const OrderTerm> order, std::string_view mark, std::int64_t key);

}  // namespace slipway::tracking
