// SPDX-License-Identifier: Apache-2.0
#include "automation/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "automation/live_object.h"
#include "automation/plan_risk.h"
#include "automation/rollout_policy.h"
#include "automation/spec.h"
#include "automation/trigger.h"
#include "base/error.h"
#include "base/id.h"
#include "registry/registered_model.h"
#include "serving/endpoint.h"
#include "serving/rollout.h"

namespace slipway::automation {
namespace {

using Key = std::pair<std::string, std::string>;  // kind, name

std::string shown(const Key& key) { return key.first + " `" + key.second + "`"; }

std::size_t kind_order(const std::string& kind) {
  const auto all = kinds();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Kind& k) { return k.name == kind; });
  return static_cast<std::size_t>(at - all.begin());
}

// Desired objects, checked and with their defaults, by key.
std::map<Key, Declared> normalised(const std::vector<Declared>& objects) {
  if (objects.size() > kObjectsMax) {
    throw Error(Code::kInvalidArgument, "a plan may hold at most " + std::to_string(kObjectsMax) +
                                            " objects, this one has " +
                                            std::to_string(objects.size()));
  }
  std::map<Key, Declared> desired;
  for (const Declared& object : objects) {
    const Kind* kind = find_kind(object.kind);
    if (kind == nullptr) {
      std::string known;
      for (const std::string_view name : kind_names()) {
        known += (known.empty() ? "" : ", ") + std::string(name);
      }
      throw Error(Code::kInvalidArgument,
                  "unknown kind `" + object.kind + "`, expected one of " + known);
    }
    Declared checked = object;
    checked.spec = normalise(*kind, object.name, object.spec);
    if (!desired.emplace(Key(object.kind, object.name), checked).second) {
      throw Error(Code::kInvalidArgument, shown({object.kind, object.name}) + " is declared twice");
    }
  }
  return desired;
}

bool owned_by(const Object& object, const Source& source) {
  return object.source.repo == source.repo && object.source.path == source.path;
}

std::string owner_text(const Source& source) {
  return "`" + source.path + "`" +
         (source.repo.empty() ? "" : " of repository " + source.repo.substr(0, 12));
}

// A Pipeline's commit is part of what runs: a diff shows it beside the fields of the spec.
json::Value with_commit(const std::string& kind, const json::Object& spec,
                        const std::string& commit) {
  json::Object shown_spec = spec;
  if (kind == "Pipeline") {
    shown_spec.set("commit", commit);
  }
  return shown_spec;
}

class Planner {
 public:
  Planner(storage::Session& session, const Clock& clock, const PlanFacts& facts,
          const PlanRequest& request)
      : session_(session), clock_(clock), facts_(facts), desired_(normalised(request.objects)) {
    plan_.id = new_ulid(clock.now());
    plan_.store = find_store_id(session).value_or("");
    plan_.created_at = clock.now();
    plan_.request = request;
    plan_.request.objects.clear();
    for (const auto& [key, object] : desired_) {
      plan_.request.objects.push_back(object);
    }
    for (Object& object : list_objects(session)) {
      const Key key(object.kind, object.name);
      actual_.emplace(key, std::move(object));
    }
  }

  Plan run() {
    for (const auto& [key, object] : desired_) {
      plan_object(key, object);
    }
    plan_deletes();
    check_references();
    for (const auto& [key, object] : desired_) {
      if (key.first == "Endpoint") {
        check_rollout(key.second, object.spec);
      }
    }
    look_at_controllers();
    sort_changes();
    if (plan_.request.source.dirty) {
      plan_.notes.push_back(
          "the working tree has changes that no commit holds; a retraining runs commit " +
          plan_.request.source.commit.substr(0, 12) + " without them");
    }
    return std::move(plan_);
  }

 private:
  void plan_object(const Key& key, const Declared& wanted) {
    Change change;
    change.kind = key.first;
    change.name = key.second;
    change.after = with_commit(key.first, wanted.spec, plan_.request.source.commit);
    if (key.first == "Pipeline" && plan_.request.source.commit.empty()) {
      plan_.errors.push_back(shown(key) +
                             " needs a commit to run: commit the repository and plan inside it");
    }
    const auto found = actual_.find(key);
    if (found == actual_.end()) {
      change.action = Action::kCreate;
      change.fields = field_changes(json::Value(), change.after, "spec");
      add(std::move(change));
      return;
    }
    const Object& object = found->second;
    change.resource_version = object.resource_version;
    const bool foreign = !owned_by(object, plan_.request.source);
    if (foreign && !wanted.adopt) {
      plan_.errors.push_back(
          shown(key) + " is managed by " + owner_text(object.source) +
          "; remove it there, or write `adopt: true` beside its name to take it over");
    }
    const std::optional<json::Object> live = read_live(session_, object);
    change.before = live ? with_commit(key.first, *live, object.source.commit) : json::Value();
    change.fields = field_changes(change.before, change.after, "spec");
    const json::Value applied = with_commit(key.first, object.spec, object.source.commit);
    if (!change.fields.empty()) {
      change.action = live ? Action::kUpdate : Action::kCreate;
      change.drift = applied == change.after;
      if (change.drift) {
        change.reason = live ? "changed on the server since it was applied"
                             : "deleted on the server since it was applied";
      }
    } else if (foreign || wanted.protect != object.protect) {
      change.action = Action::kUpdate;
      change.reason =
          foreign ? "taken over from " + owner_text(object.source) : "protection changes";
    }
    add(std::move(change));
  }

