// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "base/clock.h"
#include "http/router.h"
#include "tracking/session.h"

namespace slipway::api {

// What the routes of recorded pipelines stand on; all of it outlives them.
struct StageRunDeps {
  storage::Database& database;
  const Clock& clock;
};

// A repro is a run, each of its stages a child run; pipeline::RestRecorder is the client. All need
// a token.
//   POST /api/slipway/v1/stage-runs/repros             {repro, experiment, repository, commit,
//   branch, dirty, environment, targets, retraining} → {run_id} POST /api/slipway/v1/stage-runs
//   {repro_run, stage, commands, dependencies, parameters, cached} → {run_id, token} POST
//   /api/slipway/v1/stage-runs/{run}/finish       {exit_code, reason, outputs, metrics} → {} POST
//   /api/slipway/v1/stage-runs/repros/{run}/finish  {succeeded} → {}; children still running are
//   ended as failed
// Tags: slipway.repro, slipway.stage, slipway.commit, slipway.branch, slipway.dirty, slipway.env,
// slipway.deps, slipway.params, slipway.outs, slipway.cached, slipway.retraining, slipway.targets,
// slipway.command; JSON where they hold more than a text. The experiment is made when it is not
// there. Errors: kInvalidArgument naming the field, kNotFound for a run that is none.
std::vector<http::Route> stage_run_routes(const StageRunDeps& deps);

}  // namespace slipway::api
