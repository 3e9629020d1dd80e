// SPDX-License-Identifier: Apache-2.0
#include "automation/rollout_controller.h"

#include "automation/retraining.h"
#include "base/error.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "registry/alias.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

std::string actor_of(const serving::RolloutRow& rollout) {
  return "automation:rollout/" + rollout.id;
}

std::string policy_text(const serving::RolloutRow& rollout, std::string_view key) {
  const json::Value policy = json::parse(rollout.policy);
  const json::Value* value = policy.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

// How a rollout ends, or its step does.
struct Ruling {
  serving::RolloutState state = serving::RolloutState::kActive;  // kActive: the next step
  std::string reason;
  json::Object numbers;
  std::string actor;
  serving::StepCounters counters;  // of the step under way
};

std::string keep_evidence(storage::Transaction& transaction, const Clock& clock,
                          const serving::RolloutRow& rollout, const Ruling& ruling,
                          TimeUs event_time) {
  const bool ends = ruling.state != serving::RolloutState::kActive;
  json::Object body{{"rollout", rollout.id},
                    {"endpoint", rollout.endpoint},
                    {"model", rollout.model},
                    {"alias", rollout.alias},
                    {"champion", rollout.champion},
                    {"challenger", rollout.challenger},
                    {"step", rollout.step + 1},
                    {"verdict", ends ? serving::state_name(ruling.state) : "next_step"},
                    {"reason", ruling.reason},
                    {"decided_by", ruling.actor},
                    {"event_time", ledger::time_or_null(event_time)},
                    {"started_event_time", ledger::time_or_null(rollout.started_event_time)},
                    {"gate_evidence", policy_text(rollout, "gate_evidence")},
                    {"numbers", ruling.numbers}};
  const std::string subject = "rollout/" + rollout.id +
                              (ends ? std::string() : "/step/" + std::to_string(rollout.step + 1));
  return ledger::put_evidence(transaction, clock, ends ? "rollout" : "rollout-step", subject,
                              std::move(body));
}

void refuse_promotion(storage::Transaction& transaction, const Clock& clock,
                      const serving::RolloutRow& rollout, const Ruling& ruling,
                      const std::string& by, const std::string& evidence, TimeUs event_time) {
  ledger::Event event;
  event.type = "promotion.refused";
  event.subject = "model:" + rollout.model;
  event.actor = ruling.actor;
  event.cause = rollout.cause;
  event.event_time = event_time;
  event.body = {{"challenger", rollout.challenger},
                {"champion", rollout.champion},
                {"alias", rollout.alias},
                {"by", by},
                {"rollout", rollout.id},
                {"ended", serving::state_name(ruling.state)},
                {"reason", ruling.reason}};
  event.evidence = {evidence};
  ledger::append(transaction, clock, event);
}

void note_ending(storage::Transaction& transaction, const serving::RolloutRow& rollout,
                 const Ruling& ruling) {
  if (std::optional<Retraining> retraining = retraining_of_rollout(transaction, rollout.id)) {
    retraining->outcome = ruling.state == serving::RolloutState::kPromoted ? "promoted" : "refused";
    retraining->reason = ruling.reason;
    save_retraining(transaction, *retraining);
  }
}

registry::AliasChange alias_change(const serving::RolloutRow& rollout, const Ruling& ruling,
                                   const std::string& evidence, TimeUs event_time) {
  registry::AliasChange change;
  change.model = rollout.model;
  change.alias = rollout.alias;
  change.version = rollout.challenger;
  change.actor = ruling.actor;
  change.reason = ruling.reason;
  const std::string gate_evidence = policy_text(rollout, "gate_evidence");
  if (!gate_evidence.empty()) {
    change.evidence.push_back(gate_evidence);
  }
  change.evidence.push_back(evidence);
  change.event_time = event_time;
  change.rollout = rollout.id;
  change.cause = rollout.cause;
  return change;
}

// Why it cannot go on; "" when it can.
std::string void_reason(storage::Session& session, const serving::RolloutRow& rollout) {
  const auto endpoint = serving::find_endpoint(session, rollout.endpoint);
  if (!endpoint) {
    return "endpoint `" + rollout.endpoint + "` is gone";
  }
  if (endpoint->model != rollout.model || endpoint->alias != rollout.alias) {
    return "endpoint `" + rollout.endpoint + "` no longer follows alias `" + rollout.alias +
           "` of model `" + rollout.model + "`";
  }
  const auto target = registry::find_alias(session, rollout.model, rollout.alias);
  if (!target || target->move != rollout.started_move) {
    return "alias `" + rollout.alias + "` was moved" +
           (target ? " to version " + std::to_string(target->version) : " away") + " meanwhile";
  }
  return "";
}

// Whether what the ruling started from is still so.
bool still_holds(storage::Session& session, const Clock& clock, const serving::RolloutRow& rollout,
                 const serving::RolloutRow& seen, const Ruling& ruling) {
  if (!serving::is_open(rollout.state) || rollout.state != seen.state ||
      rollout.step != seen.step) {
    return false;
  }
  const bool voids = ruling.state == serving::RolloutState::kVoided;
  if (ruling.state != serving::RolloutState::kAborted &&
      void_reason(session, rollout).empty() == voids) {
    return false;
  }
  const bool by_itself = ruling.actor == actor_of(rollout);
  return !by_itself || voids || !serving::find_hold(session, rollout.endpoint, clock.now());
}

// Everything that ends with the rollout, but the alias of a promoted one. `by`: of
// promotion.refused. Returns the evidence's hash.
std::string end_rollout(storage::Transaction& transaction, const Clock& clock,
                        const serving::RolloutRow& rollout, const Ruling& ruling,
                        const std::string& by, TimeUs event_time) {
  std::string evidence = keep_evidence(transaction, clock, rollout, ruling, event_time);
  serving::finish_rollout(transaction, clock, rollout.id, ruling.state, ruling.counters,
                          ruling.reason, {ruling.actor, rollout.cause, event_time},
                          json::Object{{"reason", ruling.reason}, {"numbers", ruling.numbers}},
                          {evidence});
  if (ruling.state != serving::RolloutState::kPromoted) {
    refuse_promotion(transaction, clock, rollout, ruling, by, evidence, event_time);
  }
  note_ending(transaction, rollout, ruling);
  return evidence;
}

// Carries a ruling out. False when the rollout is no longer where the ruling found it: somebody was
// faster.
bool rule(storage::Transaction& transaction, const Deps& deps, const serving::RolloutRow& seen,
          Ruling ruling, TimeUs event_time) {
  const serving::RolloutRow rollout = serving::get_rollout(transaction, seen.id);
  if (!still_holds(transaction, deps.clock, rollout, seen, ruling)) {
    return false;
  }
  if (ruling.state == serving::RolloutState::kActive) {
    serving::StepCounters before = deps.baseline(rollout.endpoint, rollout.champion);
    for (int step = 0; step < rollout.step; ++step) {
      before = sum(before, rollout.steps[static_cast<std::size_t>(step)].counters);
    }
    before = sum(before, ruling.counters);
    const std::string evidence =
        keep_evidence(transaction, deps.clock, rollout, ruling, event_time);
    serving::advance_rollout(
        transaction, deps.clock, rollout.id, ruling.counters,
        rates(before, serving::Arm::kChampion), {ruling.actor, rollout.cause, event_time},
        json::Object{{"reason", ruling.reason}, {"numbers", ruling.numbers}}, {evidence});
    return true;
  }
  if (ruling.state == serving::RolloutState::kPromoted) {
    // Asked before anything is written: what the rule refuses is the rollout's end too, and
    // production stays.
    registry::AliasChange move = alias_change(rollout, ruling, "", event_time);
    move.evidence.pop_back();
    if (const auto refusal = registry::alias_refusal(transaction, move)) {
      ruling.state = serving::RolloutState::kVoided;
      ruling.reason = "the alias rule refused the promotion: " + *refusal;
    }
  }
  const std::string evidence =
      end_rollout(transaction, deps.clock, rollout, ruling, "rollout", event_time);
  if (ruling.state == serving::RolloutState::kPromoted) {
    registry::move_alias(transaction, deps.clock,
                         alias_change(rollout, ruling, evidence, event_time));
  }
  return true;
}

Ruling judged_ruling(const Judgement& judgement) {
  Ruling ruling;
  ruling.reason = judgement.reason;
  ruling.numbers = judgement.numbers;
  switch (judgement.decision) {
    case Decision::kPromote: ruling.state = serving::RolloutState::kPromoted; break;
    case Decision::kRollback: ruling.state = serving::RolloutState::kRolledBack; break;
    case Decision::kExpire: ruling.state = serving::RolloutState::kExpired; break;
    case Decision::kNextStep:
    case Decision::kWait: break;
  }
  return ruling;
}

bool carry_out(const Deps& deps, const serving::RolloutRow& rollout, const Ruling& ruling,
               TimeUs event_time) {
  // What the counters say must be countable again after a crash.
  deps.flush_log();
  const bool done = deps.database.write_returning<bool>([&](storage::Transaction& transaction) {
    return rule(transaction, deps, rollout, ruling, event_time);
  });
  if (done) {
    deps.refresh_serving(rollout.endpoint);
    if (ruling.state != serving::RolloutState::kActive) {
      deps.retain_log("rollout:" + rollout.id, INT64_MAX);
    }
  }
  return done;
}

// A rollout that was started before the endpoint's first request: its time begins with that
// request, however late this look is. True when it was written down.
bool begin_time(const Deps& deps, const serving::RolloutRow& rollout) {
  const TimeUs watermark = deps.watermark(rollout.endpoint);
  if (rollout.started_event_time != 0 || watermark == 0) {
    return false;
  }
  deps.flush_log();
  TimeUs first = deps.first_event_time(rollout.endpoint, rollout.log_position);
  if (first == 0) {
    first = watermark;  // posted, without a request so far
  }
  deps.database.write([&](storage::Transaction& transaction) {
    serving::begin_rollout_time(transaction, rollout.id, first);
  });
  return true;
}

serving::RolloutRow end_by_hand(const Deps& deps, const std::string& id,
                                serving::RolloutState state, const std::string& actor,
                                const std::string& reason) {
  if (reason.empty()) {
    throw Error(Code::kInvalidArgument, "ending a rollout by hand needs a `reason`");
  }
  const auto rollout = deps.database.read_returning<serving::RolloutRow>(
      [&](storage::Session& session) { return serving::get_rollout(session, id); });
  if (!serving::is_open(rollout.state)) {
    throw Error(Code::kFailedPrecondition,
                "rollout " + id + " is over: " + std::string(serving::state_name(rollout.state)) +
                    ", " + rollout.reason);
  }
  const TimeUs now = deps.watermark(rollout.endpoint);
  const RolloutPolicy policy = rollout_policy(json::parse(rollout.policy).as_object());
  Ruling ruling;
  ruling.counters = deps.counters(id, rollout.step);
  ruling.numbers =
      judge(policy, judged_steps(rollout, ruling.counters), rollout.started_event_time, now)
          .numbers;
  ruling.state = state;
  ruling.actor = actor;
  ruling.reason = reason;
  if (state == serving::RolloutState::kPromoted) {
    registry::AliasChange change = alias_change(rollout, ruling, "", now);
    change.evidence.pop_back();
    const auto refusal =
        deps.database.read_returning<std::optional<std::string>>([&](storage::Session& session) {
          const std::string voided = void_reason(session, rollout);
          return voided.empty() ? registry::alias_refusal(session, change)
                                : std::optional<std::string>(voided);
        });
    if (refusal) {
      throw Error(Code::kPermissionDenied, "rollout " + id + " cannot be promoted: " + *refusal);
    }
  }
  if (!carry_out(deps, rollout, ruling, now)) {
    throw Error(Code::kConflict, "rollout " + id + " moved on meanwhile; look at it again",
                "slipway rollout show " + id);
  }
  return deps.database.read_returning<serving::RolloutRow>(
      [&](storage::Session& session) { return serving::get_rollout(session, id); });
}

}  // namespace