  void plan_deletes() {
    std::int64_t owned = 0;
    std::int64_t deleted = 0;
    for (const auto& [key, object] : actual_) {
      if (!owned_by(object, plan_.request.source)) {
        continue;
      }
      ++owned;
      if (desired_.count(key) != 0) {
        continue;
      }
      if (!plan_.request.prune) {
        plan_.notes.push_back(shown(key) +
                              " is no longer in the file and stays; `--prune` deletes it");
        continue;
      }
      if (object.protect) {
        plan_.errors.push_back(
            shown(key) + " is protected; take `protect: true` away and apply before it is deleted");
      }
      ++deleted;
      Change change;
      change.action = Action::kDelete;
      change.kind = key.first;
      change.name = key.second;
      change.resource_version = object.resource_version;
      change.before = with_commit(key.first, object.spec, object.source.commit);
      change.fields = field_changes(change.before, json::Value(), "spec");
      change.reason = "no longer in the file";
      add(std::move(change));
    }
    const bool many =
        static_cast<double>(deleted) > kDestroyShareMax * static_cast<double>(owned) ||
        deleted == owned;
    if (deleted > 0 && many && plan_.request.allow_destroy < deleted) {
      plan_.errors.push_back(
          "this would delete " + std::to_string(deleted) + " of the file's " +
          std::to_string(owned) +
          " objects; if that is meant, say `--allow-destroy=" + std::to_string(deleted) + "`");
    }
  }

  void add(Change change) {
    if (change.action != Action::kNoOp) {
      assess_risk(change);
    }
    plan_.changes.push_back(std::move(change));
  }

  bool will_exist(const Key& key) const {
    if (desired_.count(key) != 0) {
      return true;
    }
    const auto found = actual_.find(key);
    if (found != actual_.end()) {
      return !(plan_.request.prune && owned_by(found->second, plan_.request.source));
    }
    return key.first == "Model" && registry::find_model(session_, key.second).has_value();
  }

  void check_references() {
    for (const auto& [key, object] : desired_) {
      require_all(key, object.spec);
    }
    for (const auto& [key, object] : actual_) {
      if (desired_.count(key) == 0 && will_exist(key)) {
        require_all(key, object.spec);
      }
    }
  }

  void require_all(const Key& key, const json::Object& spec) {
    for (const Reference& reference : references(*find_kind(key.first), spec)) {
      if (!will_exist({reference.kind, reference.name})) {
        plan_.errors.push_back(shown(key) + ": `" + reference.path + "` names " +
                               shown({reference.kind, reference.name}) +
                               ", which does not exist and is not declared here");
      }
    }
  }

  void check_rollout(const std::string& name, const json::Object& spec) {
    const json::Value* rollout = spec.find("rollout");
    if (rollout == nullptr) {
      return;
    }
    std::optional<double> traffic;
    if (facts_.requests_per_day) {
      traffic = facts_.requests_per_day(session_, name);
    }
    const Forecast expected = forecast(rollout_policy(rollout->as_object()), traffic);
    plan_.forecasts.emplace_back(json::Object{{"endpoint", name}, {"forecast", to_json(expected)}});
    if (!expected.refusal.empty()) {
      plan_.errors.push_back("Endpoint `" + name + "`: `spec.rollout`: " + expected.refusal);
    } else {
      plan_.notes.push_back("rollout of endpoint `" + name + "` needs at least " +
                            forecast_text(expected) +
                            (traffic ? "" : "; its traffic is not known yet"));
    }
  }

