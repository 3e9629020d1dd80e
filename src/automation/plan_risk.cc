// SPDX-License-Identifier: Apache-2.0
#include "automation/plan_risk.h"

#include <array>
#include <string_view>

#include "base/clock.h"

namespace slipway::automation {
namespace {

// A field whose larger value makes the rule weaker (or, reversed, whose smaller value does).
struct Guard {
  std::string_view kind;
  std::string_view path;
  bool larger_is_looser;
};
constexpr std::array<Guard, 9> kGuards = {{{"Gate", "spec.alpha", true},
                                           {"Gate", "spec.clusters", false},
                                           {"Monitor", "spec.bound", true},
                                           {"Monitor", "spec.budget", true},
                                           {"Monitor", "spec.blind_after", true},
                                           {"Endpoint", "spec.rollout.delta", true},
                                           {"Endpoint", "spec.rollout.alpha_promote", true},
                                           {"Endpoint", "spec.rollout.alpha_rollback", false},
                                           {"Endpoint", "spec.rollout.latency_limit_ms", true}}};

std::optional<double> magnitude(const json::Value& value) {
  if (value.is_number()) {
    return value.as_double();
  }
  if (value.is_string()) {
    if (const std::optional<TimeUs> duration = parse_duration(value.as_string())) {
      return static_cast<double>(*duration);
    }
  }
  return std::nullopt;
}

bool is_below(std::string_view path, std::string_view top) {
  return path == top || (path.size() > top.size() && path.substr(0, top.size()) == top &&
                         (path[top.size()] == '.' || path[top.size()] == '['));
}

bool moves_traffic(const Change& change, const FieldChange& field) {
  return change.kind == "Endpoint" && !is_below(field.path, "spec.rollout");
}

// Monitors that start anew forget the blocks that they have seen.
bool forgets(const Change& change, const FieldChange& field) {
  if (change.kind != "Monitor" || change.action != Action::kUpdate) {
    return false;
  }
  static constexpr std::array<std::string_view, 5> kRestarting = {
      "spec.endpoint", "spec.loss", "spec.clip", "spec.block", "spec.horizon"};
  for (const std::string_view path : kRestarting) {
    if (is_below(field.path, path)) {
      return true;
    }
  }
  return false;
}

bool loosens(const Change& change, const FieldChange& field) {
  if (change.kind == "Model" && is_below(field.path, "spec.aliases")) {
    return field.before.has_value();  // a rule goes or names another gate
  }
  if (change.kind == "Endpoint" && is_below(field.path, "spec.rollout") && !field.after) {
    return true;
  }
  if (change.kind == "Endpoint" && is_below(field.path, "spec.rollout.steps") && field.before) {
    return true;
  }
  for (const Guard& guard : kGuards) {
    if (guard.kind != change.kind || guard.path != field.path || !field.before || !field.after) {
      continue;
    }
    const std::optional<double> before = magnitude(*field.before);
    const std::optional<double> after = magnitude(*field.after);
    return before && after && (guard.larger_is_looser ? *after > *before : *after < *before);
  }
  return false;
}

void raise(Change& change, Risk risk, const std::string& reason) {
  if (risk < change.risk) {
    change.risk = risk;
    if (change.reason.empty()) {
      change.reason = reason;
    }
  }
}

}  // namespace

void assess_risk(Change& change) {
  if (change.action == Action::kDelete) {
    if (change.kind == "Endpoint") {
      raise(change, Risk::kTraffic, "requests to it will be refused");
    } else if (change.kind == "Monitor") {
      raise(change, Risk::kData, "its blocks are deleted");
    } else if (change.kind == "Gate" || change.kind == "Model" || change.kind == "Webhook") {
      raise(change, Risk::kPolicy, "a rule goes");
    }
    return;
  }
  if (change.action == Action::kCreate) {
    if (change.kind == "Endpoint") {
      raise(change, Risk::kTraffic, "begins to answer requests");
    }
    return;
  }
  for (const FieldChange& field : change.fields) {
    if (moves_traffic(change, field)) {
      raise(change, Risk::kTraffic, "requests may be answered by another version");
    } else if (forgets(change, field)) {
      raise(change, Risk::kData, "the monitor starts anew");
    } else if (loosens(change, field)) {
      raise(change, Risk::kPolicy, "`" + field.path + "` gets looser");
    }
  }
}

}  // namespace slipway::automation
