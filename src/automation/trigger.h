// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "automation/object.h"
#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

// When a retraining begins. A trigger is evaluated on the watermark of its endpoint; every reason
// to act has a key, and a key fires once.
namespace slipway::automation {

// The kind: Trigger, as its file says it. REQUIRES of trigger_spec: a normalised spec.
struct TriggerSpec {
  std::vector<std::string> alarms;  // monitors
  std::optional<TimeUs> every;      // of event time, from the first watermark that the trigger saw
  std::string pipeline;
  std::string gate;
  std::string endpoint;
  bool exports = false;  // labelled data is written into the worktree before the pipeline runs
  std::string export_monitor;
  std::string export_to;  // path below the repository's top
  std::optional<std::int64_t> leave_out_days;
  json::Object params;
  int pause_after_failures = 3;
  std::optional<TimeUs> timeout;  // of the child, wall clock; else the pipeline's
  TimeUs cooldown = 0;            // of event time, from the start of the last retraining
};
TriggerSpec trigger_spec(const json::Object& spec);

// What a trigger remembers. A row exists from apply to delete.
struct TriggerState {
  std::string name;
  std::optional<TimeUs> anchor;        // first watermark seen
  std::int64_t periods = 0;            // of `every` that have been fired or passed over
  std::optional<TimeUs> last_started;  // event time of the newest retraining
  int failures = 0;                    // in a row
  bool paused = false;
  std::string paused_reason;
};
void ensure_trigger_state(storage::Transaction& transaction,
                          const std::string& name);  // keeps one that is there
void delete_trigger_state(storage::Transaction& transaction, const std::string& name);
TriggerState get_trigger_state(storage::Session& session, const std::string& name);  // kNotFound
void save_trigger_state(storage::Transaction& transaction, const TriggerState& state);
json::Object to_json(const TriggerState& state);

// One reason to act, once. The state goes queued -> running -> done, or queued -> skipped.
struct Firing {
  std::string id;  // ULID
  std::string trigger;
  std::string dedup_key;  // "alarm:ID", "every:2013-03-15T00:00:00.000000Z", "manual:ULID"
  std::string reason;     // "alarm", "schedule", "manual"
  std::string alarm;      // id of the alarm, "" = none
  std::string state;      // "queued", "running", "done", "skipped"
  TimeUs event_time = 0;
  std::string event_id;         // of trigger.fired or trigger.skipped
  int attempts = 0;             // executions begun
  std::int64_t alias_move = 0;  // of the endpoint's alias when it fired; 0 = none yet
};
std::optional<Firing> find_firing(storage::Session& session, const std::string& id);
std::vector<Firing> list_firings(storage::Session& session,
                                 const std::string& state);  // oldest first
void set_firing_state(storage::Transaction& transaction, const std::string& id,
                      const std::string& state);
void begin_firing_attempt(storage::Transaction& transaction, const std::string& id);

// One look at one trigger: new alarms of its monitors (by a cursor on the ledger), the schedule,
// and whether what it would start is allowed now. Appends trigger.fired or trigger.skipped for each
// new key, at most one of them fired, since one retraining answers all:
//   skipped  while paused, within the cooldown, under a hold, while another of this trigger waits
//   or runs, and, for schedules, while a
//            rollout is under way. Missed periods are one: the newest.
// Returns true if anything was written. Idempotent: the same watermark and ledger write nothing the
// second time.
bool evaluate_trigger(storage::Transaction& transaction, const Clock& clock,
                      const std::string& name, const TriggerSpec& spec, TimeUs watermark);

// Whether evaluate_trigger would find anything: the cheap question before the write.
bool trigger_is_due(storage::Session& session, const std::string& name, const TriggerSpec& spec,
                    TimeUs watermark);

// A person asks for it. kFailedPrecondition while paused, under a hold, or while another waits or
// runs. Returns the firing.
Firing fire_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                    const TriggerSpec& spec, TimeUs watermark, const std::string& actor,
                    const std::string& reason);

// trigger.paused / trigger.resumed. False when it was so already. Resuming clears the failures;
// what waits goes on.
bool pause_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                   const std::string& actor, const std::string& reason, TimeUs event_time,
                   const std::string& cause);
bool resume_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                    const std::string& actor, TimeUs event_time);

// A waiting firing whose alarm spoke about a version that has been replaced since: true if it was
// skipped (with its event).
bool skip_if_answered(storage::Transaction& transaction, const Clock& clock, const Firing& firing,
                      const TriggerSpec& spec, TimeUs watermark);

}  // namespace slipway::automation
