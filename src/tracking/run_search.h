// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tracking/run_table.h"
#include "tracking/search_filter.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

// Finds runs. Metrics are compared by their newest value; `!=` on a parameter or tag needs the key
// to be there; a NaN meets no comparison but `!=`.
//   order   missing values last and NaN just before them, in both directions; ties by start time,
//   newest first, then run id cost    a filter or first order term on one metric in one experiment
//   walks `latest_by_value`: what is read grows with the
//           rows that pass, or with the page where the first order term is that metric
struct RunSearch {
  std::vector<std::int64_t> experiment_ids;
  std::string filter;
  ViewType view = ViewType::kActiveOnly;
  std::int64_t limit = 1'000;
  std::vector<std::string> order_by;
  std::string page_token;
};
inline constexpr std::int64_t kRunsPageMax = 50'000;

struct RunKeys {
  std::vector<std::int64_t>
      keys;                     // internal, in order; load_run_info and load_run make runs of them
  std::string next_page_token;  // "" = that was all
};

// Throws kInvalidArgument for a filter, order or token that is not valid.
RunKeys search_runs(storage::Session& session, const RunSearch& search);

const SearchLanguage& run_language();

}  // namespace slipway::tracking
