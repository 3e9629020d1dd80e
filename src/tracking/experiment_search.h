// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tracking/experiment_table.h"
#include "tracking/search_sql.h"

namespace slipway::tracking {

// Finds experiments by name, experiment_id, creation_time, last_update_time and tags. Default
// order: newest first, then by id.
struct ExperimentSearch {
  std::string filter;
  ViewType view = ViewType::kActiveOnly;
  std::int64_t limit = 1'000;
  std::vector<std::string> order_by;
  std::string page_token;
  Scope scope;  // of ids, written as texts
};
inline constexpr std::int64_t kExperimentsPageMax = 50'000;

struct ExperimentPage {
  std::vector<Experiment> experiments;
  std::string next_page_token;  // "" = that was all
};

// Throws kInvalidArgument for a filter, order or token that is not valid.
ExperimentPage search_experiments(storage::Session& session, const ExperimentSearch& search);

}  // namespace slipway::tracking
