// SPDX-License-Identifier: Apache-2.0
#include "automation/invariants.h"

#include <cmath>
#include <set>

#include "base/id.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "registry/alias.h"
#include "registry/provenance.h"
#include "stats/canary.h"

namespace slipway::automation {
namespace {

constexpr double kTolerance = 1e-9;

const std::string& text_of(const json::Object& body, std::string_view key) {
  static const std::string kNone;
  const json::Value* value = body.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : kNone;
}

bool is_true(const json::Object& body, std::string_view key) {
  const json::Value* value = body.find(key);
  return value != nullptr && value->is_bool() && value->as_bool();
}

class Checker {
 public:
  Checker(storage::Session& session, const InvariantFacts& facts)
      : session_(session), facts_(facts) {}

  InvariantReport run() {
    ledger::EventFilter filter;
    for (;;) {
      const std::vector<ledger::StoredEvent> page = ledger::list_events(session_, filter);
      for (const ledger::StoredEvent& event : page) {
        filter.after_seq = event.seq;
        check_event(event);
      }
      if (static_cast<std::int64_t>(page.size()) < filter.limit) {
        break;
      }
    }
    return std::move(report_);
  }

 private:
  void require(bool holds, const std::string& rule, const std::string& subject,
               const std::string& detail) {
    ++report_.checked;
    if (!holds) {
      report_.violations.push_back({rule, subject, detail});
    }
  }

  void check_event(const ledger::StoredEvent& event) {
    for (const std::string& hash : event.evidence) {
      const std::optional<ledger::Evidence> evidence = ledger::find_evidence(session_, hash);
      require(evidence.has_value(), "evidence-stored", "event:" + event.id,
              "evidence " + hash + " is not in the store");
      if (evidence) {
        require(sha256_hex(json::write(evidence->body)) == hash, "evidence-stored",
                "event:" + event.id, "evidence " + hash + " is not what was stored");
      }
    }
    const bool ended = event.type == "rollout.rolled_back" || event.type == "rollout.expired" ||
                       event.type == "rollout.voided" || event.type == "rollout.aborted" ||
                       event.type == "rollout.promoted";
    if (event.type == "promotion.refused" || event.type == "alias.refused" || ended) {
      require(!text_of(event.body, "reason").empty(), "refusal-reason", "event:" + event.id,
              event.type + " has no reason");
    }
    if (event.type == "apply.done") {
      note_rules(event);
    } else if (event.type == "alias.moved") {
      check_move(event);
    }
    if (ended) {
      check_rollout(event);
    }
  }

  // Moves from before a Model was declared were not ruled.
  void note_rules(const ledger::StoredEvent& event) {
    const json::Value* changes = event.body.find("changes");
    if (changes == nullptr || !changes->is_array()) {
      return;
    }
    for (const json::Value& change : changes->as_array()) {
      const json::Value* address = change.find("address");
      if (address != nullptr && address->is_string() &&
          address->as_string().rfind("Model.", 0) == 0) {
        ruled_.insert(address->as_string().substr(6));
      }
    }
  }

  void check_move(const ledger::StoredEvent& event) {
    const json::Value* to = event.body.find("to");
    if (to == nullptr || to->kind() != json::Value::Kind::kInt) {
      return;
    }
    const std::string model = event.subject.substr(event.subject.find(':') + 1);
    const std::string subject = "model:" + model + "/" + std::to_string(to->as_int());
    if (explained_.insert(subject).second) {
      require(registry::find_provenance(session_, model, to->as_int()).has_value(), "provenance",
              subject, "has no provenance document, so its predictions cannot be explained");
    }
    const auto rule = registry::find_alias_rule(session_, model, text_of(event.body, "alias"));
    if (!rule || ruled_.count(model) == 0 || is_true(event.body, "rollback")) {
      require(!is_true(event.body, "rollback") || !text_of(event.body, "reason").empty(),
              "promotion-evidence", "event:" + event.id, "a rollback without a reason");
      return;
    }
    bool passed = false;
    for (const std::string& hash : event.evidence) {
      const std::optional<ledger::Evidence> evidence = ledger::find_evidence(session_, hash);
      passed = passed || (evidence && evidence->kind == "gate" &&
                          text_of(evidence->body.as_object(), "verdict") == "pass");
    }
    require(passed, "promotion-evidence", "event:" + event.id,
            "alias `" + text_of(event.body, "alias") + "` moved to version " +
                std::to_string(to->as_int()) + " without passing evidence of gate `" + rule->gate +
                "`");
  }

