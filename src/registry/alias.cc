// SPDX-License-Identifier: Apache-2.0
#include "registry/alias.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "json/value.h"
#include "ledger/event.h"
#include "ledger/evidence.h"
#include "registry/model_version.h"
#include "registry/registered_model.h"
#include "tracking/key_rules.h"

namespace slipway::registry {
namespace {

std::string version_text(const std::optional<std::int64_t>& version) {
  return version ? "version " + std::to_string(*version) : std::string("no version");
}

json::Value version_json(const std::optional<std::int64_t>& version) {
  return version ? json::Value(*version) : json::Value();
}

std::string evidence_json(const std::vector<std::string>& hashes) {
  json::Array list;
  for (const std::string& hash : hashes) list.emplace_back(hash);
  return json::write(json::Value(std::move(list)));
}

std::vector<std::string> parse_evidence(const std::string& text) {
  const json::Value list = json::parse(text);  // outlives the loop over its elements
  std::vector<std::string> hashes;
  for (const json::Value& hash : list.as_array()) hashes.push_back(hash.as_string());
  return hashes;
}

constexpr std::string_view kMoveColumns =
    "h.move, h.from_version, h.to_version, h.actor, h.reason, h.evidence, h.event_time, "
    "h.recorded_at, h.direct, h.is_rollback, h.rollout";

AliasMove read_move(const storage::Statement& row, const std::string& model,
                    const std::string& alias) {
  AliasMove move;
  move.model = model;
  move.alias = alias;
  move.move = row.int64(0);
  move.from = row.maybe_int64(1);
  move.to = row.maybe_int64(2);
  move.actor = row.text(3);
  move.reason = row.text(4);
  move.evidence = parse_evidence(row.text(5));
  move.event_time = row.int64(6);
  move.recorded_at = row.int64(7);
  move.direct = row.int64(8) != 0;
  move.rollback = row.int64(9) != 0;
  move.rollout = row.text(10);
  return move;
}

bool held_before(storage::Session& session, const AliasChange& change) {
  storage::Statement row = session.query(
      "SELECT 1 FROM alias_move h JOIN registered_model m ON m.key = h.model "
      "WHERE m.name = ?1 AND h.alias = ?2 AND h.to_version = ?3 LIMIT 1",
      change.model, change.alias, *change.version);
  return row.step();
}

std::optional<std::string> rollback_refusal(storage::Session& session, const AliasChange& change) {
  if (change.reason.empty()) return "a rollback needs a reason";
  if (held_before(session, change)) return std::nullopt;
  return "version " + std::to_string(*change.version) + " of model `" + change.model +
         "` never held alias `" + change.alias +
         "`, so there is nothing to roll back to; promote it instead";
}

struct Passed {
  std::optional<std::string> refusal;
  std::string evidence;
};

// Whether the gate came to this document after the rule, or the gate's own spec, last changed.
bool is_current(storage::Session& session, const AliasRule& rule, const std::string& hash) {
  storage::Statement row = session.query(
      "SELECT 1 FROM event WHERE subject = ?1 AND type = 'gate.evaluated' AND " +
          storage::like("evidence", "?2") +
          " AND seq > (SELECT since FROM alias_rule WHERE model = ?3 AND alias = ?4) LIMIT 1",
      "gate:" + rule.gate, "%\"" + hash + "\"%", rule.model, rule.alias);
  return row.step();
}

// REQUIRES: change.version is set and `target` is what the alias points to now.
Passed check_gate(storage::Session& session, const AliasChange& change, const AliasRule& rule,
                  const std::optional<AliasTarget>& target) {
  const std::optional<std::int64_t> champion =
      target ? std::optional<std::int64_t>(target->version) : std::nullopt;
  const std::string wish = "alias `" + change.alias + "` of model `" + change.model +
                           "` needs passing evidence of gate `" + rule.gate + "` for version " +
                           std::to_string(*change.version) + " over " + version_text(champion);
  const auto evidence = ledger::latest_evidence(
      session, "gate", gate_subject(rule.gate, change.model, *change.version, champion));
  if (!evidence) {
    return {wish + "; there is none: evaluate the gate first (slipway model promote " +
                change.model + "/" + std::to_string(*change.version) + ")",
            ""};
  }
  TimeUs youngest = get_version(session, change.model, *change.version).created_at;
  if (champion) {
    if (const auto holder = find_version(session, change.model, *champion)) {
      youngest = std::max(youngest, holder->created_at);
    }
  }
  if (evidence->recorded_at < youngest) {
    return {wish + "; the newest is older than the versions themselves: evaluate the gate again",
            ""};
  }
  if (!is_current(session, rule, evidence->hash)) {
    return {wish + "; the newest is from before the gate or the rule changed: evaluate the gate " +
                "again",
            ""};
  }
  const json::Value* verdict = evidence->body.find("verdict");
  if (verdict == nullptr || !verdict->is_string() || verdict->as_string() != "pass") {
    const json::Value* reason = evidence->body.find("reason");
    const std::string said = verdict != nullptr && verdict->is_string() ? verdict->as_string()
                                                                        : std::string("no verdict");
    return {wish + "; the newest says " + said +
                (reason != nullptr && reason->is_string() ? ": " + reason->as_string() : ""),
            ""};
  }
  return {std::nullopt, evidence->hash};
}

Passed check_rule(storage::Session& session, const AliasChange& change) {
  const std::optional<AliasRule> rule = find_alias_rule(session, change.model, change.alias);
  const std::optional<AliasTarget> target = find_alias(session, change.model, change.alias);
  if (change.version && target && target->version == *change.version) return {};
  if (change.rollback) {
    if (!change.version) return {"a rollback needs a version to go back to", ""};
    return {rollback_refusal(session, change), ""};
  }
  if (!rule) return {};
  if (!change.version) {
    return {"alias `" + change.alias + "` of model `" + change.model + "` is guarded by gate `" +
                rule->gate + "` and cannot be deleted; remove the rule in slipway.yaml first",
            ""};
  }
  const ModelVersion version = get_version(session, change.model, *change.version);
  if (version.condition == Condition::kUnservable) {
    return {"version " + std::to_string(version.version) + " of model `" + change.model +
                "` is unservable: " + version.condition_reason,
            ""};
  }
  return check_gate(session, change, *rule, target);
}

std::int64_t next_move(storage::Session& session, std::int64_t model, const std::string& alias) {
  storage::Statement row = session.query(
      "SELECT COALESCE(MAX(move), 0) + 1 FROM alias_move WHERE model = ?1 AND alias = ?2", model,
      alias);
  row.step();
  return row.int64(0);
}

void write_target(storage::Transaction& transaction, std::int64_t model, const AliasMove& move) {
  if (!move.to) {
    transaction.execute("DELETE FROM model_alias WHERE model = ?1 AND alias = ?2", model,
                        move.alias);
    return;
  }
  transaction.execute(
      "INSERT INTO model_alias (model, alias, version, move) VALUES (?1, ?2, ?3, ?4) "
      "ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version, move = excluded.move",
      model, move.alias, *move.to, move.move);
}

void write_move(storage::Transaction& transaction, const Clock& clock, std::int64_t model,
                const AliasMove& move, const std::string& cause) {
  transaction.execute(
      "INSERT INTO alias_move (model, alias, move, from_version, to_version, actor, reason, "
      "evidence, event_time, recorded_at, direct, is_rollback, rollout) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
      model, move.alias, move.move, move.from, move.to, move.actor, move.reason,
      evidence_json(move.evidence), move.event_time, move.recorded_at, move.direct, move.rollback,
      move.rollout);
  transaction.execute("UPDATE registered_model SET updated_at = ?1 WHERE key = ?2",
                      move.recorded_at, model);
  ledger::Event event;
  event.type = "alias.moved";
  event.subject = "model:" + move.model;
  event.actor = move.actor;
  event.cause = cause;
  event.event_time = move.event_time;
  event.evidence = move.evidence;
  event.body = {{"alias", move.alias},         {"from", version_json(move.from)},
                {"to", version_json(move.to)}, {"move", move.move},
                {"reason", move.reason},       {"direct", move.direct},
                {"rollout", move.rollout},     {"rollback", move.rollback}};
  ledger::append(transaction, clock, event);
}

AliasMove move_in(storage::Session& session, const std::string& model, const std::string& alias,
                  std::int64_t number) {
  storage::Statement row =
      session.query("SELECT " + std::string(kMoveColumns) +
                        " FROM alias_move h JOIN registered_model m ON m.key = h.model "
                        "WHERE m.name = ?1 AND h.alias = ?2 AND h.move = ?3",
                    model, alias, number);
  row.step();
  return read_move(row, model, alias);
}

}  // namespace

void check_alias_name(std::string_view alias) {
  if (alias.empty()) {
    throw Error(Code::kInvalidArgument, "Registered model alias name cannot be empty.");
  }
  const bool clean = std::all_of(alias.begin(), alias.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || static_cast<unsigned char>(c) >= 0x80;  // letters of other scripts
  });
  if (!clean) {
    throw Error(Code::kInvalidArgument,
                "Invalid alias name: '" + std::string(alias) +
                    "'. Names may only contain alphanumerics, underscores (_), and dashes (-).");
  }
  tracking::check_length(alias, kAliasCharactersMax, "Registered model alias name");
  if (ascii_lower(alias) == "latest") {
    throw Error(Code::kInvalidArgument, "'latest' alias name (case insensitive) is reserved.");
  }
  const bool version_like =
      alias.size() > 1 && (alias[0] == 'v' || alias[0] == 'V') &&
      std::all_of(alias.begin() + 1, alias.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (version_like) {
    throw Error(Code::kInvalidArgument,
                "Version alias name '" + std::string(alias) + "' is reserved.");
  }
}

std::optional<AliasTarget> find_alias(storage::Session& session, const std::string& model,
                                      const std::string& alias) {
  storage::Statement row = session.query(
      "SELECT a.version, a.move FROM model_alias a JOIN registered_model m ON m.key = a.model "
      "WHERE m.name = ?1 AND a.alias = ?2",
      model, alias);
  if (!row.step()) return std::nullopt;
  return AliasTarget{row.int64(0), row.int64(1)};
}

std::optional<std::string> alias_refusal(storage::Session& session, const AliasChange& change) {
  return check_rule(session, change).refusal;
}

AliasMove move_alias(storage::Transaction& transaction, const Clock& clock,
                     const AliasChange& change) {
  check_alias_name(change.alias);
  const RegisteredModel model = get_model(transaction, change.model);
  if (change.version) get_version(transaction, change.model, *change.version);
  const std::optional<AliasTarget> target = find_alias(transaction, change.model, change.alias);
  if (!change.version && !target) {
    throw Error(Code::kNotFound, "Registered model alias " + change.alias + " not found.");
  }
  if (target && change.version && target->version == *change.version) {
    AliasMove same = move_in(transaction, change.model, change.alias, target->move);
    same.changed = false;
    return same;
  }
  const Passed passed = check_rule(transaction, change);
  if (passed.refusal) throw Error(Code::kPermissionDenied, *passed.refusal);

  AliasMove move;
  move.model = change.model;
  move.alias = change.alias;
  move.move = next_move(transaction, model.key, change.alias);
  if (target) move.from = target->version;
  move.to = change.version;
  move.actor = change.actor;
  move.reason = change.reason;
  move.evidence = change.evidence;
  if (!passed.evidence.empty() && std::find(move.evidence.begin(), move.evidence.end(),
                                            passed.evidence) == move.evidence.end()) {
    move.evidence.push_back(passed.evidence);
  }
  move.recorded_at = clock.now();
  move.event_time = change.event_time;
  move.direct = change.direct;
  move.rollback = change.rollback;
  move.rollout = change.rollout;
  write_target(transaction, model.key, move);
  write_move(transaction, clock, model.key, move, change.cause);
  return move;
}

void record_refusal(storage::Transaction& transaction, const Clock& clock,
                    const AliasChange& change, const std::string& reason) {
  ledger::Event event;
  event.type = "alias.refused";
  event.subject = "model:" + change.model;
  event.actor = change.actor;
  event.cause = change.cause;
  event.event_time = change.event_time;
  event.body = {{"alias", change.alias}, {"to", version_json(change.version)}, {"reason", reason}};
  event.evidence = change.evidence;
  ledger::append(transaction, clock, event);
}

std::variant<AliasMove, AliasRefusal> try_alias_move(storage::Transaction& transaction,
                                                     const Clock& clock,
                                                     const AliasChange& change) {
  check_alias_name(change.alias);
  get_model(transaction, change.model);
  if (change.version) get_version(transaction, change.model, *change.version);
  if (std::optional<std::string> reason = alias_refusal(transaction, change)) {
    record_refusal(transaction, clock, change, *reason);
    return AliasRefusal{*std::move(reason)};
  }
  return move_alias(transaction, clock, change);
}

AliasMove request_alias_move(storage::Database& database, const Clock& clock,
                             const AliasChange& change) {
  auto outcome = database.write_returning<std::variant<AliasMove, AliasRefusal>>(
      [&](storage::Transaction& transaction) {
        return try_alias_move(transaction, clock, change);
      });
  if (const AliasRefusal* refusal = std::get_if<AliasRefusal>(&outcome)) {
    throw Error(Code::kPermissionDenied, refusal->reason);
  }
  return std::get<AliasMove>(std::move(outcome));
}

std::vector<AliasMove> alias_history(storage::Session& session, const std::string& model,
                                     const std::string& alias, std::int64_t limit) {
  std::vector<AliasMove> moves;
  storage::Statement row =
      session.query("SELECT " + std::string(kMoveColumns) +
                        " FROM alias_move h JOIN registered_model m ON m.key = h.model "
                        "WHERE m.name = ?1 AND h.alias = ?2 ORDER BY h.move DESC LIMIT ?3",
                    model, alias, std::clamp<std::int64_t>(limit, 0, kAliasHistoryPageMax));
  while (row.step()) moves.push_back(read_move(row, model, alias));
  return moves;
}

void set_alias_rule(storage::Transaction& transaction, const std::string& model,
                    const std::string& alias, const std::string& gate) {
  check_model_name(model);
  check_alias_name(alias);
  if (gate.empty()) {
    throw Error(Code::kInvalidArgument,
                "the rule of alias `" + alias + "` of model `" + model + "` names no gate");
  }
  transaction.execute(
      "INSERT INTO alias_rule (model, alias, gate, since) "
      "VALUES (?1, ?2, ?3, (SELECT coalesce(max(seq), 0) FROM event)) "
      "ON CONFLICT (model, alias) DO UPDATE SET since = CASE WHEN alias_rule.gate = excluded.gate "
      "THEN alias_rule.since ELSE excluded.since END, gate = excluded.gate",
      model, alias, gate);
}

void restart_rules_of_gate(storage::Transaction& transaction, const std::string& gate) {
  transaction.execute(
      "UPDATE alias_rule SET since = (SELECT coalesce(max(seq), 0) FROM event) WHERE gate = ?1",
      gate);
}

void clear_alias_rule(storage::Transaction& transaction, const std::string& model,
                      const std::string& alias) {
  transaction.execute("DELETE FROM alias_rule WHERE model = ?1 AND alias = ?2", model, alias);
}

std::optional<AliasRule> find_alias_rule(storage::Session& session, const std::string& model,
                                         const std::string& alias) {
  storage::Statement row =
      session.query("SELECT gate FROM alias_rule WHERE model = ?1 AND alias = ?2", model, alias);
  if (!row.step()) return std::nullopt;
  return AliasRule{model, alias, row.text(0)};
}

std::vector<AliasRule> list_alias_rules(storage::Session& session, const std::string& model) {
  std::vector<AliasRule> rules;
  storage::Statement row = session.query(
      "SELECT model, alias, gate FROM alias_rule WHERE ?1 = '' OR model = ?1 "
      "ORDER BY model, alias",
      model);
  while (row.step()) rules.push_back({row.text(0), row.text(1), row.text(2)});
  return rules;
}

std::string gate_subject(const std::string& gate, const std::string& model, std::int64_t challenger,
                         const std::optional<std::int64_t>& champion) {
  return "gate/" + gate + "/" + model + "/" + std::to_string(challenger) + "/vs/" +
         (champion ? std::to_string(*champion) : std::string("none"));
}

}  // namespace slipway::registry
