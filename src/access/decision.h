// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "access/permission.h"
#include "storage/database.h"

namespace slipway::access {

// What a decision is about: a thing ("experiment" "7", "registered_model" "flights"), and where it
// is one, the kind of part of it that is meant ("run", "logged_model",
// "registered_model_version").
struct Thing {
  std::string kind;
  std::string id;    // "*": all of the kind together, or none in particular
  std::string part;  // "" = the thing itself
  bool operator==(const Thing&) const = default;
};

// What all grants together say. nullopt: nothing, so that the default speaks.
struct Spoken {
  std::optional<Permission> whole;  // on the thing
  std::optional<Permission> part;   // on parts of this kind, everywhere
};

// One kind of grants together: kDeny if one denies, else the highest.
std::optional<Permission> fold(std::span<const Permission> grants);

// What the grants come to: with the default where none speaks, and never below it where one allows.
//   source  MLflow 3.17.2, server/auth/requirements.py
Permission effective(std::optional<Permission> spoken, Permission otherwise);

// The decision. Where grants speak of parts, they decide for them, and the thing itself must be
// readable; else the thing's do. A denial of either refuses.
bool allows(const Spoken& spoken, Permission otherwise, Permission wanted);

// Reads the grants of all roles of the account. MANAGE on "workspace" counts as MANAGE on
// everything.
Spoken read_grants(storage::Session& session, std::int64_t account, const Thing& thing);

// The things of a kind that an account may read, as SQL, so that a search leaves the others out
// before it counts its page.
struct Readable {
  enum class Rule {
    kAll,     // every one
    kNone,    // none
    kOnly,    // those that select() gives
    kAllBut,  // all but those
  };
  Rule rule = Rule::kAll;
  std::int64_t account = 0;
  std::string kind;
  bool by_default = true;  // kAllBut: the default lets read, no grant on "*" does

  // "SELECT …" of ids as texts; `account_place` and `kind_place` are where the statement binds the
  // two members.
  std::string select(const std::string& account_place, const std::string& kind_place) const;
};
Readable find_readable(storage::Session& session, std::int64_t account, std::string_view kind,
                       Permission otherwise);

}  // namespace slipway::access
