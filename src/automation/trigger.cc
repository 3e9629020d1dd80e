// SPDX-License-Identifier: Apache-2.0
#include "automation/trigger.h"

#include <algorithm>

#include "automation/spec.h"
#include "base/error.h"
#include "base/id.h"
#include "ledger/cursor.h"
#include "ledger/event.h"
#include "registry/alias.h"
#include "serving/endpoint.h"
#include "serving/rollout.h"

namespace slipway::automation {
namespace {

constexpr std::string_view kSelectFiring =
    "SELECT id, trigger_name, dedup_key, reason, alarm, state, event_time, event_id, attempts, "
    "alias_move FROM firing ";

std::string select_firing(const std::string& rest) { return std::string(kSelectFiring) + rest; }

Firing read_firing(const storage::Statement& row) {
  Firing firing;
  firing.id = row.text(0);
  firing.trigger = row.text(1);
  firing.dedup_key = row.text(2);
  firing.reason = row.text(3);
  firing.alarm = row.text(4);
  firing.state = row.text(5);
  firing.event_time = row.int64(6);
  firing.event_id = row.text(7);
  firing.attempts = static_cast<int>(row.int64(8));
  firing.alias_move = row.int64(9);
  return firing;
}

bool waits_or_runs(storage::Session& session, const std::string& trigger) {
  storage::Statement row = session.query(
      "SELECT 1 FROM firing WHERE trigger_name = ?1 AND state IN ('queued', 'running') LIMIT 1",
      trigger);
  return row.step();
}

bool known_key(storage::Session& session, const std::string& trigger, const std::string& key) {
  storage::Statement row = session.query(
      "SELECT 1 FROM firing WHERE trigger_name = ?1 AND dedup_key = ?2", trigger, key);
  return row.step();
}

std::int64_t alias_move_of(storage::Session& session, const std::string& endpoint) {
  const auto row = serving::find_endpoint(session, endpoint);
  if (!row || row->alias.empty()) {
    return 0;
  }
  const auto target = registry::find_alias(session, row->model, row->alias);
  return target ? target->move : 0;
}

// One reason to act, before it is known whether it may.
struct Cause {
  std::string key;
  std::string reason;
  std::string alarm;
  std::string event;  // id of the event behind it
  TimeUs due = 0;     // of schedules: the instant that was due
  std::string note;   // of a person
};

std::string refusal(storage::Session& session, const Clock& clock, const TriggerSpec& spec,
                    const TriggerState& state, const Cause& cause, TimeUs watermark) {
  if (state.paused) {
    return "the trigger is paused: " + state.paused_reason;
  }
  if (const auto hold = serving::find_hold(session, spec.endpoint, clock.now())) {
    return "endpoint `" + spec.endpoint + "` is on hold: " + hold->reason;
  }
  if (waits_or_runs(session, state.name)) {
    return "another retraining of this trigger waits or runs";
  }
  if (cause.reason == "schedule") {
    if (const auto rollout = serving::find_active_rollout(session, spec.endpoint)) {
      return "rollout " + rollout->id + " is under way";
    }
  }
  if (cause.reason != "manual" && state.last_started &&
      watermark - *state.last_started < spec.cooldown) {
    return "within the cooldown of " + duration_text(spec.cooldown) + " after the retraining of " +
           format_time(*state.last_started);
  }
  return "";
}

Firing record(storage::Transaction& transaction, const Clock& clock, const TriggerSpec& spec,
              const std::string& trigger, const Cause& cause, TimeUs watermark,
              const std::string& skipped, const std::string& actor) {
  ledger::Event event;
  event.type = skipped.empty() ? "trigger.fired" : "trigger.skipped";
  event.subject = "trigger:" + trigger;
  event.actor = actor;
  event.cause = cause.event;
  event.event_time = watermark;
  event.body = {{"reason", cause.reason}, {"dedup_key", cause.key}, {"endpoint", spec.endpoint}};
  if (!cause.alarm.empty()) {
    event.body.set("alarm", cause.alarm);
  }
  if (cause.due != 0) {
    event.body.set("due", format_time(cause.due));
  }
  if (!cause.note.empty()) {
    event.body.set("note", cause.note);
  }
  if (!skipped.empty()) {
    event.body.set("skipped", skipped);
  }
  Firing firing;
  firing.id = new_ulid(clock.now());
  firing.trigger = trigger;
  firing.dedup_key = cause.key;
  firing.reason = cause.reason;
  firing.alarm = cause.alarm;
  firing.state = skipped.empty() ? "queued" : "skipped";
  firing.event_time = watermark;
  firing.event_id = ledger::append(transaction, clock, event).id;
  firing.alias_move = alias_move_of(transaction, spec.endpoint);
  transaction.execute(
      "INSERT INTO firing (id, trigger_name, dedup_key, reason, alarm, state, event_time, "
      "event_id, attempts, alias_move)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)",
      firing.id, firing.trigger, firing.dedup_key, firing.reason, firing.alarm, firing.state,
      firing.event_time, firing.event_id, firing.alias_move);
  return firing;
}

std::string cursor_name(const std::string& trigger) { return "trigger:" + trigger; }

// Alarms that the ledger has since the last look. The cursor moves with the firings, so none is
// lost and none counts twice.
std::vector<Cause> new_alarms(storage::Transaction& transaction, const std::string& trigger,
                              const TriggerSpec& spec) {
  std::vector<Cause> causes;
  const std::int64_t from = ledger::cursor(transaction, cursor_name(trigger));
  std::int64_t newest = from;
  for (;;) {
    ledger::EventFilter filter;
    filter.after_seq = newest;
    filter.type_prefix = "alarm.raised";
    const std::vector<ledger::StoredEvent> page = ledger::list_events(transaction, filter);
    for (const ledger::StoredEvent& event : page) {
      newest = event.seq;
      for (const std::string& monitor : spec.alarms) {
        if (event.subject == "monitor:" + monitor) {
          const json::Value* alarm = event.body.find("alarm");
          const std::string id =
              alarm != nullptr && alarm->is_string() ? alarm->as_string() : event.id;
          causes.push_back({"alarm:" + id, "alarm", id, event.id, 0, ""});
        }
      }
    }
    if (static_cast<std::int64_t>(page.size()) < filter.limit) {
      break;
    }
  }
  if (newest != from) {
    ledger::move_cursor(transaction, cursor_name(trigger), newest);
  }
  return causes;
}

}  // namespace

TriggerSpec trigger_spec(const json::Object& spec) {
  TriggerSpec result;
  for (const json::Value& on : spec.find("on")->as_array()) {
    if (const json::Value* alarm = on.find("alarm"); alarm != nullptr) {
      result.alarms.push_back(alarm->as_string());
    } else {
      const TimeUs every = spec_duration(on.as_object(), "every");
      result.every = result.every ? std::min(*result.every, every) : every;
    }
  }
  result.pipeline = spec_text(spec, "pipeline");
  result.gate = spec_text(spec, "gate");
  result.endpoint = spec_text(spec, "endpoint");
  if (const json::Value* labelled = spec.find("export"); labelled != nullptr) {
    result.exports = true;
    result.export_monitor = spec_text(labelled->as_object(), "monitor");
    result.export_to = spec_text(labelled->as_object(), "to");
    if (const json::Value* days = labelled->find("leave_out"); days != nullptr) {
      result.leave_out_days = days->as_int();
    }
  }
  result.params = spec.find("params")->as_object();
  result.pause_after_failures = static_cast<int>(spec_integer(spec, "pause_after_failures"));
  if (spec.contains("timeout")) {
    result.timeout = spec_duration(spec, "timeout");
  }
  result.cooldown = spec_duration(spec, "cooldown");
  return result;
}

void ensure_trigger_state(storage::Transaction& transaction, const std::string& name) {
  storage::Statement row = transaction.query("SELECT 1 FROM trigger_state WHERE name = ?1", name);
  if (row.step()) {
    return;
  }
  transaction.execute(
      "INSERT INTO trigger_state (name, anchor, periods, last_started, failures, paused, "
      "paused_reason)"
      " VALUES (?1, NULL, 0, NULL, 0, 0, '')",
      name);
  // Alarms from before the trigger existed are not its business.
  ledger::EventFilter newest;
  newest.newest_first = true;
  newest.limit = 1;
  const auto events = ledger::list_events(transaction, newest);
  if (!events.empty()) {
    ledger::move_cursor(transaction, cursor_name(name), events.front().seq);
  }
}

void delete_trigger_state(storage::Transaction& transaction, const std::string& name) {
  transaction.execute("DELETE FROM trigger_state WHERE name = ?1", name);
  transaction.execute(
      "UPDATE firing SET state = 'skipped' WHERE trigger_name = ?1 AND state = 'queued'", name);
}

TriggerState get_trigger_state(storage::Session& session, const std::string& name) {
  storage::Statement row = session.query(
      "SELECT anchor, periods, last_started, failures, paused, paused_reason FROM trigger_state "
      "WHERE name = ?1",
      name);
  if (!row.step()) {
    throw Error(Code::kNotFound, "there is no trigger `" + name + "`", "slipway trigger list");
  }
  TriggerState state;
  state.name = name;
  state.anchor = row.maybe_int64(0);
  state.periods = row.int64(1);
  state.last_started = row.maybe_int64(2);
  state.failures = static_cast<int>(row.int64(3));
  state.paused = row.int64(4) != 0;
  state.paused_reason = row.text(5);
  return state;
}

void save_trigger_state(storage::Transaction& transaction, const TriggerState& state) {
  transaction.execute(
      "UPDATE trigger_state SET anchor = ?2, periods = ?3, last_started = ?4, failures = ?5, "
      "paused = ?6,"
      " paused_reason = ?7 WHERE name = ?1",
      state.name, state.anchor, state.periods, state.last_started, state.failures, state.paused,
      state.paused_reason);
}

json::Object to_json(const TriggerState& state) {
  const auto time = [](const std::optional<TimeUs>& at) {
    return at ? json::Value(format_time(*at)) : json::Value();
  };
  return {{"name", state.name},
          {"anchor", time(state.anchor)},
          {"last_started", time(state.last_started)},
          {"failures", state.failures},
          {"paused", state.paused},
          {"paused_reason", state.paused_reason}};
}

std::optional<Firing> find_firing(storage::Session& session, const std::string& id) {
  storage::Statement row = session.query(select_firing("WHERE id = ?1"), id);
  return row.step() ? std::optional<Firing>(read_firing(row)) : std::nullopt;
}

std::vector<Firing> list_firings(storage::Session& session, const std::string& state) {
  storage::Statement row = session.query(select_firing("WHERE state = ?1 ORDER BY id"), state);
  std::vector<Firing> firings;
  while (row.step()) {
    firings.push_back(read_firing(row));
  }
  return firings;
}

void set_firing_state(storage::Transaction& transaction, const std::string& id,
                      const std::string& state) {
  transaction.execute("UPDATE firing SET state = ?2 WHERE id = ?1", id, state);
}

void begin_firing_attempt(storage::Transaction& transaction, const std::string& id) {
  transaction.execute("UPDATE firing SET state = 'running', attempts = attempts + 1 WHERE id = ?1",
                      id);
}

bool evaluate_trigger(storage::Transaction& transaction, const Clock& clock,
                      const std::string& name, const TriggerSpec& spec, TimeUs watermark) {
  TriggerState state = get_trigger_state(transaction, name);
  if (watermark == 0) {
    return false;  // nothing has happened at the endpoint: its time has not begun
  }
  bool written = false;
  if (!state.anchor) {
    state.anchor = watermark;
    save_trigger_state(transaction, state);
    written = true;
  }
  std::vector<Cause> causes = new_alarms(transaction, name, spec);
  if (spec.every) {
    const std::int64_t periods = (watermark - *state.anchor) / *spec.every;
    if (periods > state.periods) {
      const TimeUs due = *state.anchor + periods * *spec.every;
      causes.push_back({"every:" + format_time(due), "schedule", "", "", due, ""});
      state.periods = periods;
      save_trigger_state(transaction, state);
      written = true;
    }
  }
  for (const Cause& cause : causes) {
    if (known_key(transaction, name, cause.key)) {
      continue;
    }
    record(transaction, clock, spec, name, cause, watermark,
           refusal(transaction, clock, spec, state, cause, watermark),
           "automation:trigger/" + name);
    written = true;
  }
  return written;
}

bool trigger_is_due(storage::Session& session, const std::string& name, const TriggerSpec& spec,
                    TimeUs watermark) {
  const TriggerState state = get_trigger_state(session, name);
  if (watermark == 0) {
    return false;
  }
  if (!state.anchor || (spec.every && (watermark - *state.anchor) / *spec.every > state.periods)) {
    return true;
  }
  ledger::EventFilter filter;
  filter.after_seq = ledger::cursor(session, cursor_name(name));
  filter.type_prefix = "alarm.raised";
  filter.limit = 1;
  return !ledger::list_events(session, filter).empty();
}

Firing fire_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                    const TriggerSpec& spec, TimeUs watermark, const std::string& actor,
                    const std::string& reason) {
  const TriggerState state = get_trigger_state(transaction, name);
  Cause cause;
  cause.key = "manual:" + new_ulid(clock.now());
  cause.reason = "manual";
  const std::string refused = refusal(transaction, clock, spec, state, cause, watermark);
  if (!refused.empty()) {
    throw Error(Code::kFailedPrecondition, "trigger `" + name + "` cannot fire: " + refused);
  }
  cause.note = reason;
  return record(transaction, clock, spec, name, cause, watermark, "", actor);
}

