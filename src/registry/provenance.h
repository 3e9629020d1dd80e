// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "ledger/evidence.h"
#include "storage/database.h"

namespace slipway::registry {

// Parents are followed this far up; a longer chain, or a circle, is cut there and the document says
// so ("truncated").
inline constexpr int kProvenanceDepthMax = 16;
inline constexpr std::int64_t kProvenanceStagesMax = 500;  // of one repro

// What is known about a version at the moment of its registration, kept for ever. Evidence of kind
// "provenance", subject "model/NAME/VERSION", body
//   {model, version, source, location, model_id, run_id, created_at,
//    run: {run_id, experiment_id, name, status, start_time, params{}, tags{}} or null,
//    parents: [the same, nearest first],
//    stages: [the same: the other stages of that repro up to now, oldest first], truncated}
// A run's tags carry what the pipeline engine recorded before the stage's command started:
// slipway.commit, slipway.env, slipway.deps … (parents by the tag mlflow.parentRunId). Returns the
// hash.
std::string freeze_provenance(storage::Transaction& transaction, const Clock& clock,
                              const std::string& model, std::int64_t version);

std::optional<ledger::Evidence> find_provenance(storage::Session& session, const std::string& model,
                                                std::int64_t version);

// What a stage wrote is known only after the version was registered: a second document, kind
// "provenance-outputs", same subject, body {provenance: hash of the first, run_id: of the stage,
// outs}. Returns its hash; kNotFound without a first document.
std::string link_outputs(storage::Transaction& transaction, const Clock& clock,
                         const std::string& model, std::int64_t version, const std::string& run_id,
                         const json::Value& outs);

// The same for every version that the stage's run, or a child of it, registered; none is no error.
// Returns the hashes.
std::vector<std::string> link_outputs_of_run(storage::Transaction& transaction, const Clock& clock,
                                             const std::string& run_id, const json::Value& outs);

std::string provenance_subject(const std::string& model, std::int64_t version);

}  // namespace slipway::registry
