// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "access/sign_in.h"
#include "base/clock.h"
#include "http/router.h"

namespace slipway::api {

struct AccountDeps {
  storage::Database& database;
  const Clock& clock;
  access::SignIn& sign_in;
};

// Accounts, their tokens and the audit record, for the command line:
//   GET    /users                        accounts (an administrator's)
//   POST   /users {username, password, admin}
//   DELETE /users/{name}
//   POST   /users/{name}/password {password}   POST /users/{name}/admin {admin}
//   GET    /tokens?user=                 tokens, never their text; an account sees its own
//   POST   /tokens {name, user, ttl}     the one answer that has the text; `user` is an
//                                        administrator's to give
//   DELETE /users/{name}/tokens/{token}
//   GET    /audit?actor=&before=&refused=&limit=
// The first account becomes an administrator, since there must be one: from then on nothing here is
// open without an account or the server's token.
std::vector<http::Route> account_routes(const AccountDeps& deps);

}  // namespace slipway::api
