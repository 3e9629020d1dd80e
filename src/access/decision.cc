// SPDX-License-Identifier: Apache-2.0
#include "access/decision.h"

#include <algorithm>
#include <vector>

namespace slipway::access {
namespace {

// Of all roles of the account ?1; MANAGE on "workspace" is MANAGE on everything.
constexpr const char* kGrantsOf =
    "SELECT g.resource_type, g.permission FROM role_member m JOIN role_grant g ON g.role = m.role "
    "WHERE m.account = ?1 AND ((g.resource_type = ?2 AND g.resource_pattern IN (?3, '*')) "
    "OR (g.resource_type = ?4 AND g.resource_pattern = '*') "
    "OR (g.resource_type = 'workspace' AND g.permission = 4))";

}  // namespace

std::optional<Permission> fold(std::span<const Permission> grants) {
  std::optional<Permission> highest;
  for (const Permission grant : grants) {
    if (grant == Permission::kDeny) return Permission::kDeny;
    highest = highest ? std::max(*highest, grant) : grant;
  }
  return highest;
}

Permission effective(std::optional<Permission> spoken, Permission otherwise) {
  if (!spoken) return otherwise;
  return *spoken > Permission::kNone ? std::max(*spoken, otherwise) : *spoken;
}

bool allows(const Spoken& spoken, Permission otherwise, Permission wanted) {
  const Permission whole = effective(spoken.whole, otherwise);
  if (whole < Permission::kRead) return false;
  if (!spoken.part) return whole >= wanted;
  return effective(spoken.part, otherwise) >= wanted;
}

Spoken read_grants(storage::Session& session, std::int64_t account, const Thing& thing) {
  std::vector<Permission> whole;
  std::vector<Permission> part;
  auto row = session.query(kGrantsOf, account, thing.kind, thing.id, thing.part);
  while (row.step()) {
    const auto permission = static_cast<Permission>(row.int64(1));
    const bool of_part = !thing.part.empty() && row.text_view(0) == thing.part;
    (of_part ? part : whole).push_back(permission);
  }
  return {fold(whole), fold(part)};
}

std::string Readable::select(const std::string& account_place,
                             const std::string& kind_place) const {
  const std::string denied = "MIN(g.permission) < 0";
  const std::string silent = "MAX(g.permission) < 1";
  const std::string those = rule == Rule::kOnly ? "NOT " + denied + " AND NOT " + silent
                            : by_default        ? "(" + denied + " OR " + silent + ")"
                                                : denied;
  return "SELECT g.resource_pattern FROM role_member m JOIN role_grant g ON g.role = m.role "
         "WHERE m.account = " +
         account_place + " AND g.resource_type = " + kind_place +
         " AND g.resource_pattern <> '*' GROUP BY g.resource_pattern HAVING " + those;
}

Readable find_readable(storage::Session& session, std::int64_t account, std::string_view kind,
                       Permission otherwise) {
  // What is said of all things of the kind together.
  const std::optional<Permission> of_all =
      read_grants(session, account, {std::string(kind), "*", ""}).whole;
  Readable readable{Readable::Rule::kOnly, account, std::string(kind), !of_all.has_value()};
  if (of_all == Permission::kDeny) {
    readable.rule = Readable::Rule::kNone;
  } else if (effective(of_all, otherwise) >= Permission::kRead) {
    readable.rule = Readable::Rule::kAllBut;
  }
  return readable;
}

}  // namespace slipway::access