  void look_at_controllers() {
    for (const auto& [key, object] : desired_) {
      if (key.first == "Endpoint") {
        look_at_endpoint(key.second);
      } else if (key.first == "Trigger" && actual_.count(key) != 0) {
        const TriggerState state = get_trigger_state(session_, key.second);
        if (state.paused) {
          plan_.unmanaged.emplace_back(json::Object{{"address", "Trigger." + key.second},
                                                    {"field", "paused"},
                                                    {"value", state.paused_reason}});
          plan_.notes.push_back("trigger `" + key.second + "` is paused: " + state.paused_reason);
        }
      }
    }
  }

  void look_at_endpoint(const std::string& name) {
    if (const auto rollout = serving::find_active_rollout(session_, name)) {
      const double weight = rollout->steps.at(static_cast<std::size_t>(rollout->step)).weight;
      plan_.unmanaged.emplace_back(
          json::Object{{"address", "Endpoint." + name}, {"field", "weight"}, {"value", weight}});
      plan_.notes.push_back("rollout " + rollout->id + " is under way on endpoint `" + name +
                            "`: version " + std::to_string(rollout->challenger) + " has " +
                            std::to_string(std::llround(100 * weight)) + " % (step " +
                            std::to_string(rollout->step + 1) + " of " +
                            std::to_string(rollout->steps.size()) +
                            "); it goes on under the policy that it started with");
    }
    if (const auto hold = serving::find_hold(session_, name, clock_.now())) {
      plan_.unmanaged.emplace_back(json::Object{
          {"address", "Endpoint." + name}, {"field", "hold"}, {"value", hold->reason}});
      plan_.notes.push_back("endpoint `" + name + "` is on hold since " +
                            format_time(hold->set_at) + ": " + hold->reason +
                            "; `slipway endpoint release " + name + "` ends it");
    }
  }

  void sort_changes() {
    const auto rank = [](const Change& change) {
      return std::tuple(change.action == Action::kNoOp, change.risk, kind_order(change.kind),
                        change.name);
    };
    std::sort(plan_.changes.begin(), plan_.changes.end(),
              [&](const Change& a, const Change& b) { return rank(a) < rank(b); });
  }

  storage::Session& session_;
  const Clock& clock_;
  const PlanFacts& facts_;
  const std::map<Key, Declared> desired_;
  std::map<Key, Object> actual_;
  Plan plan_;
};

void collect_changes(const json::Value* before, const json::Value* after, const std::string& path,
                     std::vector<FieldChange>& found) {
  const bool both_objects =
      before != nullptr && after != nullptr && before->is_object() && after->is_object();
  const bool both_lists = before != nullptr && after != nullptr && before->is_array() &&
                          after->is_array() &&
                          before->as_array().size() == after->as_array().size();
  if (both_objects) {
    for (const auto& [key, value] : before->as_object()) {
      collect_changes(&value, after->find(key), path + "." + key, found);
    }
    for (const auto& [key, value] : after->as_object()) {
      if (before->find(key) == nullptr) {
        collect_changes(nullptr, &value, path + "." + key, found);
      }
    }
  } else if (both_lists) {
    for (std::size_t i = 0; i < before->as_array().size(); ++i) {
      collect_changes(&before->as_array()[i], &after->as_array()[i],
                      path + "[" + std::to_string(i) + "]", found);
    }
  } else if (before == nullptr || after == nullptr || !(*before == *after)) {
    found.push_back({path, before != nullptr ? std::optional<json::Value>(*before) : std::nullopt,
                     after != nullptr ? std::optional<json::Value>(*after) : std::nullopt});
  }
}

}  // namespace

std::string_view action_name(Action action) {
  switch (action) {
    case Action::kNoOp: return "no-op";
    case Action::kCreate: return "create";
    case Action::kUpdate: return "update";
    case Action::kDelete: return "delete";
  }
  return "no-op";
}

std::string_view risk_name(Risk risk) {
  switch (risk) {
    case Risk::kTraffic: return "traffic";
    case Risk::kData: return "data";
    case Risk::kPolicy: return "policy";
    case Risk::kOther: return "other";
  }
  return "other";
}

bool Plan::has_changes() const {
  return std::any_of(changes.begin(), changes.end(),
                     [](const Change& c) { return c.action != Action::kNoOp; });
}

Plan make_plan(storage::Session& session, const Clock& clock, const PlanFacts& facts,
               const PlanRequest& request) {
  return Planner(session, clock, facts, request).run();
}

std::vector<FieldChange> field_changes(const json::Value& before, const json::Value& after,
                                       const std::string& path) {
  std::vector<FieldChange> found;
  if (before.is_object() || after.is_object()) {
    // A whole object that comes or goes is told field by field, as one that changes is.
    const json::Value empty = json::Object();
    collect_changes(before.is_object() ? &before : &empty, after.is_object() ? &after : &empty,
                    path, found);
  }
  return found;
}

}  // namespace slipway::automation
