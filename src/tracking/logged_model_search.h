// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tracking/logged_model.h"

namespace slipway::tracking {

struct DatasetFilter {
  std::string name;
  std::string digest;  // "" = any
};

// An order term has its own fields on the wire: an attribute, or "metrics.NAME" on a dataset.
struct ModelOrder {
  std::string field_name;
  bool ascending = true;
  std::string dataset_name;    // "" = any
  std::string dataset_digest;  // likewise
};

// Finds logged models that are not deleted. Metrics are compared by any logged value, on the given
// datasets where there are some. Default order: newest first, then by id; missing values last.
struct LoggedModelSearch {
  std::vector<std::int64_t> experiment_ids;
  std::string filter;
  std::vector<DatasetFilter> datasets;
  std::int64_t limit = 100;
  std::vector<ModelOrder> order_by;
  std::string page_token;
};
inline constexpr std::int64_t kLoggedModelsPageMax = 1'000;
inline constexpr std::size_t kDatasetFiltersMax = 100;  // and kOrderTermsMax terms of order_by

struct LoggedModelPage {
  std::vector<LoggedModel> models;
  std::string next_page_token;  // "" = that was all
};

// What may stand in order_by besides metrics.NAME.
bool is_logged_model_order(std::string_view field_name);

// Throws kInvalidArgument for a filter, order or token that is not valid, and for more experiments,
// datasets or order terms than a search takes. A token holds a mark of the whole search and is
// refused with another one.
LoggedModelPage search_logged_models(storage::Session& session, const LoggedModelSearch& search);

}  // namespace slipway::tracking
