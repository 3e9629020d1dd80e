// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "automation/object.h"
#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

// `slipway plan`: what a file asks for against what the server has, as a value that is shown,
// stored and applied (apply.h). There is no state file and no lock: ownership and the last applied
// state lie on the objects, a plan names the resource_version of what it touches.
namespace slipway::automation {

inline constexpr std::string_view kPlanFormat = "1.0";
// A plan that would delete more than this share of a file's objects needs the number in
// `allow_destroy`.
inline constexpr double kDestroyShareMax = 0.2;

enum class Action { kNoOp, kCreate, kUpdate, kDelete };
std::string_view action_name(
    Action action);  // Terraform's words: "no-op", "create", "update", "delete"

// In the order in which a plan shows them.
enum class Risk {
  kTraffic,  // other answers, or none, for somebody's requests
  kData,     // what was stored goes
  kPolicy,   // a gate, rule, rollout or monitor gets looser
  kOther,
};
std::string_view risk_name(Risk risk);  // "traffic", "data", "policy", "other"

struct FieldChange {
  std::string path;                   // "spec.rollout.delta"
  std::optional<json::Value> before;  // absent: not there
  std::optional<json::Value> after;
};

struct Change {
  Action action = Action::kNoOp;
  std::string kind;
  std::string name;
  bool drift = false;  // the file did not change since it was applied: the server's object did
  json::Value before;  // normalised spec as it is live; null when there is none
  json::Value after;   // null when it goes
  std::vector<FieldChange> fields;
  Risk risk = Risk::kOther;
  std::string reason;                 // why there is a risk, or why it goes; may be empty
  std::int64_t resource_version = 0;  // of the object's row when the plan was made; 0 = none
};

struct PlanRequest {
  std::vector<Declared> objects;
  Source source;
  bool prune = false;              // delete what this file made and no longer names
  std::int64_t allow_destroy = 0;  // that many deletions are meant, whatever their share
};

struct Plan {
  std::string id;     // ULID
  std::string store;  // id of the store it was made against; "" before the first apply
  TimeUs created_at = 0;
  PlanRequest request;          // with normalised specs
  std::vector<Change> changes;  // by risk, then by kind and name; no-ops last
  std::vector<std::string>
      notes;  // rollouts under way, holds, what each rollout step needs, what is left behind
  json::Array unmanaged;  // what controllers hold, for information: {"address","field","value"}
  json::Array forecasts;  // {"endpoint","forecast"} (rollout_policy.h)
  std::vector<std::string> errors;  // why it cannot be applied; empty = it can
  bool has_changes() const;
};

// What plan and apply need to know of the world besides the database. Each may be empty: then it is
// not known.
struct PlanFacts {
  std::function<std::optional<double>(storage::Session&, const std::string& endpoint)>
      requests_per_day;
  std::function<TimeUs(const std::string& endpoint)> watermark = {};  // for the events of an apply
};

// Reads only. Faults of a spec (normalise) throw kInvalidArgument; what speaks against the whole
// (missing references, foreign owners, a rollout that cannot decide, too many deletions) is
// collected in `errors`.
Plan make_plan(storage::Session& session, const Clock& clock, const PlanFacts& facts,
               const PlanRequest& request);

// {"objects":[…],"source":{…},"prune":…,"allow_destroy":…}; kInvalidArgument naming the field.
PlanRequest plan_request_from_json(const json::Object& body);
json::Object to_json(const PlanRequest& request);

// The plan file and the API's answer, in Terraform's field names where it has one: format_version,
// plan_id, server_id, errored, resource_changes[{address, type, name, section, risk, reason,
// resource_version, change{actions, before, after}, fields}], resource_drift, unmanaged, notes,
// errors, forecasts, summary{create, update, delete, drift}, request.
json::Object to_json(const Plan& plan);

// As a person reads it, ending in "Plan: 2 to create, 1 to update, 0 to delete." or "No changes.
// …".
std::string plan_text(const json::Object& plan);

// Every field in which the two differ, by path below `path`; absent values are nullopt.
std::vector<FieldChange> field_changes(const json::Value& before, const json::Value& after,
                                       const std::string& path);

}  // namespace slipway::automation
