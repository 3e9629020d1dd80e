// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::monitoring {

// "The mean loss was above the bound for so long that, had it not been, an alarm comes once in
// budget_blocks blocks."
struct Alarm {
  std::string id;  // ULID
  std::string monitor;
  std::string endpoint;
  TimeUs block_start = 0;  // the block that raised it
  TimeUs event_time = 0;   // the block's end
  TimeUs recorded_at = 0;
  double value = 0;            // of the detector; >= threshold
  double threshold = 0;        // budget_blocks
  double bound = 0;            // scaled to [0,1], as the detector has it
  double mean_loss = 0;        // of the blocks since the restart, in the loss's own unit
  double block_mean_loss = 0;  // of the block that raised it, likewise
  double loss_scale = 0;       // scaled = own unit / this; 0 = kept by a program that did not say
  std::int64_t blocks = 0;     // judged since the restart
  std::string event_id;        // of alarm.raised
  std::string
      evidence;  // hash: kind "alarm", subject "alarm/ID", all block means since the restart
};

std::vector<Alarm> list_alarms(storage::Session& session, const std::string& monitor,
                               std::int64_t limit);  // "" = all; newest first
std::optional<Alarm> find_alarm(storage::Session& session, const std::string& id);

// The losses of an alarm in both units, under names that say which: `mean_loss`, `block_mean_loss`
// and `bound_loss` in the loss's own unit, as the monitor's spec declares its bound; `…_scaled` the
// same divided by `loss_scale`, as the detector sees them. `bound` = `bound_scaled`. null where the
// scale is not known.
void set_losses(json::Object& object, const Alarm& alarm);
// value, threshold and budget_blocks have no unit of loss: they are the detector's.
json::Value to_json(const Alarm& alarm);

// What a follower does when the detector crosses: row, evidence, event alarm.raised and, where the
// monitor names a webhook, a delivery in the queue; all in the caller's transaction.
Alarm raise_alarm(storage::Transaction& transaction, const Clock& clock, Alarm alarm,
                  const json::Value& evidence_body, const std::string& webhook);

}  // namespace slipway::monitoring
