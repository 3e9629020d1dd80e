// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::ledger {

// The grounds of a decision: an immutable JSON document, named by the SHA-256 of its stored bytes
// (one line, no blanks).
struct Evidence {
  std::string hash;
  std::string kind;  // "gate", "rollout-step", "rollout", "alarm", "provenance" …
  std::string
      subject;  // what it speaks about, in a form that its users look up: "gate/NAME/MODEL/3/vs/2"
  TimeUs recorded_at = 0;
  json::Value body;
};

// Stores it once (same bytes, same hash, no second row) and returns the hash. The body must be
// enough to compute the verdict again.
std::string put_evidence(storage::Transaction& transaction, const Clock& clock,
                         const std::string& kind, const std::string& subject,
                         const json::Value& body);

std::optional<Evidence> find_evidence(storage::Session& session, const std::string& hash);

// The newest of that kind and subject; nullopt if there is none.
std::optional<Evidence> latest_evidence(storage::Session& session, const std::string& kind,
                                        const std::string& subject);

}  // namespace slipway::ledger
