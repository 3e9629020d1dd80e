// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tracing/trace.h"
#include "tracing/trace_filter.h"
#include "tracking/search_sql.h"

namespace slipway::tracing {

// Traces of some experiments that meet a filter. Default order: latest first, then by id; missing
// values last in both directions. All comparisons with parts of a span are about one span; one with
// feedback or an expectation holds for the whole session if it was given for a session.
struct TraceSearch {
  std::vector<std::int64_t> experiment_ids;
  std::string filter;
  std::vector<std::string> order_by;
  std::int64_t limit = 100;
  std::string page_token;
};
inline constexpr std::int64_t kTracesPageMax = 500;

struct TracePage {
  std::vector<TraceInfo> traces;
  std::string next_page_token;  // whenever the page is full, as MLflow gives it
};

// Throws kInvalidArgument for a filter, order or token that is not valid.
TracePage search_traces(storage::Session& session, const TraceSearch& search);

// The internal keys of all traces that meet a filter, in no order.
std::vector<std::int64_t> matching_traces(storage::Session& session,
                                          const std::vector<std::int64_t>& experiment_ids,
                                          const std::string& filter);

// A filter as conditions on `trace t` in SQL, and what SQL cannot say (RLIKE, values of attributes)
// as questions about one trace.
class TraceConditions {
 public:
  TraceConditions(tracking::SearchSql& sql, const std::vector<std::int64_t>& experiment_ids,
                  const std::vector<TraceTerm>& terms);

  // " AND …" of the SQL it was made with.
  const std::string& where() const { return where_; }
  bool all_in_sql() const { return questions_.empty(); }
  bool holds(storage::Session& session, std::int64_t trace) const;

 private:
  using Question = std::function<bool(storage::Session&, std::int64_t trace)>;

  void add(const TraceTerm& term);
  void add_value(std::string_view column, const TraceTerm& term);
  void add_pair(std::string_view table, const TraceTerm& term);
  void add_sums(const TraceTerm& term);
  void add_run(const TraceTerm& term);
  void add_assessment(const TraceTerm& term);
  void add_spans(const std::vector<TraceTerm>& terms);

  tracking::SearchSql& sql_;
  std::vector<std::int64_t> experiments_;
  std::string where_;
  std::vector<Question> questions_;
};

}  // namespace slipway::tracing
