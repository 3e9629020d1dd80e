// SPDX-License-Identifier: Apache-2.0
#include "automation/retraining.h"

#include "base/error.h"
#include "ledger/event.h"

namespace slipway::automation {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, firing_id, trigger_name, endpoint, model, gate, state, outcome, reason, commit_id, "
    "watermark, dataset_hash, dataset_rows,"
    " folder, log, after_seq, started_at, finished_at, exit_code, version, run_id, evidence, "
    "rollout, event_id"
    " FROM retraining ";

Retraining read_row(const storage::Statement& row) {
  Retraining result;
  result.id = row.text(0);
  result.firing = row.text(1);
  result.trigger = row.text(2);
  result.endpoint = row.text(3);
  result.model = row.text(4);
  result.gate = row.text(5);
  result.state = row.text(6);
  result.outcome = row.text(7);
  result.reason = row.text(8);
  result.commit = row.text(9);
  result.watermark = row.int64(10);
  result.dataset_hash = row.text(11);
  result.dataset_rows = row.int64(12);
  result.folder = row.text(13);
  result.log = row.text(14);
  result.after_seq = row.int64(15);
  result.started_at = row.int64(16);
  result.finished_at = row.maybe_int64(17);
  result.exit_code = row.maybe_int64(18);
  result.version = row.maybe_int64(19);
  result.run_id = row.text(20);
  result.evidence = row.text(21);
  result.rollout = row.text(22);
  result.event_id = row.text(23);
  return result;
}

std::vector<Retraining> read_all(storage::Statement row) {
  std::vector<Retraining> results;
  while (row.step()) {
    results.push_back(read_row(row));
  }
  return results;
}

std::string select(const std::string& rest) { return std::string(kSelect) + rest; }

}  // namespace

json::Object to_json(const Retraining& retraining) {
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value ? json::Value(*value) : json::Value();
  };
  json::Object object{{"id", retraining.id},
                      {"trigger", retraining.trigger},
                      {"endpoint", retraining.endpoint},
                      {"model", retraining.model},
                      {"gate", retraining.gate},
                      {"state", retraining.state},
                      {"outcome", retraining.outcome},
                      {"reason", retraining.reason},
                      {"commit", retraining.commit},
                      {"watermark", ledger::time_or_null(retraining.watermark)},
                      {"dataset_hash", retraining.dataset_hash},
                      {"dataset_rows", retraining.dataset_rows},
                      {"log", retraining.log},
                      {"started_at", format_time(retraining.started_at)},
                      {"run_id", retraining.run_id},
                      {"evidence", retraining.evidence},
                      {"rollout", retraining.rollout}};
  object.set("finished_at", retraining.finished_at
                                ? json::Value(format_time(*retraining.finished_at))
                                : json::Value());
  object.set("exit_code", number(retraining.exit_code));
  object.set("version", number(retraining.version));
  return object;
}

void insert_retraining(storage::Transaction& transaction, const Retraining& retraining) {
  transaction.execute(
      "INSERT INTO retraining (id, firing_id, trigger_name, endpoint, model, gate, state, outcome, "
      "reason, commit_id,"
      " watermark, dataset_hash, dataset_rows, folder, log, after_seq, started_at, run_id, "
      "evidence, rollout, event_id)"
      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, '', "
      "'', '', '')",
      retraining.id, retraining.firing, retraining.trigger, retraining.endpoint, retraining.model,
      retraining.gate, retraining.state, retraining.outcome, retraining.reason, retraining.commit,
      retraining.watermark, retraining.dataset_hash, retraining.dataset_rows, retraining.folder,
      retraining.log, retraining.after_seq, retraining.started_at);
  save_retraining(transaction, retraining);
}

void save_retraining(storage::Transaction& transaction, const Retraining& retraining) {
  transaction.execute(
      "UPDATE retraining SET state = ?2, outcome = ?3, reason = ?4, dataset_hash = ?5, "
      "dataset_rows = ?6, finished_at = ?7,"
      " exit_code = ?8, version = ?9, run_id = ?10, evidence = ?11, rollout = ?12, event_id = ?13 "
      "WHERE id = ?1",
      retraining.id, retraining.state, retraining.outcome, retraining.reason,
      retraining.dataset_hash, retraining.dataset_rows, retraining.finished_at,
      retraining.exit_code, retraining.version, retraining.run_id, retraining.evidence,
      retraining.rollout, retraining.event_id);
}

std::optional<Retraining> find_retraining(storage::Session& session, const std::string& id) {
  const std::vector<Retraining> found = read_all(session.query(select("WHERE id = ?1"), id));
  return found.empty() ? std::nullopt : std::optional<Retraining>(found.front());
}

Retraining get_retraining(storage::Session& session, const std::string& id) {
  if (std::optional<Retraining> found = find_retraining(session, id)) {
    return *found;
  }
  throw Error(Code::kNotFound, "there is no retraining `" + id + "`", "slipway trigger list");
}

std::vector<Retraining> list_retrainings(storage::Session& session, const std::string& state) {
  return read_all(session.query(select("WHERE state = ?1 ORDER BY id"), state));
}

std::vector<Retraining> retrainings_of(storage::Session& session, const std::string& trigger,
                                       std::int64_t limit) {
  return read_all(session.query(
      select("WHERE ?1 = '' OR trigger_name = ?1 ORDER BY id DESC LIMIT ?2"), trigger, limit));
}

std::optional<Retraining> retraining_of_rollout(storage::Session& session,
                                                const std::string& rollout) {
  const std::vector<Retraining> found =
      read_all(session.query(select("WHERE rollout = ?1"), rollout));
  return found.empty() ? std::nullopt : std::optional<Retraining>(found.front());
}

void fail_retraining(storage::Transaction& transaction, const Clock& clock, Retraining retraining,
                     const TriggerSpec& spec, const TrainingFailure& failure) {
  const bool interrupted = failure.outcome == "interrupted";
  retraining.state = "failed";
  retraining.outcome = failure.outcome;
  retraining.reason = failure.reason;
  retraining.exit_code = failure.exit_code;
  retraining.finished_at = clock.now();
  ledger::Event event;
  event.type = "retraining.failed";
  event.subject = "trigger:" + retraining.trigger;
  event.actor = "automation:trigger/" + retraining.trigger;
  event.cause = retraining.event_id;
  event.event_time = retraining.watermark;
  event.body = {{"retraining", retraining.id},
                {"failure", failure.outcome},
                {"reason", failure.reason},
                {"log", retraining.log}};
  if (failure.exit_code) {
    event.body.set("exit_code", *failure.exit_code);
  }
  retraining.event_id = ledger::append(transaction, clock, event).id;
  save_retraining(transaction, retraining);

  const std::optional<Firing> firing = find_firing(transaction, retraining.firing);
  const bool again = interrupted && firing && firing->attempts < kAttemptsMax;
  set_firing_state(transaction, retraining.firing, again ? "queued" : "done");
  storage::Statement exists =
      transaction.query("SELECT 1 FROM trigger_state WHERE name = ?1", retraining.trigger);
  if (interrupted || !exists.step()) {
    return;
  }
  TriggerState state = get_trigger_state(transaction, retraining.trigger);
  ++state.failures;
  save_trigger_state(transaction, state);
  if (state.failures >= spec.pause_after_failures) {
    pause_trigger(transaction, clock, retraining.trigger,
                  "automation:trigger/" + retraining.trigger,
                  std::to_string(state.failures) +
                      " trainings failed in a row, the last one: " + failure.reason,
                  retraining.watermark, retraining.event_id);
  }
}

}  // namespace slipway::automation