bool pause_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                   const std::string& actor, const std::string& reason, TimeUs event_time,
                   const std::string& cause) {
  TriggerState state = get_trigger_state(transaction, name);
  if (state.paused) {
    return false;
  }
  state.paused = true;
  state.paused_reason = reason;
  save_trigger_state(transaction, state);
  ledger::Event event;
  event.type = "trigger.paused";
  event.subject = "trigger:" + name;
  event.actor = actor;
  event.cause = cause;
  event.event_time = event_time;
  event.body = {{"reason", reason}, {"failures", state.failures}};
  ledger::append(transaction, clock, event);
  return true;
}

bool resume_trigger(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                    const std::string& actor, TimeUs event_time) {
  TriggerState state = get_trigger_state(transaction, name);
  if (!state.paused) {
    return false;
  }
  state.paused = false;
  state.paused_reason.clear();
  state.failures = 0;
  save_trigger_state(transaction, state);
  ledger::Event event;
  event.type = "trigger.resumed";
  event.subject = "trigger:" + name;
  event.actor = actor;
  event.event_time = event_time;
  ledger::append(transaction, clock, event);
  return true;
}

bool skip_if_answered(storage::Transaction& transaction, const Clock& clock, const Firing& firing,
                      const TriggerSpec& spec, TimeUs watermark) {
  if (firing.reason != "alarm" || alias_move_of(transaction, spec.endpoint) == firing.alias_move) {
    return false;
  }
  set_firing_state(transaction, firing.id, "skipped");
  ledger::Event event;
  event.type = "trigger.skipped";
  event.subject = "trigger:" + firing.trigger;
  event.actor = "automation:trigger/" + firing.trigger;
  event.cause = firing.event_id;
  event.event_time = watermark;
  event.body = {{"reason", firing.reason},
                {"dedup_key", firing.dedup_key},
                {"alarm", firing.alarm},
                {"skipped", "the version that the alarm spoke about has been replaced"}};
  ledger::append(transaction, clock, event);
  return true;
}

}  // namespace slipway::automation
