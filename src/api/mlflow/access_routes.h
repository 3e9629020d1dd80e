// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/role.h"
#include "access/sign_in.h"
#include "api/mlflow/wire.h"
#include "base/clock.h"
#include "http/router.h"
#include "json/value.h"

namespace slipway::api::mlflow {

// What the routes of accounts and permissions stand on; all of it outlives them.
struct AccessDeps {
  storage::Database& database;
  const Clock& clock;
  access::SignIn& sign_in;
  // What an account may do with a thing that no grant speaks of.
  access::Permission otherwise = access::Permission::kNone;
};

// MLflow's API of accounts and permissions (3.17.2, `--app-name basic-auth`), and the older one per
// experiment and registered model that clients before 3.17 call; both over the same grants.
//   - An administrator may do all of it; an account may look at itself, change its own password,
//     and give and take permission on what it may MANAGE.
//   - Without accounts the server's token is the administrator. The first account made becomes an
//     administrator, since there must be one.
//   - There are no workspaces: all is in "default".
std::vector<http::Route> access_routes(const AccessDeps& deps);

// The tables that access_routes() is made of.
std::vector<http::Route> user_routes(const AccessDeps& deps);
std::vector<http::Route> role_routes(const AccessDeps& deps);
std::vector<http::Route> permission_routes(const AccessDeps& deps);      // of 3.17
std::vector<http::Route> old_permission_routes(const AccessDeps& deps);  // before 3.17

// As these endpoints print: one line, members by name.
http::Response plain_answer(const json::Value& body);
http::Response plain_answer();  // {}

// A route of these endpoints, on both prefixes of the version (2 or 3), on the pool: checking and
// hashing passwords takes time. The server's token opens it while there are no accounts; on this
// machine too, since it is about who may do what.
using AccessHandler = std::function<http::Response(const Parameters&, const http::Request&)>;
void add_access_route(std::vector<http::Route>& routes, http::Method method, int version,
                      std::string_view path, const http::Access& access,
                      const AccessHandler& handler, const std::string& summary);

// Their parameters: the query for GET, else the body; as text. kInvalidArgument "Missing value …".
std::string needed(const Parameters& parameters, std::string_view name);
// "Parameter 'role_id' must be an integer. Got: 'x'".
std::int64_t needed_integer(const Parameters& parameters, std::string_view name);

json::Value role_wire(const access::Role& role);
json::Value grant_wire(const access::Grant& grant);

}  // namespace slipway::api::mlflow
