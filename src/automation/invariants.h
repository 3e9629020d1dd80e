// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "json/value.h"
#include "serving/rollout.h"
#include "storage/database.h"

// What must hold of every story, however it ends; `make run` and `slipway doctor` fail when one
// does not.
namespace slipway::automation {

struct Violation {
  std::string rule;     // as below
  std::string subject;  // "event:ID", "rollout:ID", "model:NAME/VERSION"
  std::string detail;
};

struct InvariantReport {
  std::int64_t checked = 0;  // single facts looked at
  std::vector<Violation> violations;
};
// {"checked", "violations":[{rule, subject, detail}], "broken":["rule: subject: detail"]}
json::Object to_json(const InvariantReport& report);

struct InvariantFacts {
  // The counters of a rollout's steps as the prediction log has them; nullopt where the log no
  // longer reaches back to its start.
  std::function<std::optional<std::vector<serving::StepCounters>>(
      const serving::RolloutRow& rollout)>
      recount;
};

// Rules:
//   promotion-evidence    an alias with a rule moves only with stored evidence that says "pass" for
//   that version; a rollback needs a reason refusal-reason        every promotion.refused,
//   alias.refused and ended rollout says why evidence-stored       every hash that an event names
//   is in the store and is the SHA-256 of its bytes counters-recompute    stored counters of an
//   ended rollout step are what the prediction log counts (never more than it) decision-recomputes
//   the e-values in a rollout's evidence come out again from the counters beside them provenance
//   every version that an alias ever pointed to has its provenance document: its predictions can be
//   explained
InvariantReport check_invariants(storage::Session& session, const InvariantFacts& facts);

}  // namespace slipway::automation
