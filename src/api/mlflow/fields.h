// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "api/mlflow/wire.h"
#include "tracking/logged_model.h"
#include "tracking/run_table.h"
#include "tracking/search_sql.h"

namespace slipway::api::mlflow {

// Parts of messages that several resources share.

// "active" or "deleted".
std::string_view lifecycle_stage(bool deleted);

// A list of {key, value}; a missing value is "". A missing key is refused by its place,
// "tags[2].key", or left to the rules of keys.
enum class Keys { kRequired, kChecked };
tracking::Pairs read_pairs(const Parameters& parameters, std::string_view name, Keys keys);

// ACTIVE_ONLY when absent; a name or its number; anything else is refused.
tracking::ViewType read_view_type(const Parameters& parameters, std::string_view name);

// "Authorization: Bearer TOKEN" -> "TOKEN"; "" when there is none.
std::string bearer_token(const http::Request& request);

json::Value to_json(const tracking::RunInfo& info);
// info, data, inputs and outputs; absent lists are left out as MLflow leaves them.
json::Value to_json(const tracking::Run& run, bool with_outputs = true);
json::Value to_json(const tracking::LoggedModel& model);

}  // namespace slipway::api::mlflow
