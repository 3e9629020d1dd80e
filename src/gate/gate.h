// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::gate {

// Fewer are never enough (docs/adr/0004-loss-blocks-by-day.md).
inline constexpr std::int64_t kClustersMin = 14;
inline constexpr std::int64_t kClustersMax = 1'000;
// Automation's table of fields refers to these, as to the ones above: what `plan` accepts is what
// is read here.
inline constexpr double kAlphaMax = 0.5;  // above 0 and below it
inline constexpr double kAlphaDefault = 0.05;
inline constexpr std::string_view kAliasDefault = "champion";
inline constexpr std::array<std::string_view, 1> kMethodNames = {
    "cluster-se"};                                                         // the first: default
inline constexpr std::array<std::string_view, 1> kClusterNames = {"day"};  // likewise

// kind: Gate. {model, alias (=champion), monitor, method: cluster-se, cluster: day, clusters (=14),
// alpha (=.05)} Endpoint, labels, loss and clip are the monitor's.
struct GateSpec {
  std::string model;
  std::string alias = std::string(kAliasDefault);
  std::string monitor;
  std::int64_t clusters =
      kClustersMin;  // the newest that many labelled days are compared; fewer are `insufficient`
  double alpha = kAlphaDefault;  // one-sided: challenger better
};
GateSpec parse_gate_spec(const json::Value& spec);  // kInvalidArgument naming the key
json::Value to_json(const GateSpec& spec);

struct Gate {
  std::string name;
  GateSpec spec;
};
// Creates or replaces. Which aliases it guards is the Model object's to say
// (registry::set_alias_rule); another spec makes what it found before count no longer there.
void put_gate(storage::Transaction& transaction, const std::string& name, const json::Value& spec);
void delete_gate(storage::Transaction& transaction,
                 const std::string& name);  // kNotFound; kFailedPrecondition while a rule names it
std::optional<Gate> find_gate(storage::Session& session, const std::string& name);
Gate get_gate(storage::Session& session, const std::string& name);  // kNotFound
std::vector<Gate> list_gates(storage::Session& session);

enum class Verdict { kPass, kFail, kInsufficient };
std::string_view verdict_name(Verdict verdict);  // "pass", "fail", "insufficient"

// One comparison on one cluster (a day): n rows, d = loss(champion) - loss(challenger) of each.
struct ClusterSums {
  std::int64_t day = 0;  // days since 1970-01-01, UTC, of the predictions' event time
  std::int64_t n = 0;
  double sum = 0;  // of d; positive = challenger better
  double sum_squares = 0;
  double champion_sum = 0;  // of the losses
  double challenger_sum = 0;
};

// One check of a gate. Today there is one kind, "compare".
struct Check {
  std::string kind;    // "compare"
  std::string method;  // "cluster-se"
  Verdict verdict = Verdict::kInsufficient;
  std::string reason;
  double estimate =
      0;  // mean d: how much lower the challenger's loss is; NaN where undefined, as the next ones
  double lo = 0;  // 95 %, two-sided
  double hi = 0;
  double se = 0;
  double p = 1;              // one-sided
  double champion_loss = 0;  // means over all rows
  double challenger_loss = 0;
  std::vector<ClusterSums> clusters;
};

// The outcome of one evaluation; the evidence record holds all of it.
struct Result {
  std::string gate;
  std::string model;
  std::int64_t challenger = 0;
  std::optional<std::int64_t> champion;
  Verdict verdict = Verdict::kInsufficient;  // the worst of its checks
  std::string reason;                        // one sentence with the numbers
  std::vector<Check> checks;
  std::int64_t rows = 0;
  TimeUs from = 0;  // event times of the rows
  TimeUs to = 0;
  std::string evidence;  // hash; kind "gate", subject registry::gate_subject(…)
  std::string event_id;  // of gate.evaluated
};
json::Value to_json(const Result& result);

}  // namespace slipway::gate
