// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "tracking/search_plan.h"

namespace slipway::tracking {

// Runs as the planner sees them: aliases `r` (run) and `d` (what leads to it).
//   metrics            latest_by_value, by experiment
//   parameters, tags   param_by_value, tag_by_value (schema/0010_search.sql): equal values come by
//                      start time, so an equality leads in the default order too
//   name, user, status, end, start   an index of run each, by experiment and deletion
//   run id             its unique index; artifact_uri has none and is sorted
class RunTable : public SearchTable {
 public:
  RunTable(std::vector<std::int64_t> experiment_ids, ViewType view);

  // The user's terms and the tie break behind them: start time, newest first, then run id.
  static std::vector<OrderTerm> whole_order(std::vector<OrderTerm> order);

  std::string_view main() const override { return "run r"; }
  std::string_view key() const override { return "r.id"; }
  std::string condition(SearchSql& sql, const Comparison& comparison) const override;
  SortColumn sort_column(SearchSql& sql, std::string& joins, const OrderTerm& term,
                         std::size_t number) const override;
  std::vector<Driver> drivers(const Filter& filter) const override;
  std::vector<Driver> walks(const Filter& filter, const OrderTerm& term) const override;
  std::vector<Segment> segments(const OrderTerm& term) const override;
  std::size_t parts(const Driver& driver) const override;
  Access access(SearchSql& sql, const Filter& filter, const Driver& driver, const OrderTerm* term,
                std::size_t part, const Seek* seek) const override;
  std::string scope(SearchSql& sql, const Driver& driver) const override;

 private:
  class Entry;

  std::vector<std::int64_t> experiment_ids_;  // each once
  ViewType view_;
};

}  // namespace slipway::tracking
