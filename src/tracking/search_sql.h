// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tracking/search_filter.h"
#include "tracking/session.h"

namespace slipway::tracking {

// Texts are indexed by this many characters, as values may have thousands.
inline constexpr std::size_t kHeadCharacters = 64;
std::string_view head_of(std::string_view text);  // its first kHeadCharacters

// A statement under construction: text and the values of its parameters, which never stand in the
// text.
class SearchSql {
 public:
  std::string text;

  // Adds a value and returns its place: "?3".
  std::string bind(std::int64_t value);
  std::string bind(double value);
  std::string bind(std::string_view value);

  // "(?1, ?2)"; "(NULL)" for an empty list, which matches nothing.
  std::string bind_list(const std::vector<std::int64_t>& values);
  std::string bind_list(const std::vector<std::string>& values);

  // "column = ?4" for a text comparison: = != LIKE ILIKE IN NOT IN. LIKE distinguishes case and
  // ILIKE folds ASCII; % and _ are the wildcards, without an escape character.
  std::string text_condition(std::string_view column, const Comparison& comparison);

  // "column > ?4" for a number.
  std::string number_condition(std::string_view column, const Comparison& comparison);

  // "text >= ?4 AND text < ?5" for the texts that begin with what stands before a LIKE pattern's
  // first wildcard; "" when it begins with one. `column` may hold the first kHeadCharacters alone.
  std::string prefix_condition(std::string_view column, std::string_view pattern);

  // "substr(column, 1, 64)", as the indexes have it, and the text compared with it.
  static std::string head_column(std::string_view column);

  // Which index a table is read by. Only SQLite needs to be told: its guesses know no counts.
  static std::string by_index(std::string_view index);

  // "… AND condition"; an empty condition adds nothing.
  static void append(std::string& where, const std::string& condition);

  // Ready to step.
  storage::Statement open(storage::Session& session,
                          storage::Usage usage = storage::Usage::kPlain) const;

 private:
  std::vector<std::variant<std::int64_t, double, std::string>> values_;
};

// What a search may find at all, for a caller who may not see everything. It is part of the
// search's own statement, so that pages are filled and nothing tells how much was left out.
struct Scope {
  enum class Rule { kAll, kNone, kOnly, kAllBut };
  Rule rule = Rule::kAll;
  std::function<std::string(SearchSql&)> select;  // with kOnly, kAllBut: "SELECT …" of texts

  // "column IN (SELECT …)", "1 = 0" …; "" for kAll. `column` is a text.
  std::string condition(SearchSql& sql, std::string_view column) const;
};

// What belongs to the rows of a page is read in blocks of keys: `work` gets "(?1, ?2, …)" for its
// statements and a function that binds the block to one of them. Short lists repeat a key, so that
// the statements of all blocks are the same few.
using BindBlock = std::function<void(storage::Statement&)>;
void each_block(std::span<const std::int64_t> keys,
                const std::function<void(const std::string& list, const BindBlock& bind)>& work);

// MLflow's older page tokens: base 64 of {"offset": N}. "" is 0. kInvalidArgument "Invalid page
// token …" for anything else, also for an offset beyond kOffsetMax: what it skips is read all the
// same.
inline constexpr std::int64_t kOffsetMax = 1'000'000;
std::int64_t parse_offset_token(std::string_view token);
std::string make_offset_token(std::int64_t offset);

// Which rows of a table with a `deleted` mark a search sees.
enum class ViewType { kActiveOnly = 1, kDeletedOnly = 2, kAll = 3 };

}  // namespace slipway::tracking
