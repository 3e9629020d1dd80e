// SPDX-License-Identifier: Apache-2.0
#include "automation/promotion.h"

#include "automation/rollout_policy.h"
#include "automation/spec.h"
#include "base/error.h"
#include "base/log.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "registry/alias.h"
#include "registry/model_version.h"
#include "serving/endpoint.h"

namespace slipway::automation {
namespace {

constexpr int kComparisonsMax = 3;

// Everything that is read before the gate is asked.
struct Situation {
  std::string endpoint;
  std::string gate;
  std::optional<registry::AliasTarget> champion;
};

Situation look(storage::Session& session, const PromotionRequest& request) {
  registry::get_version(session, request.model, request.version);
  Situation situation;
  situation.endpoint = request.endpoint;
  if (situation.endpoint.empty()) {
    situation.endpoint = rollout_endpoint(session, request.model, request.alias).value_or("");
  }
  situation.gate = request.gate;
  if (situation.gate.empty()) {
    const auto rule = registry::find_alias_rule(session, request.model, request.alias);
    situation.gate = rule ? rule->gate : "";
  }
  situation.champion = registry::find_alias(session, request.model, request.alias);
  return situation;
}

struct GateAnswer {
  bool passed = true;
  std::string verdict;
  std::string reason;
  std::string evidence;
};

// An evaluation that a crashed server made after the training is as good as a new one, and costs
// nothing.
std::optional<GateAnswer> earlier_answer(const Deps& deps, const PromotionRequest& request,
                                         const Situation& situation) {
  if (request.reuse_since == 0) {
    return std::nullopt;
  }
  const std::optional<std::int64_t> champion =
      situation.champion ? std::optional<std::int64_t>(situation.champion->version) : std::nullopt;
  const auto evidence =
      deps.database.read_returning<std::optional<ledger::Evidence>>([&](storage::Session& session) {
        return ledger::latest_evidence(
            session, "gate",
            registry::gate_subject(situation.gate, request.model, request.version, champion));
      });
  if (!evidence || evidence->recorded_at < request.reuse_since) {
    return std::nullopt;
  }
  const json::Value* verdict = evidence->body.find("verdict");
  const json::Value* reason = evidence->body.find("reason");
  if (verdict == nullptr || !verdict->is_string()) {
    return std::nullopt;
  }
  return GateAnswer{verdict->as_string() == "pass", verdict->as_string(),
                    reason != nullptr && reason->is_string() ? reason->as_string() : "",
                    evidence->hash};
}

GateAnswer ask_gate(const Deps& deps, const PromotionRequest& request, const Situation& situation) {
  if (situation.gate.empty()) {
    return {};
  }
  if (const std::optional<GateAnswer> earlier = earlier_answer(deps, request, situation)) {
    return *earlier;
  }
  Deps::GateQuestion question;
  question.gate = situation.gate;
  question.challenger = request.version;
  question.actor = request.actor;
  question.cause = request.cause;
  question.event_time = situation.endpoint.empty() ? 0 : deps.watermark(situation.endpoint);
  const gate::Result result = deps.evaluate_gate(question);
  return {result.verdict == gate::Verdict::kPass, std::string(gate::verdict_name(result.verdict)),
          result.reason, result.evidence};
}

void record_refusal(storage::Transaction& transaction, const Deps& deps,
                    const PromotionRequest& request, const Promotion& promotion,
                    TimeUs event_time) {
  ledger::Event event;
  event.type = "promotion.refused";
  event.subject = "model:" + request.model;
  event.actor = request.actor;
  event.cause = request.cause;
  event.event_time = event_time;
  event.body = {{"challenger", request.version},
                {"alias", request.alias},
                {"by", promotion.by},
                {"reason", promotion.reason}};
  event.body.set("champion", promotion.champion ? json::Value(*promotion.champion) : json::Value());
  if (!promotion.gate_evidence.empty()) {
    event.evidence = {promotion.gate_evidence};
  }
  ledger::append(transaction, deps.clock, event);
}

std::string move_reason(const PromotionRequest& request, const std::string& gate_reason) {
  return request.reason.empty() ? gate_reason
         : gate_reason.empty()  ? request.reason
                                : request.reason + "; " + gate_reason;
}

std::string begin_rollout(storage::Transaction& transaction, const Deps& deps,
                          const PromotionRequest& request, const serving::EndpointRow& endpoint,
                          const registry::AliasTarget& champion, const Promotion& promotion,
                          TimeUs event_time) {
  json::Object policy_json = json::parse(endpoint.canary).as_object();
  const RolloutPolicy policy = rollout_policy(policy_json);
  policy_json.set("gate", promotion.gate);
  policy_json.set("gate_evidence", promotion.gate_evidence);
  policy_json.set("retraining", request.retraining);
  serving::RolloutStart start;
  start.endpoint = endpoint.name;
  start.model = request.model;
  start.alias = request.alias;
  start.champion = champion.version;
  start.challenger = request.version;
  start.started_move = champion.move;
  start.log_position = deps.synced_log_position();
  for (const PolicyStep& step : policy.steps) {
    start.weights.push_back(step.weight);
  }
  start.c0 = rates(deps.baseline(endpoint.name, champion.version), serving::Arm::kChampion);
  start.delta = policy.delta;
  start.alpha_promote = policy.alpha_promote;
  start.alpha_rollback = policy.alpha_rollback;
  start.policy = json::write(policy_json);
  json::Object body{{"reason", promotion.reason},
                    {"gate", promotion.gate},
                    {"gate_evidence", promotion.gate_evidence},
                    {"retraining", request.retraining}};
  return serving::start_rollout(transaction, deps.clock, start,
                                {request.actor, request.cause, event_time}, body)
      .id;
}

// Notes what came of the retraining in the write that made it so: a crash leaves both or neither.
void note_outcome(storage::Transaction& transaction, const PromotionRequest& request,
                  const Promotion& promotion) {
  if (request.retraining.empty()) {
    return;
  }
  std::optional<Retraining> retraining = find_retraining(transaction, request.retraining);
  if (!retraining || retraining->state != "trained") {
    return;
  }
  retraining->state = "done";
  retraining->outcome = promotion.result == PromotionResult::kMoved     ? "promoted"
                        : promotion.result == PromotionResult::kRollout ? "rollout"
                        : promotion.result == PromotionResult::kRefused ? "refused"
                                                                        : "nothing_new";
  retraining->reason = promotion.reason;
  retraining->rollout = promotion.rollout;
  save_retraining(transaction, *retraining);
  set_firing_state(transaction, retraining->firing, "done");
}

// nullopt: the champion is no longer the one that the gate compared with.
std::optional<Promotion> act(storage::Transaction& transaction, const Deps& deps,
                             const PromotionRequest& request, const Situation& situation,
                             const GateAnswer& answer) {
  const auto champion = registry::find_alias(transaction, request.model, request.alias);
  const auto version_of = [](const std::optional<registry::AliasTarget>& target) {
    return target ? target->version : 0;
  };
  if (version_of(champion) != version_of(situation.champion)) {
    return std::nullopt;
  }
  Promotion promotion;
  promotion.reason = answer.reason;
  promotion.gate = situation.gate;
  promotion.verdict = answer.verdict;
  promotion.gate_evidence = answer.evidence;
  promotion.champion = champion ? std::optional<std::int64_t>(champion->version) : std::nullopt;
  const TimeUs event_time = situation.endpoint.empty() ? 0 : deps.watermark(situation.endpoint);
  const auto endpoint = situation.endpoint.empty()
                            ? std::nullopt
                            : serving::find_endpoint(transaction, situation.endpoint);
  const auto refuse = [&](const std::string& by, const std::string& reason) {
    promotion.result = PromotionResult::kRefused;
    promotion.by = by;
    promotion.reason = reason;
    record_refusal(transaction, deps, request, promotion, event_time);
  };
  if (!answer.passed) {
    promotion.by = "gate";  // which recorded it
  } else if (champion && champion->version == request.version) {
    promotion.result = PromotionResult::kUnchanged;
    promotion.reason =
        "`" + request.alias + "` points to version " + std::to_string(request.version) + " already";
  } else if (endpoint && endpoint->alias != request.alias) {
    refuse("endpoint", "endpoint `" + endpoint->name + "` is pinned to version " +
                           std::to_string(endpoint->version) +
                           " in its file: change `version` there and apply");
  } else if (const auto hold =
                 endpoint ? serving::find_hold(transaction, endpoint->name, deps.clock.now())
                          : std::nullopt) {
    refuse("hold", "endpoint `" + endpoint->name + "` is on hold: " + hold->reason);
  } else if (endpoint && champion && !endpoint->canary.empty()) {
    promotion.rollout =
        begin_rollout(transaction, deps, request, *endpoint, *champion, promotion, event_time);
    promotion.result = PromotionResult::kRollout;
  } else {
    registry::AliasChange change;
    change.model = request.model;
    change.alias = request.alias;
    change.version = request.version;
    change.actor = request.actor;
    change.reason = move_reason(request, answer.reason);
    change.event_time = event_time;
    change.cause = request.cause;
    if (!answer.evidence.empty()) {
      change.evidence = {answer.evidence};
    }
    if (const auto refusal = registry::alias_refusal(transaction, change)) {
      refuse("rule", *refusal);
    } else {
      promotion.move = registry::move_alias(transaction, deps.clock, change).move;
      promotion.result = PromotionResult::kMoved;
      promotion.reason = change.reason;
    }
  }
  note_outcome(transaction, request, promotion);
  return promotion;
}

// The versions of every endpoint that follows the alias are in memory when a promotion is answered;
// what other endpoints want is not waited for.
void refresh_followers(const Deps& deps, const PromotionRequest& request) {
  const auto rows = deps.database.read_returning<std::vector<serving::EndpointRow>>(
      [](storage::Session& session) { return serving::list_endpoints(session); });
  for (const serving::EndpointRow& row : rows) {
    if (row.model == request.model && row.alias == request.alias) {
      deps.refresh_serving(row.name);
    }
  }
}

bool may_be_over_soon(Code code) {
  return code == Code::kUnavailable || code == Code::kResourceExhausted ||
         code == Code::kDeadlineExceeded || code == Code::kConflict;
}

}  // namespace

std::string_view result_name(PromotionResult result) {
  switch (result) {
    case PromotionResult::kMoved: return "moved";
    case PromotionResult::kRollout: return "rollout";
    case PromotionResult::kRefused: return "refused";
    case PromotionResult::kUnchanged: return "unchanged";
  }
  return "refused";
}

json::Object to_json(const Promotion& promotion) {
  json::Object object{{"outcome", result_name(promotion.result)},
                      {"verdict", promotion.verdict},
                      {"reason", promotion.reason},
                      {"gate", promotion.gate},
                      {"evidence", promotion.gate_evidence}};
  object.set("champion", promotion.champion ? json::Value(*promotion.champion) : json::Value());
  if (promotion.result == PromotionResult::kRefused) {
    object.set("by", promotion.by);
  } else if (promotion.result == PromotionResult::kRollout) {
    object.set("rollout", promotion.rollout);
  } else if (promotion.result == PromotionResult::kMoved) {
    object.set("move", promotion.move);
  }
  return object;
}

std::optional<std::string> rollout_endpoint(storage::Session& session, const std::string& model,
                                            const std::string& alias) {
  for (const serving::EndpointRow& row : serving::list_endpoints(session)) {
    if (row.model == model && row.alias == alias && !row.canary.empty()) {
      return row.name;
    }
  }
  return std::nullopt;
}

Promotion promote(const Deps& deps, const PromotionRequest& request) {
  for (int comparison = 0; comparison < kComparisonsMax; ++comparison) {
    const Situation situation = deps.database.read_returning<Situation>(
        [&](storage::Session& session) { return look(session, request); });
    const bool holds_it = situation.champion && situation.champion->version == request.version;
    const GateAnswer answer = holds_it ? GateAnswer() : ask_gate(deps, request, situation);
    const auto promotion = deps.database.write_returning<std::optional<Promotion>>(
        [&](storage::Transaction& transaction) {
          return act(transaction, deps, request, situation, answer);
        });
    if (promotion) {
      if (promotion->result == PromotionResult::kRollout) {
        deps.retain_log("rollout:" + promotion->rollout,
                        deps.database.read_returning<std::int64_t>([&](storage::Session& session) {
                          return serving::get_rollout(session, promotion->rollout).log_position;
                        }));
      }
      refresh_followers(deps, request);
      return *promotion;
    }
  }
  throw Error(Code::kConflict, "alias `" + request.alias + "` of model `" + request.model +
                                   "` kept moving while the gate compared; try again");
}

bool judge_retraining(const Deps& deps, const Retraining& retraining) {
  PromotionRequest request;
  request.model = retraining.model;
  request.version = retraining.version.value();
  request.endpoint = retraining.endpoint;
  request.gate = retraining.gate;
  request.actor = "automation:trigger/" + retraining.trigger;
  request.cause = retraining.event_id;
  request.retraining = retraining.id;
  request.reuse_since = retraining.finished_at.value_or(0);
  try {
    request.alias = deps.database.read_returning<std::string>([&](storage::Session& session) {
      const auto endpoint = serving::find_endpoint(session, retraining.endpoint);
      return endpoint && !endpoint->alias.empty()
                 ? endpoint->alias
                 : gate::get_gate(session, retraining.gate).spec.alias;
    });
    promote(deps, request);
    return true;
  } catch (const Error& error) {
    if (may_be_over_soon(error.code())) {
      log::warning("a trained version waits for its gate",
                   {{"retraining", retraining.id}, {"reason", error.what()}});
      return false;
    }
    Promotion refused;
    refused.by = "gate";
    refused.gate = retraining.gate;
    refused.reason = error.what();
    deps.database.write([&](storage::Transaction& transaction) {
      if (const auto target = registry::find_alias(transaction, request.model, request.alias)) {
        refused.champion = target->version;
      }
      record_refusal(transaction, deps, request, refused, deps.watermark(retraining.endpoint));
      note_outcome(transaction, request, refused);
    });
    return true;
  }
}

}  // namespace slipway::automation
