// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/connection.h"
#include "storage/session.h"

namespace slipway::storage {

// What stands behind a Statement and a Session: for this folder alone.

struct Statement::State {
  std::unique_ptr<PreparedStatement> prepared;
  bool cached = false;  // else deleted on release
  bool busy = false;
  std::uint64_t used = 0;  // when last, on the session's count of uses
};

// Lets a statement be looked up by the text as it stands, without a copy of it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

struct Session::State {
  explicit State(std::unique_ptr<Connection> opened) : connection(std::move(opened)) {}

  std::unique_ptr<Connection> connection;  // outlives the statements
  // By text; a text that is open several times at once (the parts of a walk) has several.
  using Statements = std::unordered_multimap<std::string, std::unique_ptr<Statement::State>,
                                             TextHash, std::equal_to<>>;
  std::array<Statements, 3> statements;  // by Usage
  std::uint64_t uses = 0;
  std::vector<std::function<void()>> after_commit;  // of the writes in the open group
};

}  // namespace slipway::storage
