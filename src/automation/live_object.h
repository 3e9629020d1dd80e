// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "automation/object.h"
#include "base/clock.h"
#include "storage/database.h"

namespace slipway::automation {

// Desired state meets the folders that act on it: Model and its alias rules are the registry's,
// Endpoint is serving's, Monitor and Webhook are monitoring's, Gate is gate's; Pipeline and Trigger
// are this folder's own.

// The object as those folders have it now, in the fields that a file owns; normalised, so that it
// equals what was applied unless somebody changed it by another way. nullopt when it is gone. What
// controllers move by themselves (where an alias points, the weight of a rollout, whether a trigger
// is paused) is no part of it.
std::optional<json::Object> read_live(storage::Session& session, const Object& object);

// Makes it so, in the caller's transaction. `actor` and `event_time` (of an endpoint; 0 = none) as
// in ledger::Event. Throws what the owner throws.
//   Model     is created if the registry has none of that name; rules of aliases that the spec does
//   not name are dropped Endpoint  takes effect when serving's Manager looks next Trigger   keeps
//   its memory (anchor, failures, pause)
void write_live(storage::Transaction& transaction, const Clock& clock, const Object& object,
                const std::string& actor, TimeUs event_time);

// Undoes it. A Model loses its alias rules alone: its versions are not the file's to delete.
void remove_live(storage::Transaction& transaction, const Clock& clock, const Object& object,
                 const std::string& actor, TimeUs event_time);

}  // namespace slipway::automation
