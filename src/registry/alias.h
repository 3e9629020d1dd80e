// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "storage/database.h"

namespace slipway::registry {

inline constexpr std::size_t kAliasCharactersMax = 255;
inline constexpr std::int64_t kAliasHistoryPageMax = 1'000;

// Where an alias points, and the number of the move that put it there.
struct AliasTarget {
  std::int64_t version = 0;
  std::int64_t move = 0;
};

// A wish to move, set or delete an alias.
struct AliasChange {
  std::string model;
  std::string alias;
  std::optional<std::int64_t> version;  // nullopt: delete the alias
  std::string actor;                    // as in ledger::Event
  std::string reason;  // shown in the history; may be empty where a client moves it directly
  std::vector<std::string> evidence;  // hashes; the gate's own evidence is added by the rule
  TimeUs event_time = 0;              // on the endpoint's clock; 0 = none (ledger::Event)
  bool direct = false;                // a client moved it itself, no rollout of ours
  std::string rollout;                // id of the rollout that ends in this move, "" = none
  std::string cause;                  // id of the event that led to it, "" = a person
  // Break-glass (`slipway rollback`): back to a version that held this alias before. Needs a reason
  // and no evidence.
  bool rollback = false;
};

// One move as it is kept for ever: serial numbers 1, 2, 3 … for each model and alias, deletions
// counted.
struct AliasMove {
  std::string model;
  std::string alias;
  std::int64_t move = 0;
  std::optional<std::int64_t> from;
  std::optional<std::int64_t> to;
  std::string actor;
  std::string reason;
  std::vector<std::string> evidence;
  TimeUs event_time = 0;  // 0 = none
  TimeUs recorded_at = 0;
  bool direct = false;
  bool rollback = false;
  std::string rollout;
  bool changed = true;  // false: it pointed there already; this is the move that did it, and
                        // nothing was written
};

// "The alias takes a version only with passing evidence of this gate, against the version that
// holds it now."
struct AliasRule {
  std::string model;
  std::string alias;
  std::string gate;
};

std::optional<AliasTarget> find_alias(storage::Session& session, const std::string& model,
                                      const std::string& alias);

// Why the rules refuse this change; nullopt when they allow it (also where no rule exists). Looks
// up the newest evidence of kind "gate" and subject gate_subject(…); its verdict must be "pass", it
// must be younger than both versions (a number can come again after a model was deleted), and an
// event gate.evaluated that is younger than the rule and the gate's spec must name it. A ruled
// alias is never deleted, and takes no unservable version.
std::optional<std::string> alias_refusal(storage::Session& session, const AliasChange& change);

// Moves it: rule, alias row, history row and event alias.moved in the caller's transaction.
// Throws kPermissionDenied with the refusal's reason; kNotFound for an unknown model or version (or
// an alias to delete); kInvalidArgument for a bad alias name (MLflow's words).
AliasMove move_alias(storage::Transaction& transaction, const Clock& clock,
                     const AliasChange& change);

// Appends alias.refused. A throw undoes the write that tried, so this is a write of its own.
void record_refusal(storage::Transaction& transaction, const Clock& clock,
                    const AliasChange& change, const std::string& reason);

// For a write that wants nothing but the move: moves the alias, or records the refusal in the same
// write and returns it.
struct AliasRefusal {
  std::string reason;
};
std::variant<AliasMove, AliasRefusal> try_alias_move(storage::Transaction& transaction,
                                                     const Clock& clock, const AliasChange& change);

// The same as a whole write of its own; throws the refusal (kPermissionDenied) after it was
// recorded.
AliasMove request_alias_move(storage::Database& database, const Clock& clock,
                             const AliasChange& change);

// Newest first.
std::vector<AliasMove> alias_history(storage::Session& session, const std::string& model,
                                     const std::string& alias,
                                     std::int64_t limit = kAliasHistoryPageMax);

// One rule an alias; setting it again replaces the gate. clear: no error where there is none.
void set_alias_rule(storage::Transaction& transaction, const std::string& model,
                    const std::string& alias, const std::string& gate);
// The gate asks something else now: evaluations until here count no longer.
void restart_rules_of_gate(storage::Transaction& transaction, const std::string& gate);
void clear_alias_rule(storage::Transaction& transaction, const std::string& model,
                      const std::string& alias);
std::optional<AliasRule> find_alias_rule(storage::Session& session, const std::string& model,
                                         const std::string& alias);
std::vector<AliasRule> list_alias_rules(storage::Session& session,
                                        const std::string& model);  // "" = of all models

// "gate/GATE/MODEL/CHALLENGER/vs/CHAMPION", CHAMPION = "none" where nothing holds the alias.
std::string gate_subject(const std::string& gate, const std::string& model, std::int64_t challenger,
                         const std::optional<std::int64_t>& champion);

// MLflow's rule: letters, digits, '_' and '-', at most 255, not "latest", not "v" and digits.
void check_alias_name(std::string_view alias);

}  // namespace slipway::registry
