// SPDX-License-Identifier: Apache-2.0
#include "http/access.h"

namespace slipway::http {

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kAnybody: return "ANYBODY";
    case Level::kSignedIn: return "SIGNED_IN";
    case Level::kRead: return "READ";
    case Level::kUse: return "USE";
    case Level::kEdit: return "EDIT";
    case Level::kManage: return "MANAGE";
    case Level::kAdmin: return "ADMIN";
  }
  return "ADMIN";
}

std::string Caller::actor() const {
  switch (kind) {
    case Kind::kNobody: return "nobody";
    case Kind::kLocal: return "local";
    case Kind::kServerToken: return "token:server";
    case Kind::kStageToken: return "token:stage";
    case Kind::kApiToken:
    case Kind::kPassword: return "user:" + name;
  }
  return "nobody";
}

}  // namespace slipway::http
