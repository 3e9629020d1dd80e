// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "automation/deps.h"
#include "automation/rollout_policy.h"
#include "serving/rollout.h"

// Decides rollouts. The row, its arms and counters are serving's; what is decided here is when a
// step ends and how the rollout does.
namespace slipway::automation {

// The steps reached so far, with the live counters of the one under way.
std::vector<JudgedStep> judged_steps(const serving::RolloutRow& rollout,
                                     const serving::StepCounters& live);

// One look at an open rollout. In one write: evidence, row, events, and at promotion the alias
// move. True if anything changed.
//   - started before the endpoint's first request, which has come: its time begins then
//   - a newer alias move than the one it started from, an endpoint that is gone or follows another
//   alias: voided
//   - paused, or the endpoint on hold: nothing is decided
//   - else judge(): the next step, promoted (alias moved, which the alias rule checks), rolled back
//   or expired (both refused)
// What was found is asked again inside the write; when it no longer holds, nothing is written and
// true says: look again. Every ending other than promotion appends promotion.refused by "rollout".
// Evidence: kind
// "rollout-step", subject "rollout/ID/step/N" for a step that ended in the next one; kind
// "rollout", subject "rollout/ID" for the end.
bool control_rollout(const Deps& deps, const serving::RolloutRow& rollout);

// A person ends it. promote needs no enough evidence of the canary, but the gate's, as every move;
// both need a reason. Throw kNotFound, kFailedPrecondition when it is over, kPermissionDenied with
// the rule's words. Return the row as it is then.
serving::RolloutRow promote_rollout(const Deps& deps, const std::string& id,
                                    const std::string& actor, const std::string& reason);
serving::RolloutRow abort_rollout(const Deps& deps, const std::string& id, const std::string& actor,
                                  const std::string& reason);

// What an endpoint's rollback does to its rollout, in the rollback's own write: aborted, with
// evidence, promotion.refused by "rollback" and the retraining's outcome. `rollout` is the row as
// it is, open; `counters` are of its step and in the flushed log.
struct RollbackRuling {
  serving::StepCounters counters;
  std::string actor;
  std::string reason;
  TimeUs watermark = 0;  // that the rollout is looked at; the event time of the end
};
void abort_in_rollback(storage::Transaction& transaction, const Clock& clock,
                       const serving::RolloutRow& rollout, const RollbackRuling& rollback);

}  // namespace slipway::automation
