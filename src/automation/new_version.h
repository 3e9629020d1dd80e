// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "automation/retraining.h"
#include "storage/database.h"

namespace slipway::automation {

// The tag by which `slipway repro` marks the run of a whole execution that a retraining started.
inline constexpr std::string_view kRetrainingTag = "slipway.retraining";
inline constexpr std::string_view kStageTag = "slipway.stage";
inline constexpr std::string_view kCachedTag =
    "slipway.cached";  // "true" on the run of a stage that the cache answered

struct NewVersion {
  std::int64_t version = 0;
  std::string run_id;  // the run that registered it
  std::int64_t stages_run = 0;
  std::int64_t stages_cached = 0;
};

// What a retraining registered: the newest version of its model that came after it began and whose
// run, or an ancestor of it, carries the retraining's tag. Versions that somebody else registers
// meanwhile are not taken for it. nullopt when it made none.
std::optional<NewVersion> find_new_version(storage::Session& session, const Retraining& retraining);

}  // namespace slipway::automation
