// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tracking/search_filter.h"
#include "tracking/session.h"

namespace slipway::tracking {

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

  // Ready to step.
  storage::Statement open(storage::Session& session) const;

 private:
  std::vector<std::variant<std::int64_t, double, std::string>> values_;
};

// MLflow's page tokens: base 64 of {"offset": N}. "" is 0. kInvalidArgument "Invalid page token …"
// for anything else.
std::int64_t parse_offset_token(std::string_view token);
std::string make_offset_token(std::int64_t offset);

// Which rows of a table with a `deleted` mark a search sees.
enum class ViewType { kActiveOnly = 1, kDeletedOnly = 2, kAll = 3 };

}  // namespace slipway::tracking
