// SPDX-License-Identifier: Apache-2.0
#include "automation/apply.h"

#include <algorithm>
#include <map>

#include "automation/live_object.h"
#include "automation/spec.h"
#include "base/error.h"
#include "base/id.h"
#include "ledger/event.h"

namespace slipway::automation {
namespace {

std::size_t kind_order(const std::string& kind) {
  const auto all = kinds();
  const auto at =
      std::find_if(all.begin(), all.end(), [&](const Kind& k) { return k.name == kind; });
  return static_cast<std::size_t>(at - all.begin());
}

// Things are made after what they name, and deleted before it.
std::vector<Change> in_order_of_work(const Plan& plan) {
  std::vector<Change> work;
  for (const Change& change : plan.changes) {
    if (change.action != Action::kNoOp) {
      work.push_back(change);
    }
  }
  std::stable_sort(work.begin(), work.end(), [](const Change& a, const Change& b) {
    const bool a_goes = a.action == Action::kDelete;
    const bool b_goes = b.action == Action::kDelete;
    if (a_goes != b_goes) {
      return b_goes;
    }
    // A Model's deletion only drops its rules, which must be gone before their gate is.
    const auto rank = [](const Change& c) {
      return c.kind == "Model" ? SIZE_MAX : kind_order(c.kind);
    };
    return a_goes ? rank(a) > rank(b) : kind_order(a.kind) < kind_order(b.kind);
  });
  return work;
}

void refuse_errors(const std::vector<std::string>& errors) {
  if (errors.empty()) {
    return;
  }
  std::string all;
  for (const std::string& error : errors) {
    all += (all.empty() ? "" : "; ") + error;
  }
  throw Error(Code::kInvalidArgument, all);
}

json::Array change_list(const std::vector<Change>& changes) {
  json::Array list;
  for (const Change& change : changes) {
    list.emplace_back(json::Object{{"address", change.kind + "." + change.name},
                                   {"actions", json::Array{action_name(change.action)}},
                                   {"section", change.drift ? "drift" : "change"},
                                   {"risk", risk_name(change.risk)}});
  }
  return list;
}

Applied carry_out(storage::Transaction& transaction, const Clock& clock, const PlanFacts& facts,
                  const Plan& plan, const std::string& actor) {
  refuse_errors(plan.errors);
  store_id(transaction, clock);
  Applied applied;
  applied.plan = to_json(plan);
  applied.changes = in_order_of_work(plan);
  if (applied.changes.empty()) {
    return applied;
  }
  std::map<std::pair<std::string, std::string>, const Declared*> desired;
  for (const Declared& object : plan.request.objects) {
    desired[{object.kind, object.name}] = &object;
  }
  for (const Change& change : applied.changes) {
    const TimeUs event_time =
        change.kind == "Endpoint" && facts.watermark ? facts.watermark(change.name) : 0;
    if (change.action == Action::kDelete) {
      const Object object = find_object(transaction, change.kind, change.name).value();
      remove_live(transaction, clock, object, actor, event_time);
      delete_object(transaction, change.kind, change.name);
      continue;
    }
    const Declared& wanted = *desired.at({change.kind, change.name});
    Object object;
    object.kind = wanted.kind;
    object.name = wanted.name;
    object.spec = wanted.spec;
    object.protect = wanted.protect;
    object.source = plan.request.source;
    object.applied_by = actor;
    object = put_object(transaction, clock, object);
    write_live(transaction, clock, object, actor, event_time);
  }
  applied.id = new_ulid(clock.now());
  ledger::Event event;
  event.type = "apply.done";
  event.subject = "apply:" + applied.id;
  event.actor = actor;
  event.body = {{"commit", plan.request.source.commit},
                {"repo", plan.request.source.repo},
                {"path", plan.request.source.path},
                {"changes", change_list(applied.changes)}};
  ledger::append(transaction, clock, event);
  return applied;
}

const json::Value& need(const json::Object& plan, std::string_view key) {
  const json::Value* value = plan.find(key);
  if (value == nullptr) {
    throw Error(Code::kInvalidArgument,
                "this is no plan file: it has no `" + std::string(key) + "`",
                "slipway plan -o FILE");
  }
  return *value;
}

struct Recorded {
  std::string address;
  std::string action;
  std::int64_t resource_version = 0;
  json::Value before;
  json::Value after;
};

Recorded recorded(const json::Value& entry) {
  const json::Value* address = entry.find("address");
  const json::Value* version = entry.find("resource_version");
  const json::Value* change = entry.find("change");
  const json::Value* actions = change != nullptr ? change->find("actions") : nullptr;
  const json::Value* before = change != nullptr ? change->find("before") : nullptr;
  const json::Value* after = change != nullptr ? change->find("after") : nullptr;
  const bool whole = address != nullptr && address->is_string() && version != nullptr &&
                     version->kind() == json::Value::Kind::kInt && actions != nullptr &&
                     actions->is_array() && actions->as_array().size() == 1 &&
                     actions->as_array().front().is_string() && before != nullptr &&
                     after != nullptr;
  if (!whole) {
    throw Error(Code::kInvalidArgument,
                "this is no plan file: an entry of `resource_changes` is incomplete",
                "slipway plan -o FILE");
  }
  return {address->as_string(), actions->as_array().front().as_string(), version->as_int(), *before,
          *after};
}

std::string where_it_moved(const json::Value& then, const json::Value& now) {
  for (const FieldChange& field : field_changes(then, now, "spec")) {
    return ": `" + field.path + "` was " + (field.before ? json::write(*field.before) : "absent") +
           " and is " + (field.after ? json::write(*field.after) : "absent");
  }
  return "";
}

// What the file touches must be as it was; everything that a fresh plan would touch must be in the
// file.
void refuse_stale(const json::Object& file, const Plan& fresh) {
  std::map<std::string, Recorded> then;
  const json::Value& changes = need(file, "resource_changes");
  if (!changes.is_array()) {
    throw Error(Code::kInvalidArgument, "this is no plan file: `resource_changes` is no list",
                "slipway plan -o FILE");
  }
  for (const json::Value& entry : changes.as_array()) {
    Recorded change = recorded(entry);
    then.emplace(change.address, std::move(change));
  }
  for (const Change& now : fresh.changes) {
    const std::string address = now.kind + "." + now.name;
    const auto found = then.find(address);
    const bool touched =
        now.action != Action::kNoOp || (found != then.end() && found->second.action != "no-op");
    if (!touched) {
      continue;
    }
    const bool same = found != then.end() && found->second.action == action_name(now.action) &&
                      found->second.resource_version == now.resource_version &&
                      found->second.before == now.before && found->second.after == now.after;
    if (!same) {
      throw Error(Code::kConflict,
                  "the plan is stale: " + now.kind + " `" + now.name +
                      "` changed since it was made" +
                      (found != then.end() ? where_it_moved(found->second.before, now.before)
                                           : std::string()),
                  "slipway plan -o FILE");
    }
  }
  for (const auto& [address, change] : then) {
    const bool still = std::any_of(
        fresh.changes.begin(), fresh.changes.end(),
        [&name = address](const Change& now) { return now.kind + "." + now.name == name; });
    if (change.action != "no-op" && !still) {
      throw Error(Code::kConflict, "the plan is stale: " + address + " is gone since it was made",
                  "slipway plan -o FILE");
    }
  }
}

}  // namespace

json::Object to_json(const Applied& applied) {
  return {{"apply_id", applied.id.empty() ? json::Value() : json::Value(applied.id)},
          {"changes", change_list(applied.changes)},
          {"plan", applied.plan}};
}

Applied apply(storage::Transaction& transaction, const Clock& clock, const PlanFacts& facts,
              const PlanRequest& request, const std::string& actor) {
  return carry_out(transaction, clock, facts, make_plan(transaction, clock, facts, request), actor);
}

Applied apply_plan_file(storage::Transaction& transaction, const Clock& clock,
                        const PlanFacts& facts, const json::Object& plan,
                        const std::string& actor) {
  const json::Value& format = need(plan, "format_version");
  if (!(format == json::Value(kPlanFormat))) {
    throw Error(Code::kInvalidArgument, "this plan file has format_version " + json::write(format) +
                                            ", this server reads \"" + std::string(kPlanFormat) +
                                            "\"");
  }
  const json::Value& made_against = need(plan, "server_id");
  const std::string here = store_id(transaction, clock);
  if (!(made_against == json::Value(here))) {
    throw Error(Code::kConflict,
                "this plan was made against another server (" + json::write(made_against) +
                    ", this one is \"" + here + "\")",
                "slipway plan -o FILE");
  }
  const json::Value& request = need(plan, "request");
  if (!request.is_object()) {
    throw Error(Code::kInvalidArgument, "this is no plan file: `request` is no object",
                "slipway plan -o FILE");
  }
  const Plan fresh =
      make_plan(transaction, clock, facts, plan_request_from_json(request.as_object()));
  refuse_stale(plan, fresh);
  return carry_out(transaction, clock, facts, fresh, actor);
}

}  // namespace slipway::automation
