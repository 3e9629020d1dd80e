// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "tracking/session.h"

namespace slipway::tracking {

// A stage of a pipeline gets a token of its own as MLFLOW_TRACKING_TOKEN. Runs that are created
// with it become children of the stage's run, whatever experiment they name. 256 random bits; only
// their SHA-256 is stored.

// Makes a token for a run and returns its text ("slst_" and 64 hex digits); it is shown this once.
// kNotFound: no such run.
std::string mint_stage_token(storage::Transaction& transaction, const Clock& clock,
                             std::string_view run_id);

// The run that the token belongs to; nullopt for text that is no living stage token. For the
// admission of requests from other machines, too: a stage token may use MLflow's routes, and
// nothing of ours.
std::optional<std::string> find_stage_run(storage::Session& session, std::string_view token);

// Ends the tokens of that run. Twice is no error.
void revoke_stage_tokens(storage::Transaction& transaction, const Clock& clock,
                         std::string_view run_id);

}  // namespace slipway::tracking
