// SPDX-License-Identifier: Apache-2.0
#include "tracking/run_search.h"

#include "tracking/run_plan.h"

namespace slipway::tracking {
namespace {

constexpr Attribute kAttributes[] = {{"run_id", "run_id", false, true},
                                     {"run_name", "run_name"},
                                     {"run name", "run_name", false, false, false},
                                     {"Run name", "run_name", false, false, false},
                                     {"Run Name", "run_name", false, false, false},
                                     {"user_id", "user_id"},
                                     {"status", "status"},
                                     {"artifact_uri", "artifact_uri"},
                                     {"start_time", "start_time", true},
                                     {"created", "start_time", true},
                                     {"Created", "start_time", true},
                                     {"end_time", "end_time", true}};

// What a page token is for: everything but the size of the page.
std::string mark_of(const RunSearch& search) {
  std::vector<std::string> parts = {"runs", search.filter,
                                    std::to_string(static_cast<int>(search.view))};
  for (const std::int64_t id : search.experiment_ids) parts.push_back(std::to_string(id));
  parts.emplace_back("order");
  parts.insert(parts.end(), search.order_by.begin(), search.order_by.end());
  return search_mark(parts);
}

std::vector<OrderTerm> order_of(const RunSearch& search) {
  return RunTable::whole_order(parse_order(search.order_by, run_language()));
}

}  // namespace

const SearchLanguage& run_language() {
  static const SearchLanguage language{kAttributes, Dialect::kRuns};
  return language;
}

KeyPage search_runs(storage::Session& session, const RunSearch& search,
                    const PlanOptions& options) {
  check_experiment_count(search.experiment_ids.size());
  const Filter filter = parse_filter(search.filter, run_language());
  return find_page(session, RunTable(search.experiment_ids, search.view), filter, order_of(search),
                   search.page_token, mark_of(search), search.limit, options);
}

std::string run_token_behind(storage::Session& session, const RunSearch& search, std::int64_t key) {
  return token_behind(session, RunTable(search.experiment_ids, search.view), order_of(search),
                      mark_of(search), key);
}

}  // namespace slipway::tracking
