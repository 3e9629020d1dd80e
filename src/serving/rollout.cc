// SPDX-License-Identifier: Apache-2.0
#include "serving/rollout.h"

#include <cassert>
#include <charconv>

#include "base/error.h"
#include "base/id.h"
#include "ledger/event.h"

namespace slipway::serving {
namespace {

constexpr std::array<std::pair<RolloutState, std::string_view>, 7> kStates{{
    {RolloutState::kActive, "active"},
    {RolloutState::kPaused, "paused"},
    {RolloutState::kPromoted, "promoted"},
    {RolloutState::kRolledBack, "rolled_back"},
    {RolloutState::kExpired, "expired"},
    {RolloutState::kVoided, "voided"},
    {RolloutState::kAborted, "aborted"},
}};

constexpr const char* kColumns =
    "SELECT id, endpoint, model, alias, champion, challenger, started_move, seed, step, state, "
    "delta, alpha_promote, alpha_rollback, policy, "
    "started_event_time, finished_event_time, log_position, cause, reason FROM rollout";

std::string select(std::string_view rest) {
  std::string sql(kColumns);
  sql += rest;
  return sql;
}

RolloutState state_of(std::string_view name) {
  for (const auto& [state, text] : kStates) {
    if (text == name) return state;
  }
  throw Error(Code::kDataLoss,
              "a rollout is stored in the unknown state `" + std::string(name) + "`");
}

std::string c0_text(const std::array<double, kLosses>& c0) {
  json::Array list;
  for (const double rate : c0) list.emplace_back(rate);
  return json::write(list);
}

std::string counters_text(const StepCounters& counters) {
  json::Array list;
  for (const auto& arms : counters.cells) {
    for (const StepCounters::Cell& cell : arms) {
      list.emplace_back(cell.bad);
      list.emplace_back(cell.good);
    }
  }
  return json::write(list);
}

StepCounters counters_of(const std::string& text) {
  const json::Value list = json::parse(text);
  StepCounters counters;
  std::size_t i = 0;
  for (auto& arms : counters.cells) {
    for (StepCounters::Cell& cell : arms) {
      cell.bad = list.as_array().at(i++).as_int();
      cell.good = list.as_array().at(i++).as_int();
    }
  }
  return counters;
}

std::vector<RolloutStep> read_steps(storage::Session& session, const std::string& rollout) {
  std::vector<RolloutStep> steps;
  auto query = session.query(
      "SELECT weight, started_event_time, c0, counters FROM rollout_step WHERE rollout = ?1 ORDER "
      "BY step",
      rollout);
  while (query.step()) {
    RolloutStep step;
    step.weight = query.real(0);
    step.started_event_time = query.int64(1);
    const json::Value c0 = json::parse(query.text(2));
    for (std::size_t i = 0; i < kLosses; ++i) step.c0[i] = c0.as_array().at(i).as_double();
    step.counters = counters_of(query.text(3));
    steps.push_back(step);
  }
  return steps;
}

RolloutRow read_row(const storage::Statement& row) {
  RolloutRow rollout;
  rollout.id = row.text(0);
  rollout.endpoint = row.text(1);
  rollout.model = row.text(2);
  rollout.alias = row.text(3);
  rollout.champion = row.int64(4);
  rollout.challenger = row.int64(5);
  rollout.started_move = row.int64(6);
  const std::string seed = row.text(7);
  std::from_chars(seed.data(), seed.data() + seed.size(), rollout.seed);
  rollout.step = static_cast<int>(row.int64(8));
  rollout.state = state_of(row.text(9));
  rollout.delta = row.real(10);
  rollout.alpha_promote = row.real(11);
  rollout.alpha_rollback = row.real(12);
  rollout.policy = row.text(13);
  rollout.started_event_time = row.int64(14);
  rollout.finished_event_time = row.int64(15);
  rollout.log_position = row.int64(16);
  rollout.cause = row.text(17);
  rollout.reason = row.text(18);
  return rollout;
}

std::vector<RolloutRow> read_all(storage::Session& session, storage::Statement query) {
  std::vector<RolloutRow> rows;
  while (query.step()) rows.push_back(read_row(query));
  for (RolloutRow& row : rows) row.steps = read_steps(session, row.id);
  return rows;
}

void append_event(storage::Transaction& transaction, const Clock& clock, const std::string& type,
                  const RolloutRow& row, const Change& change, const json::Object& body,
                  const json::Object& more, const std::vector<std::string>& evidence) {
  ledger::Event event;
  event.type = type;
  event.subject = "rollout:" + row.id;
  event.actor = change.actor;
  event.cause = change.cause;
  event.event_time = change.event_time;
  event.body = json::Object{{"endpoint", row.endpoint},
                            {"model", row.model},
                            {"champion", row.champion},
                            {"challenger", row.challenger}};
  for (const json::Member& member : body) event.body.set(member.first, member.second);
  for (const json::Member& member : more) event.body.set(member.first, member.second);
  event.evidence = evidence;
  ledger::append(transaction, clock, event);
}

std::string what(const RolloutRow& row) {
  return "rollout " + row.id + " of endpoint `" + row.endpoint + "`";
}

void require_open(const RolloutRow& row) {
  if (!is_open(row.state))
    throw Error(Code::kFailedPrecondition,
                what(row) + " is over: " + std::string(state_name(row.state)));
}

void check_start(const RolloutStart& start) {
  const auto refuse = [&](const std::string& text) {
    throw Error(Code::kInvalidArgument, "rollout of endpoint `" + start.endpoint + "`: " + text);
  };
  if (start.weights.empty() || start.weights.size() > kRolloutStepsMax) {
    refuse("needs 1 to " + std::to_string(kRolloutStepsMax) + " steps, not " +
           std::to_string(start.weights.size()));
  }
  double last = 0;
  for (const double weight : start.weights) {
    if (!(weight > last && weight < 1))
      refuse("weights must rise and lie between 0 and 1, without them");
    last = weight;
  }
  if (start.champion < 1 || start.challenger < 1 || start.champion == start.challenger) {
    refuse("champion and challenger must be two versions");
  }
  for (const double rate : start.c0) {
    if (!(rate >= 0 && rate <= 1)) refuse("a rate before the step (c0) must lie between 0 and 1");
  }
}

RolloutRow change_state(storage::Transaction& transaction, const Clock& clock,
                        const std::string& id, RolloutState from, RolloutState to,
                        const std::string& type, const Change& change) {
  RolloutRow row = get_rollout(transaction, id);
  require_open(row);
  if (row.state != from)
    throw Error(Code::kFailedPrecondition,
                what(row) + " is " + std::string(state_name(row.state)) + " already");
  transaction.execute("UPDATE rollout SET state = ?2 WHERE id = ?1", id, state_name(to));
  row.state = to;
  append_event(transaction, clock, type, row, change, json::Object{{"step", row.step}}, {}, {});
  return row;
}

}  // namespace

std::string_view state_name(RolloutState state) {
  for (const auto& [known, text] : kStates) {
    if (known == state) return text;
  }
  return "";
}

RolloutRow start_rollout(storage::Transaction& transaction, const Clock& clock,
                         const RolloutStart& start, const Change& change,
                         const json::Object& body) {
  check_start(start);
  get_endpoint(transaction, start.endpoint);
  if (const auto open = find_active_rollout(transaction, start.endpoint)) {
    throw Error(Code::kFailedPrecondition, what(*open) + " is under way; a second one has to wait",
                "slipway rollout show " + open->id);
  }
  if (const auto hold = find_hold(transaction, start.endpoint, clock.now())) {
    throw Error(Code::kFailedPrecondition,
                "endpoint `" + start.endpoint + "` is on hold: " + hold->reason,
                "slipway endpoint release " + start.endpoint);
  }
  RolloutRow row;
  row.id = new_ulid(clock.now());
  row.endpoint = start.endpoint;
  row.model = start.model;
  row.alias = start.alias;
  row.champion = start.champion;
  row.challenger = start.challenger;
  row.started_move = start.started_move;
  row.seed = start.seed != 0 ? start.seed
                             : stable_hash64(static_cast<std::uint64_t>(start.started_move),
                                             start.endpoint + "/" + start.model + "/" +
                                                 std::to_string(start.challenger));
  row.delta = start.delta;
  row.alpha_promote = start.alpha_promote;
  row.alpha_rollback = start.alpha_rollback;
  row.policy = start.policy;
  row.started_event_time = change.event_time;
  row.log_position = start.log_position;
  row.cause = change.cause;
  for (const double weight : start.weights) row.steps.push_back({weight, {}, 0, {}});
  row.steps.front().c0 = start.c0;
  row.steps.front().started_event_time = row.started_event_time;
  transaction.execute(
      "INSERT INTO rollout (id, endpoint, model, alias, champion, challenger, started_move, seed, "
      "step, state, delta, alpha_promote, "
      "alpha_rollback, policy, started_event_time, finished_event_time, log_position, cause, "
      "reason) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 'active', ?9, ?10, ?11, ?12, ?13, 0, ?14, ?15, "
      "'')",
      row.id, row.endpoint, row.model, row.alias, row.champion, row.challenger, row.started_move,
      std::to_string(row.seed), row.delta, row.alpha_promote, row.alpha_rollback, row.policy,
      row.started_event_time, row.log_position, row.cause);
  json::Array weights;
  for (std::size_t i = 0; i < row.steps.size(); ++i) {
    const RolloutStep& step = row.steps[i];
    transaction.execute(
        "INSERT INTO rollout_step (rollout, step, weight, started_event_time, c0, counters) VALUES "
        "(?1, ?2, ?3, ?4, ?5, ?6)",
        row.id, static_cast<std::int64_t>(i), step.weight, step.started_event_time,
        c0_text(step.c0), counters_text({}));
    weights.emplace_back(step.weight);
  }
  append_event(transaction, clock, "rollout.started", row, change,
               json::Object{{"steps", weights},
                            {"delta", row.delta},
                            {"alpha_promote", row.alpha_promote},
                            {"alpha_rollback", row.alpha_rollback},
                            {"started_move", row.started_move}},
               body, {});
  return row;
}

RolloutRow begin_rollout_time(storage::Transaction& transaction, const std::string& id,
                              TimeUs first_event_time) {
  assert(first_event_time > 0);
  RolloutRow row = get_rollout(transaction, id);
  if (!is_open(row.state) || row.started_event_time != 0) return row;
  row.started_event_time = first_event_time;
  row.steps[static_cast<std::size_t>(row.step)].started_event_time = first_event_time;
  transaction.execute("UPDATE rollout SET started_event_time = ?2 WHERE id = ?1", id,
                      first_event_time);
  transaction.execute(
      "UPDATE rollout_step SET started_event_time = ?3 WHERE rollout = ?1 AND step = ?2", id,
      row.step, first_event_time);
  return row;
}

RolloutRow advance_rollout(storage::Transaction& transaction, const Clock& clock,
                           const std::string& id, const StepCounters& counters_of_ended_step,
                           const std::array<double, kLosses>& next_c0, const Change& change,
                           const json::Object& body, const std::vector<std::string>& evidence) {
  RolloutRow row = get_rollout(transaction, id);
  require_open(row);
  if (row.state != RolloutState::kActive)
    throw Error(Code::kFailedPrecondition, what(row) + " is paused");
  if (row.step + 1 >= static_cast<int>(row.steps.size()))
    throw Error(Code::kFailedPrecondition, what(row) + " is at its last step");
  transaction.execute("UPDATE rollout_step SET counters = ?3 WHERE rollout = ?1 AND step = ?2", id,
                      row.step, counters_text(counters_of_ended_step));
  row.steps[static_cast<std::size_t>(row.step)].counters = counters_of_ended_step;
  ++row.step;
  RolloutStep& next = row.steps[static_cast<std::size_t>(row.step)];
  next.c0 = next_c0;
  next.started_event_time = change.event_time;
  transaction.execute(
      "UPDATE rollout_step SET c0 = ?3, started_event_time = ?4 WHERE rollout = ?1 AND step = ?2",
      id, row.step, c0_text(next_c0), next.started_event_time);
  transaction.execute("UPDATE rollout SET step = ?2 WHERE id = ?1", id, row.step);
  append_event(transaction, clock, "rollout.step", row, change,
               json::Object{{"step", row.step},
                            {"weight", next.weight},
                            {"counters", to_json(counters_of_ended_step)}},
               body, evidence);
  return row;
}

RolloutRow finish_rollout(storage::Transaction& transaction, const Clock& clock,
                          const std::string& id, RolloutState state,
                          const StepCounters& counters_of_last_step, const std::string& reason,
                          const Change& change, const json::Object& body,
                          const std::vector<std::string>& evidence) {
  assert(!is_open(state));
  RolloutRow row = get_rollout(transaction, id);
  require_open(row);
  row.state = state;
  row.reason = reason;
  row.finished_event_time = change.event_time;
  row.steps[static_cast<std::size_t>(row.step)].counters = counters_of_last_step;
  transaction.execute("UPDATE rollout_step SET counters = ?3 WHERE rollout = ?1 AND step = ?2", id,
                      row.step, counters_text(counters_of_last_step));
  transaction.execute(
      "UPDATE rollout SET state = ?2, reason = ?3, finished_event_time = ?4 WHERE id = ?1", id,
      state_name(state), reason, row.finished_event_time);
  append_event(
      transaction, clock, "rollout." + std::string(state_name(state)), row, change,
      json::Object{
          {"reason", reason}, {"step", row.step}, {"counters", to_json(counters_of_last_step)}},
      body, evidence);
  return row;
}

RolloutRow pause_rollout(storage::Transaction& transaction, const Clock& clock,
                         const std::string& id, const Change& change) {
  return change_state(transaction, clock, id, RolloutState::kActive, RolloutState::kPaused,
                      "rollout.paused", change);
}

RolloutRow resume_rollout(storage::Transaction& transaction, const Clock& clock,
                          const std::string& id, const Change& change) {
  return change_state(transaction, clock, id, RolloutState::kPaused, RolloutState::kActive,
                      "rollout.resumed", change);
}

std::optional<RolloutRow> find_rollout(storage::Session& session, const std::string& id) {
  auto rows = read_all(session, session.query(select(" WHERE id = ?1"), id));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

RolloutRow get_rollout(storage::Session& session, const std::string& id) {
  if (auto found = find_rollout(session, id)) return *found;
  throw Error(Code::kNotFound, "there is no rollout `" + id + "`", "slipway rollout list");
}

std::optional<RolloutRow> find_active_rollout(storage::Session& session,
                                              const std::string& endpoint) {
  auto rows = read_all(
      session,
      session.query(select(" WHERE endpoint = ?1 AND state IN ('active', 'paused')"), endpoint));
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<RolloutRow> list_rollouts(storage::Session& session, const std::string& endpoint,
                                      std::int64_t limit) {
  return read_all(session,
                  session.query(select(" WHERE ?1 = '' OR endpoint = ?1 ORDER BY id DESC LIMIT ?2"),
                                endpoint, limit));
}

json::Object to_json(const RolloutRow& rollout, const std::optional<StepCounters>& live) {
  json::Array steps;
  for (std::size_t i = 0; i < rollout.steps.size(); ++i) {
    const RolloutStep& step = rollout.steps[i];
    const bool current = static_cast<int>(i) == rollout.step;
    json::Object c0;
    for (const Loss loss : kAllLosses)
      c0.set(loss_name(loss), step.c0[static_cast<std::size_t>(loss)]);
    json::Object item{{"weight", step.weight}, {"c0", c0}};
    item.set("started_event_time", ledger::time_or_null(step.started_event_time));
    item.set("counters",
             to_json(current && live && is_open(rollout.state) ? *live : step.counters));
    steps.emplace_back(std::move(item));
  }
  return json::Object{{"id", rollout.id},
                      {"endpoint", rollout.endpoint},
                      {"model", rollout.model},
                      {"alias", rollout.alias},
                      {"champion", rollout.champion},
                      {"challenger", rollout.challenger},
                      {"started_move", rollout.started_move},
                      {"seed", std::to_string(rollout.seed)},
                      {"step", rollout.step},
                      {"state", state_name(rollout.state)},
                      {"delta", rollout.delta},
                      {"alpha_promote", rollout.alpha_promote},
                      {"alpha_rollback", rollout.alpha_rollback},
                      {"steps", steps},
                      {"started_event_time", ledger::time_or_null(rollout.started_event_time)},
                      {"finished_event_time", ledger::time_or_null(rollout.finished_event_time)},
                      {"log_position", rollout.log_position},
                      {"cause", rollout.cause},
                      {"reason", rollout.reason}};
}

}  // namespace slipway::serving
