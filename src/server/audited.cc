// SPDX-License-Identifier: Apache-2.0
#include "server/audited.h"

#include <array>
#include <string>

#include "base/error.h"
#include "json/value.h"

namespace slipway::server {
namespace {

constexpr std::size_t kBodyBytesMax = 64U << 10;
// How requests name what they are about. Never a password.
constexpr std::array<std::string_view, 16> kNames = {
    "username", "account",  "experiment_id",    "run_id",      "run_uuid", "model_id",
    "name",     "new_name", "resource_type",    "resource_id", "role_id",  "role_permission_id",
    "alias",    "version",  "resource_pattern", "permission"};

bool changes_state(http::Method method) {
  return method == http::Method::kPost || method == http::Method::kPut ||
         method == http::Method::kPatch || method == http::Method::kDelete;
}

bool is_grave(const http::Access& access) {
  return access.door == http::Door::kToken || access.level >= http::Level::kManage;
}

void add(std::string& text, std::string_view name, std::string_view value) {
  if (!text.empty()) text += ' ';
  text += std::string(name) + "=" + std::string(value);
}

std::string resource_of(const http::Request& request) {
  std::string text;
  for (const auto& [name, value] : request.path_parameters) add(text, name, value);
  for (const std::string_view name : kNames)
    if (const auto value = request.query_value(name)) add(text, name, *value);
  if (request.body.empty() || request.body.size() > kBodyBytesMax) return text;
  try {
    const json::Value body = json::parse(request.body);
    if (!body.is_object()) return text;
    for (const std::string_view name : kNames) {
      const json::Value* value = body.as_object().find(name);
      if (value == nullptr || value->is_array() || value->is_object()) continue;
      add(text, name, value->is_string() ? value->as_string() : json::write(*value));
    }
  } catch (const Error&) {
    // Not JSON: the route said so, or takes something else. It names nothing.
    return text;
  }
  return text;
}

}  // namespace

void note_answer(access::Audit& audit, const http::Request& request, const http::Route* route,
                 int status) {
  if (route == nullptr) return;
  const bool refused = status == 401 || status == 403;
  const bool changed = status < 300 && changes_state(request.method) && is_grave(route->access);
  if (!refused && !changed) return;
  access::AuditEntry entry{.actor = request.caller.actor(),
                           .peer = request.peer,
                           .method = std::string(http::method_name(request.method)),
                           .route = route->pattern,
                           .resource = resource_of(request),
                           .status = status};
  if (refused) {
    audit.refused(std::move(entry));
  } else {
    audit.changed(std::move(entry));
  }
}

}  // namespace slipway::server
