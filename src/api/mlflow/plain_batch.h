// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "tracking/run_log.h"

namespace slipway::api::mlflow {

// Reads a log-batch body that is written as nearly all are: known fields of the expected types,
// none null, texts in ASCII without escapes, numbers as JSON has them or NaN, Infinity, -Infinity
// (bare or as texts), no list twice. A point costs a tenth of what a tree of values would. nullopt
// for anything else, which need not be wrong; what is taken here the general reader (read_batch)
// takes too, and reads the same.
std::optional<tracking::Batch> read_plain_batch(std::string_view body);

}  // namespace slipway::api::mlflow
