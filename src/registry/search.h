// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "storage/database.h"
#include "tracking/search_plan.h"

namespace slipway::registry {

// A search as MLflow's clients write it.
//   filter    conditions joined by AND. Models: name, tags.KEY. Versions: name, version_number,
//   run_id, source_path, tags.KEY.
//             Texts compare by = != LIKE ILIKE (name and run_id also IN, NOT IN), version_number by
//             = != < <= > >=. Texts stand in quotes, keys with blanks or dots may stand in
//             backticks. A tag that is not there matches nothing.
//   order_by  "name", "name DESC" … Models: name, timestamp, last_updated_timestamp,
//   creation_timestamp (default: name).
//             Versions: name, version_number, creation_timestamp, last_updated_timestamp (default:
//             newest change first).
//   page_token  what the last page answered; ""  = the first page
// Prompts are left out unless the filter names the tag mlflow.prompt.is_prompt.
struct Search {
  std::string filter;
  std::vector<std::string> order_by;
  std::int64_t max_results = 100;  // >= 1
  std::string page_token;
  tracking::Scope models{};   // of names, for searches of models
  tracking::Scope prompts{};  // the same for searches of prompts
};

struct ModelPage {
  std::vector<RegisteredModel> models;
  std::string next_page_token;  // "" = that was all
};
struct VersionPage {
  std::vector<ModelVersion> versions;
  std::string next_page_token;
};

// Throw kInvalidArgument with MLflow's words for what they cannot read (tracking/search_filter.h,
// whose limits hold here).
//   source  MLflow 3.17.2, search_utils.py: SearchModelUtils, SearchModelVersionUtils
// A page token is refused with another filter or order. Cost: tracking/search_plan.h.
// A page of versions ends early, with a token, where what it holds reaches kVersionsBytesMax.
inline constexpr std::size_t kVersionsBytesMax = 16U << 20;
ModelPage search_models(storage::Session& session, const Search& search,
                        const tracking::PlanOptions& options = {});
VersionPage search_versions(storage::Session& session, const Search& search,
                            const tracking::PlanOptions& options = {});

}  // namespace slipway::registry
