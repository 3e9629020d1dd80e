// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace slipway::access {

// What somebody may do with a thing, in rising order; each includes those before it. kDeny is no
// level but a veto.
//   source  MLflow 3.17.2, server/auth/permissions.py
enum class Permission {
  kDeny = -1,   // "DENY": refuses whatever other grants say
  kNone = 0,    // "NO_PERMISSIONS"
  kRead = 1,    // look
  kUse = 2,     // ask for predictions
  kEdit = 3,    // change, log, make things in it
  kManage = 4,  // delete, and say who may what
};

std::string_view permission_name(Permission permission);
std::optional<Permission> parse_permission(std::string_view name);  // exactly as written above
// "('READ', 'USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS', 'DENY')", as refusals list them.
std::string permission_names();

// A kind of thing that permission is given for.
struct ResourceKind {
  std::string_view name;
  bool one_by_one;  // a grant may name one thing; else it is for all of the kind, "*", alone
};

// MLflow's kinds that exist here, and two of ours: "endpoint", by name, and "operations", the loop
// as a whole. Sorted by name.
std::span<const ResourceKind> resource_kinds();
const ResourceKind* find_resource_kind(std::string_view name);  // null: no such kind

}  // namespace slipway::access
