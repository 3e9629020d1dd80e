// SPDX-License-Identifier: Apache-2.0
#include "gate/gate.h"

#include <cmath>

#include "base/error.h"
#include "monitoring/spec_reader.h"
#include "registry/alias.h"

namespace slipway::gate {
namespace {

json::Value number_or_null(double value) {
  if (std::isnan(value)) return {};
  return value;
}

json::Value to_json(const Check& check) {
  json::Array clusters;
  for (const ClusterSums& sums : check.clusters) {
    clusters.emplace_back(json::Object{
        {"day", format_time(sums.day * kMicrosPerDay).substr(0, 10)},
        {"n", sums.n},
        {"sum", sums.sum},
        {"sum_squares", sums.sum_squares},
        {"mean", sums.n > 0 ? json::Value(sums.sum / static_cast<double>(sums.n)) : json::Value()},
        {"champion_sum", sums.champion_sum},
        {"challenger_sum", sums.challenger_sum}});
  }
  return json::Object{{"kind", check.kind},
                      {"method", check.method},
                      {"alternative", "greater"},
                      {"verdict", verdict_name(check.verdict)},
                      {"reason", check.reason},
                      {"estimate", number_or_null(check.estimate)},
                      {"se", number_or_null(check.se)},
                      {"lo", number_or_null(check.lo)},
                      {"hi", number_or_null(check.hi)},
                      {"p", number_or_null(check.p)},
                      {"champion_loss", number_or_null(check.champion_loss)},
                      {"challenger_loss", number_or_null(check.challenger_loss)},
                      {"clusters", std::move(clusters)}};
}

}  // namespace

GateSpec parse_gate_spec(const json::Value& spec) {
  const monitoring::SpecReader reader(
      "Gate", spec, {"model", "alias", "monitor", "method", "cluster", "clusters", "alpha"});
  GateSpec out;
  out.model = reader.required_text("model");
  out.alias = reader.text("alias", kAliasDefault);
  if (out.alias.empty()) reader.refuse("alias", "must not be empty");
  out.monitor = reader.required_text("monitor");
  reader.choice("method", kMethodNames[0], {kMethodNames[0]});
  reader.choice("cluster", kClusterNames[0], {kClusterNames[0]});
  out.clusters = reader.integer("clusters", kClustersMin, kClustersMin, kClustersMax);
  out.alpha = reader.number("alpha", kAlphaDefault, 0, kAlphaMax);
  if (!(out.alpha > 0 && out.alpha < kAlphaMax))
    reader.refuse("alpha", "must be above 0 and below 0.5");
  return out;
}

json::Value to_json(const GateSpec& spec) {
  return json::Object{{"model", spec.model},         {"alias", spec.alias},
                      {"monitor", spec.monitor},     {"method", kMethodNames[0]},
                      {"cluster", kClusterNames[0]}, {"clusters", spec.clusters},
                      {"alpha", spec.alpha}};
}

void put_gate(storage::Transaction& transaction, const std::string& name, const json::Value& spec) {
  if (name.empty()) throw Error(Code::kInvalidArgument, "a gate needs a name");
  const std::string text = json::write(to_json(parse_gate_spec(spec)));
  const std::optional<Gate> before = find_gate(transaction, name);
  if (before && json::write(to_json(before->spec)) != text)
    registry::restart_rules_of_gate(transaction, name);
  transaction.execute(
      "INSERT INTO gate (name, spec) VALUES (?1, ?2) "
      "ON CONFLICT (name) DO UPDATE SET spec = excluded.spec",
      name, text);
}

void delete_gate(storage::Transaction& transaction, const std::string& name) {
  get_gate(transaction, name);
  for (const registry::AliasRule& rule : registry::list_alias_rules(transaction, "")) {
    if (rule.gate == name) {
      throw Error(Code::kFailedPrecondition, "gate `" + name + "` guards alias `" + rule.alias +
                                                 "` of model `" + rule.model +
                                                 "`; remove that rule first");
    }
  }
  transaction.execute("DELETE FROM gate WHERE name = ?1", name);
}

std::optional<Gate> find_gate(storage::Session& session, const std::string& name) {
  storage::Statement row = session.query("SELECT spec FROM gate WHERE name = ?1", name);
  if (!row.step()) return std::nullopt;
  return Gate{name, parse_gate_spec(json::parse(row.text(0)))};
}

Gate get_gate(storage::Session& session, const std::string& name) {
  std::optional<Gate> gate = find_gate(session, name);
  if (!gate) throw Error(Code::kNotFound, "there is no gate `" + name + "`");
  return *std::move(gate);
}

std::vector<Gate> list_gates(storage::Session& session) {
  std::vector<Gate> gates;
  storage::Statement row = session.query("SELECT name, spec FROM gate ORDER BY name");
  while (row.step()) gates.push_back({row.text(0), parse_gate_spec(json::parse(row.text(1)))});
  return gates;
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass: return "pass";
    case Verdict::kFail: return "fail";
    case Verdict::kInsufficient: break;
  }
  return "insufficient";
}

json::Value to_json(const Result& result) {
  json::Array checks;
  for (const Check& check : result.checks) checks.push_back(to_json(check));
  return json::Object{
      {"gate", result.gate},
      {"model", result.model},
      {"challenger", result.challenger},
      {"champion", result.champion ? json::Value(*result.champion) : json::Value()},
      {"verdict", verdict_name(result.verdict)},
      {"reason", result.reason},
      {"rows", result.rows},
      {"from", result.from > 0 ? json::Value(format_time(result.from)) : json::Value()},
      {"to", result.to > 0 ? json::Value(format_time(result.to)) : json::Value()},
      {"checks", std::move(checks)},
      {"evidence", result.evidence},
      {"event", result.event_id}};
}

}  // namespace slipway::gate
