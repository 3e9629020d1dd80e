// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "json/value.h"
#include "storage/database.h"

// What the loop did at one endpoint and why, told from the ledger alone: a view of its events,
// nothing is stored for it.
namespace slipway::automation {

inline constexpr std::size_t kStoryLinesMax = 10'000;

// {"endpoint", "model", "lines":
// [{"seq","event_time","recorded_at","event","type","word","sentence","text","evidence":[…],"command","page"}],
//  "summary": {"alarms", "retrainings", "retrainings_failed", "comparisons", "deployments",
//  "refused", "refused_by_gate",
//              "refused_by_rollout", "skipped", "lead_times_days": [trigger fired -> 100 %],
//              "lead_time_days_median"}, "left_off"}
// Lines are in the order of the ledger. `event_time` is on the endpoint's clock: on `clock: event`
// an event without a time of its own (a client moved the alias) stands at the latest one before it,
// and is null, in `text` "before the first request", where there is none; on `clock: wall` it is
// the time of recording. `sentence` has the numbers of the event, `text` the day and a word before
// it; `command` prints its grounds, `page` shows them. A deployment is an alias move of the
// endpoint's model to a version, the first included. `endpoint` "" tells of all of them. Throws
// kNotFound for an unknown endpoint.
json::Object story(storage::Session& session, const std::string& endpoint);

// As a terminal shows it: one line an event, "2013-06-30  alarm        mean loss .243 above …
// slipway alarm show …", then the summary.
std::string story_text(const json::Object& story);

}  // namespace slipway::automation
