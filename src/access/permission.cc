// SPDX-License-Identifier: Apache-2.0
#include "access/permission.h"

#include <algorithm>
#include <array>
#include <utility>

namespace slipway::access {
namespace {

constexpr std::array<std::pair<Permission, std::string_view>, 6> kNames = {{
    {Permission::kRead, "READ"},
    {Permission::kUse, "USE"},
    {Permission::kEdit, "EDIT"},
    {Permission::kManage, "MANAGE"},
    {Permission::kNone, "NO_PERMISSIONS"},
    {Permission::kDeny, "DENY"},
}};

constexpr std::array kKinds = {
    ResourceKind{"assessment", false},
    ResourceKind{"endpoint", true},
    ResourceKind{"experiment", true},
    ResourceKind{"logged_model", false},
    ResourceKind{"operations", false},
    ResourceKind{"prompt", true},
    ResourceKind{"prompt_version", false},
    ResourceKind{"registered_model", true},
    ResourceKind{"registered_model_version", false},
    ResourceKind{"run", false},
    ResourceKind{"trace", false},
};

}  // namespace

std::string_view permission_name(Permission permission) {
  for (const auto& [value, name] : kNames)
    if (value == permission) return name;
  return "DENY";
}

std::optional<Permission> parse_permission(std::string_view text) {
  for (const auto& [value, name] : kNames)
    if (name == text) return value;
  return std::nullopt;
}

std::string permission_names() {
  std::string list = "(";
  for (const auto& [value, name] : kNames) {
    if (list.size() > 1) list += ", ";
    list += "'" + std::string(name) + "'";
  }
  return list + ")";
}

std::span<const ResourceKind> resource_kinds() { return kKinds; }

const ResourceKind* find_resource_kind(std::string_view name) {
  const auto* found = std::find_if(kKinds.begin(), kKinds.end(),
                                   [&](const ResourceKind& kind) { return kind.name == name; });
  return found != kKinds.end() ? found : nullptr;
}

}  // namespace slipway::access
