// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slipway::http {

// Where a request may come in without saying who sends it.
enum class Door {
  kPublic,          // anywhere: health, version, metrics, the page's files
  kOpenOnLoopback,  // MLflow's routes, inference, our own reads: from this machine, as long as the
                    // server has no accounts
  kToken,           // nowhere: everything under /api/slipway that writes or runs
};

// How much a caller must be allowed of what a route is about, in rising order.
enum class Level {
  kAnybody,   // nothing at all; behind Door::kPublic alone
  kSignedIn,  // to have an account
  kRead,
  kUse,
  kEdit,
  kManage,
  kAdmin,  // to be an administrator
};
std::string_view level_name(Level level);  // "READ"

// What a route asks of its caller. There is none by default: a route that does not say it does not
// compile, and one that says what nobody can decide keeps the server from starting.
struct Access {
  // About a thing of `kind` ("experiment", "endpoint", …). `by` says where a request names it:
  //   "path:name"   the route's parameter {name}
  //   "*"           all things of the kind together
  //   other         a finder of the API at hand, which asks for the decision itself
  // Both texts are constants: they are not copied.
  constexpr Access(Door door_in, Level level_in, std::string_view kind_in, std::string_view by_in)
      : door(door_in), level(level_in), kind(kind_in), by(by_in) {}

  static constexpr Access anybody() { return {Door::kPublic, Level::kAnybody, "", ""}; }
  static constexpr Access signed_in(Door door) { return {door, Level::kSignedIn, "", ""}; }
  static constexpr Access admin(Door door) { return {door, Level::kAdmin, "", ""}; }

  Door door;
  Level level;
  std::string_view kind;  // "" where the level is about the caller alone
  std::string_view by;
};

// Who asks: found out by ServerHooks::admit before a handler sees the request.
struct Caller {
  enum class Kind {
    kNobody,       // a public route
    kLocal,        // this machine, on a server without accounts
    kServerToken,  // the server's own token
    kStageToken,   // a pipeline stage's
    kApiToken,     // an account's token
    kPassword,     // an account's name and password
  };
  Kind kind = Kind::kNobody;
  std::string name;          // of the account; "" without one
  std::int64_t account = 0;  // its number; 0 without one
  bool admin = false;        // may do everything that the door lets in
  // What the account may do where no grant speaks, as the access model counts
  // (access/permission.h).
  int otherwise = 0;

  // As the ledger writes it: "user:NAME", "token:server", "token:stage", "local", "nobody".
  std::string actor() const;
};

}  // namespace slipway::http