  void check_rollout(const ledger::StoredEvent& event) {
    const std::string id = event.subject.substr(event.subject.find(':') + 1);
    const std::optional<serving::RolloutRow> rollout = serving::find_rollout(session_, id);
    require(rollout.has_value(), "counters-recompute", event.subject, "the rollout's row is gone");
    for (const std::string& hash : event.evidence) {
      const std::optional<ledger::Evidence> evidence = ledger::find_evidence(session_, hash);
      if (evidence && evidence->kind == "rollout") {
        check_decision(event.subject, evidence->body);
      }
    }
    if (!rollout || !facts_.recount) {
      return;
    }
    const std::optional<std::vector<serving::StepCounters>> counted = facts_.recount(*rollout);
    if (!counted) {
      return;
    }
    for (int step = 0; step <= rollout->step; ++step) {
      check_counters(event.subject, step,
                     rollout->steps.at(static_cast<std::size_t>(step)).counters,
                     counted->at(static_cast<std::size_t>(step)));
    }
  }

  // The log may hold a few requests that were on their way when the step was judged, so it may
  // count more, never fewer.
  void check_counters(const std::string& subject, int step, const serving::StepCounters& stored,
                      const serving::StepCounters& counted) {
    for (const serving::Loss loss : serving::kAllLosses) {
      for (const serving::Arm arm : {serving::Arm::kChampion, serving::Arm::kChallenger}) {
        const auto& a = stored.at(loss, arm);
        const auto& b = counted.at(loss, arm);
        require(a.bad <= b.bad && a.good <= b.good, "counters-recompute", subject,
                "step " + std::to_string(step + 1) + ", " + std::string(serving::arm_name(arm)) +
                    ", " + std::string(serving::loss_name(loss)) + ": stored " +
                    std::to_string(a.bad) + "/" + std::to_string(a.good) + ", the log counts " +
                    std::to_string(b.bad) + "/" + std::to_string(b.good));
      }
    }
  }

  void check_decision(const std::string& subject, const json::Value& body) {
    const json::Value* numbers = body.find("numbers");
    const json::Value* losses = numbers != nullptr ? numbers->find("losses") : nullptr;
    require(losses != nullptr && losses->is_object(), "decision-recomputes", subject,
            "the evidence has no numbers");
    if (losses == nullptr || !losses->is_object()) {
      return;
    }
    for (const auto& [loss, told] : losses->as_object()) {
      const json::Value* found = told.find("input");
      require(found != nullptr, "decision-recomputes", subject,
              "the counters of `" + loss + "` are not in the evidence");
      if (found == nullptr) {
        continue;
      }
      const json::Value& input = *found;
      std::vector<stats::CanaryStep> steps;
      for (const json::Value& step : input.find("steps")->as_array()) {
        const json::Array& canary = step.find("canary")->as_array();
        const json::Array& stable = step.find("stable")->as_array();
        steps.push_back({step.find("w")->as_double(), step.find("c0")->as_double(),
                         canary.at(0).as_int(), canary.at(1).as_int(), stable.at(0).as_int(),
                         stable.at(1).as_int()});
      }
      stats::CanaryPolicy policy{};
      policy.delta = input.find("delta")->as_double();
      policy.alpha_rollback = input.find("alpha_rollback")->as_double();
      policy.alpha_promote = input.find("alpha_promote")->as_double();
      const stats::CanaryEProcess again = stats::canary_e_process(steps, policy);
      const auto close = [&values = told](std::string_view key, double value) {
        return std::abs(values.find(key)->as_double() - value) <=
               kTolerance * (1 + std::abs(value));
      };
      require(close("log_rollback_e", again.log_rollback_e) &&
                  close("log_promote_e", again.log_promote_e),
              "decision-recomputes", subject,
              "the e-values of `" + loss + "` do not come out again");
    }
  }

  storage::Session& session_;
  const InvariantFacts& facts_;
  InvariantReport report_;
  std::set<std::string> explained_;
  std::set<std::string> ruled_;
};

}  // namespace

json::Object to_json(const InvariantReport& report) {
  json::Array violations;
  json::Array broken;
  for (const Violation& violation : report.violations) {
    violations.emplace_back(json::Object{
        {"rule", violation.rule}, {"subject", violation.subject}, {"detail", violation.detail}});
    broken.emplace_back(violation.rule + ": " + violation.subject + ": " + violation.detail);
  }
  return {{"checked", report.checked},
          {"violations", std::move(violations)},
          {"broken", std::move(broken)}};
}

InvariantReport check_invariants(storage::Session& session, const InvariantFacts& facts) {
  return Checker(session, facts).run();
}

}  // namespace slipway::automation
