// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "automation/plan.h"
#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::automation {

struct Applied {
  std::string
      id;  // ULID, also the subject of the event: "apply:ID"; "" when there was nothing to do
  std::vector<Change> changes;  // without no-ops
  json::Object plan;            // what was carried out, as to_json(Plan) shows it
};
json::Object to_json(
    const Applied& applied);  // {"apply_id", "changes":[{address, actions, section, risk}], "plan"}

// Makes the plan anew inside the write and carries it out: every object or none. Loading models and
// moving traffic follow by the reconcilers. Appends apply.done unless nothing changed; the second
// apply of the same file changes nothing. Throws kFailedPrecondition with all errors of the plan,
// else what an owner of a kind throws.
Applied apply(storage::Transaction& transaction, const Clock& clock, const PlanFacts& facts,
              const PlanRequest& request, const std::string& actor);

// Carries out a plan file (to_json(Plan)) exactly as it was shown. Throws kConflict naming the
// first object that it touches and that changed since, or the other server it was made against;
// kInvalidArgument when it is no such file or of another format_version; kFailedPrecondition when
// the plan had errors. Objects that it does not touch may have changed.
Applied apply_plan_file(storage::Transaction& transaction, const Clock& clock,
                        const PlanFacts& facts, const json::Object& plan, const std::string& actor);

}  // namespace slipway::automation