std::vector<JudgedStep> judged_steps(const serving::RolloutRow& rollout,
                                     const serving::StepCounters& live) {
  std::vector<JudgedStep> steps;
  for (int i = 0; i <= rollout.step; ++i) {
    const serving::RolloutStep& step = rollout.steps.at(static_cast<std::size_t>(i));
    steps.push_back({step.weight, step.c0,
                     i == rollout.step && serving::is_open(rollout.state) ? live : step.counters});
  }
  return steps;
}

bool control_rollout(const Deps& deps, const serving::RolloutRow& rollout) {
  if (!serving::is_open(rollout.state)) {
    return false;
  }
  if (begin_time(deps, rollout)) {
    return true;
  }
  const TimeUs now = deps.watermark(rollout.endpoint);
  const serving::StepCounters live = deps.counters(rollout.id, rollout.step);
  std::string voided;
  bool held = false;
  deps.database.read([&](storage::Session& session) {
    voided = void_reason(session, rollout);
    held = serving::find_hold(session, rollout.endpoint, deps.clock.now()).has_value();
  });
  if (voided.empty() && (rollout.state == serving::RolloutState::kPaused || held)) {
    return false;
  }
  const RolloutPolicy policy = rollout_policy(json::parse(rollout.policy).as_object());
  const Judgement judgement =
      judge(policy, judged_steps(rollout, live), rollout.started_event_time, now);
  Ruling ruling = judged_ruling(judgement);
  if (!voided.empty()) {
    ruling.state = serving::RolloutState::kVoided;
    ruling.reason = voided;
  } else if (judgement.decision == Decision::kWait) {
    return false;
  }
  ruling.actor = actor_of(rollout);
  ruling.counters = live;
  carry_out(deps, rollout, ruling, now);
  return true;  // also when somebody was faster: then there is something new to look at
}

