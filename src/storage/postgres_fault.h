// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace slipway::storage {

// PostgreSQL's faults as Errors. `name` is the database as messages may show it.

// A statement was refused; `state` is its SQLSTATE.
[[noreturn]] void throw_fault(const std::string& name, std::string_view state,
                              const std::string& text);

// The server cannot be reached, or lets nobody in.
[[noreturn]] void throw_connect_fault(const std::string& name, const std::string& text);

// The connection broke. kUnavailable: whether a commit that was under way was kept is not known.
[[noreturn]] void throw_lost(const std::string& name, const std::string& text);

}  // namespace slipway::storage
