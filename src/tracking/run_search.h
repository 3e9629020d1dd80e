// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tracking/run_table.h"
#include "tracking/search_filter.h"
#include "tracking/search_plan.h"

namespace slipway::tracking {

// Finds runs. Metrics are compared by their newest value; `!=` on a parameter or tag needs the key
// to be there; a NaN meets no comparison but `!=`.
//   order   missing values last and NaN just before them, in both directions; ties by start time,
//           newest first, then run id
//   pages   a token holds where the page ended and a mark of the whole search: runs that come, go
//           or change meanwhile do not shift the others. A run that itself moves in the order
//           between two pages may be met twice or not at all. Refused with another search.
//   cost    see tracking/search_plan.h: a small multiple of what the best index reads
struct RunSearch {
  std::vector<std::int64_t> experiment_ids;
  std::string filter;
  ViewType view = ViewType::kActiveOnly;
  std::int64_t limit = 1'000;
  std::vector<std::string> order_by;
  std::string page_token;
};
inline constexpr std::int64_t kRunsPageMax = 50'000;

// Keys are internal; load_run_info and load_runs make runs of them. Throws kInvalidArgument for a
// filter, order or token that is not valid and for more than kSearchExperimentsMax experiments.
KeyPage search_runs(storage::Session& session, const RunSearch& search,
                    const PlanOptions& options = {});

// The token of a page of this search that ends with this run.
std::string run_token_behind(storage::Session& session, const RunSearch& search, std::int64_t key);

const SearchLanguage& run_language();

}  // namespace slipway::tracking