serving::RolloutRow promote_rollout(const Deps& deps, const std::string& id,
                                    const std::string& actor, const std::string& reason) {
  return end_by_hand(deps, id, serving::RolloutState::kPromoted, actor, reason);
}

serving::RolloutRow abort_rollout(const Deps& deps, const std::string& id, const std::string& actor,
                                  const std::string& reason) {
  return end_by_hand(deps, id, serving::RolloutState::kAborted, actor, reason);
}

void abort_in_rollback(storage::Transaction& transaction, const Clock& clock,
                       const serving::RolloutRow& rollout, const RollbackRuling& rollback) {
  Ruling ruling;
  ruling.state = serving::RolloutState::kAborted;
  ruling.reason = rollback.reason;
  ruling.actor = rollback.actor;
  ruling.counters = rollback.counters;
  const json::Object policy = json::parse(rollout.policy).as_object();
  if (policy.find("steps") != nullptr) {
    ruling.numbers = judge(rollout_policy(policy), judged_steps(rollout, rollback.counters),
                           rollout.started_event_time, rollback.watermark)
                         .numbers;
  } else {  // begun without a policy to judge by
    ruling.numbers.set("counters", serving::to_json(rollback.counters));
  }
  end_rollout(transaction, clock, rollout, ruling, "rollback", rollback.watermark);
}

}  // namespace slipway::automation
